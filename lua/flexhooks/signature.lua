--- Twilio's request signatures: make one, check one, find out why one does not
-- match. A receiver does the checking itself; this is for tests, tools and
-- servers of other kinds.
-- @module flexhooks.signature

local core = require "flexhooks.core"
local delivery = require "flexhooks.signature.delivery"
local errors = require "flexhooks.error"
local settings_header = require "flexhooks.signature.settings_header"

local M = {}

local NAME = "flexhooks.signature."

local MESSAGES = {
  algorithm_differs = "the signature, the settings header and the key are not "
    .. "of one algorithm",
  algorithm_unknown = "the settings header names an unknown algorithm",
  body_differs = "the body is not the one whose hash the URL carries",
  body_unsigned = "nothing signs the body: the URL has no bodySHA256",
  key_unknown = "the settings header names a shared key that was not given",
  malformed = "the form cannot be decoded",
  settings_malformed = "the settings header cannot be read",
  settings_missing = "there is no settings header, and no auth token was "
    .. "given",
  settings_unexpected = "there is a settings header, and no shared key was "
    .. "given",
  signature_differs = "no form of the URL gives this signature with this key",
  signature_missing = "there is no signature",
  signature_shape = "the signature is not 28 or 44 characters of base64",
  too_large = "the delivery is too large to verify",
  url = "the URL must be absolute, begin with https:// or http:// and hold no "
    .. "spaces",
}

local KINDS = { malformed = "malformed", too_large = "too_large" }

-- Keeps the last few keys and URLs, in memory that is wiped.
local validator = core.validator()

-- Stands for a key that was not given, so that other faults are still found.
local NO_KEY = core.random(32)

local SHA256_SIZE = 44 -- characters of base64

local function names_body_hash(query)
  return ("&" .. (query or "") .. "&"):find "&bodySHA256[=&]" ~= nil
end

-- The URL as it is signed for this body.
local function url_to_sign(request)
  local query = request.query
  if not request.form and not names_body_hash(query) then
    query = (query and query ~= "" and query .. "&" or "") .. "bodySHA256="
      .. core.sha256(request.body)
  end
  return request.base .. (query and "?" .. query or "")
end

-- Returns the one key that signs, and the settings header that goes with it.
local function signer(read)
  local id, shared = next(read.shared)
  if not id then
    return core.key(read.tokens[1])
  elseif read.tokens[1] then
    errors.raise(3, NAME .. "sign: give auth_token or shared_key, not both")
  end
  return core.key(shared.secret, shared.algorithm),
    settings_header.write(id, shared.algorithm)
end

--- Signs a delivery as Twilio does: the URL without userinfo and fragment and,
-- of a form sent by POST, its parameters. A body of another type is bound by
-- its hash, which is added to the URL unless it is there.
---@param request { auth_token: string?, shared_key: string?, shared_key_id:
--- string?, algorithm: string?, url: string, method: string?,
--- params: table<string, string|string[]>?, body: string?,
--- content_type: string? } `content_type` says what `body` is, a form where
--- absent; of several tokens the first signs; a shared key signs in place of
--- the token, with HMAC_SHA256 unless `algorithm` is HMAC_SHA1
---@return string signature
---@return string signed_url what was signed, and is to be called
---@return string? signature_settings the value of
--- X-Twilio-Webhooks-Signature-Settings, if a shared key signed
function M.sign(request)
  local read = delivery.read(NAME .. "sign", request)
  if read.get and read.body ~= "" then
    errors.raise(2, NAME .. "sign: a GET has no body; put params into the url")
  end
  if read.form and not core.decode_form(read.body) then
    errors.raise(2, NAME .. "sign: " .. (read.from_params
      and "option 'params': no form carries such a name"
      or "option 'body' is not a form; give content_type"))
  end
  local key, settings = signer(read)
  local signature, url, wrong = key:sign(url_to_sign(read),
    delivery.grouped(read.fields))
  key:close()
  if not signature then
    errors.raise(2, NAME .. "sign: option 'url': " .. wrong)
  end
  return signature, url, settings
end

local function verify(read, secret, algorithm)
  if read.from_params and read.get then
    return nil, "body_unsigned"
  end
  if read.from_params and names_body_hash(read.query) then
    return nil, "body_differs"
  end
  local alone = read.get and read.body == ""
  local method = (alone or read.form and not read.get) and validator.form
    or validator.json
  return method(validator, read.url, secret, algorithm, read.signature,
    read.body)
end

-- Returns the shared key that the header names; or nil and the reason.
local function shared_key(read)
  if next(read.shared) == nil then
    return nil, "settings_unexpected"
  end
  local id, algorithm = settings_header.read(read.settings)
  local key = id and read.shared[id]
  if not key then
    return nil, id and "key_unknown" or algorithm
  elseif key.algorithm ~= algorithm then
    return nil, "algorithm_differs"
  end
  return key
end

-- A validator's reasons if nothing but the key can be wrong.
local OF_KEYS = { signature_differs = true, algorithm_differs = true }

local function check_shared(read)
  local key, reason = shared_key(read)
  if key then
    return verify(read, key.secret, key.algorithm)
  end
  local _, found = verify(read, NO_KEY, #(read.signature or "") == SHA256_SIZE
    and settings_header.SHA256 or settings_header.SHA1)
  return nil, OF_KEYS[found] and reason or found
end

-- Returns true if the delivery is valid; or nil and the reason.
local function check(read)
  if read.settings then
    return check_shared(read)
  end
  local good, reason = nil, "settings_missing"
  for _, token in ipairs(read.tokens) do
    good, reason = verify(read, token)
    if good or reason ~= "signature_differs" then
      break
    end
  end
  return good, reason
end

local VALIDATED = { signature = { type = "string" },
  signature_settings = { type = "string" }, shared_keys = { type = "table" } }

--- Checks a signature. Every form of the URL that Twilio's products sign is
-- tried: with and without userinfo, with the port added or removed, with `'`
-- as %27. A delivery with a settings header is tried with the shared key that
-- it names and nothing else, one without it with the auth tokens and nothing
-- else.
---@param request { auth_token: string|string[]|nil, shared_keys: table<string,
--- string|table>?, shared_key: string?, shared_key_id: string?,
--- algorithm: string?, signature: string?, signature_settings: string?,
--- url: string, method: string?, params: table<string, string|string[]>?,
--- body: string?, content_type: string? } a GET signs the URL alone; a URL
--- with bodySHA256 binds the raw body, whatever its type; `shared_keys` maps
--- an id to a secret or to { secret, algorithm }, `shared_key` and
--- `shared_key_id` are one more
---@return boolean? valid true, or nil
---@return flexhooks.Error? err with `reason`
function M.validate(request)
  -- Most calls have a form and one token, and C looks at these alone.
  local good, reason = validator:plain(request)
  if reason == "general" then
    good, reason = check(delivery.read(NAME .. "validate", request,
      VALIDATED))
  end
  if not good then
    return nil, errors.new(KINDS[reason] or "signature", MESSAGES[reason],
      { reason = reason })
  end
  return true
end

--- Says, for a person, which variation of a delivery would have matched its
-- signature, and what to set. It never accepts anything: what comes back is a
-- report.
---@param request table as for `validate`, and candidates of your own: `urls`,
--- `hosts` (each `name` or `name:port`) and `auth_tokens`
---@return flexhooks.signature.Report report tostring(report) is its text
function M.explain(request)
  return require("flexhooks.signature.explain").run(NAME .. "explain", request,
    check)
end

return M
