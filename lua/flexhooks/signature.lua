--- Twilio's request signatures: make one, check one, find out why one does not
-- match. A receiver does the checking itself; this is for tests, tools and
-- servers of other kinds.
-- @module flexhooks.signature

local core = require "flexhooks.core"
local delivery = require "flexhooks.signature.delivery"
local errors = require "flexhooks.error"

local M = {}

local NAME = "flexhooks.signature."

-- Caps are the receiver's business: what is passed here is in memory already.
local NO_CAP = 2 ^ 30

local MESSAGES = {
  body_differs = "the body is not the one whose hash the URL carries",
  body_unsigned = "nothing signs the body: the URL has no bodySHA256",
  malformed = "the form cannot be decoded",
  signature_differs = "no form of the URL gives this signature with this "
    .. "token",
  signature_missing = "there is no signature",
  signature_shape = "the signature is not 28 characters of base64",
  too_large = "the delivery is too large to verify",
  url = "the URL must be absolute, begin with https:// or http:// and hold no "
    .. "spaces",
}

local KINDS = { malformed = "malformed", too_large = "too_large" }

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

--- Signs a delivery as Twilio does: the URL without userinfo and fragment and,
-- of a form sent by POST, its parameters. A body of another type is bound by
-- its hash, which is added to the URL unless it is there.
---@param request { auth_token: string, url: string, method: string?,
--- params: table<string, string|string[]>?, body: string?,
--- content_type: string? } `content_type` says what `body` is, a form where
--- absent; of several tokens the first signs
---@return string signature
---@return string signed_url what was signed, and is to be called
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
  local key = core.key(read.tokens[1])
  local signature, url, wrong = key:sign(url_to_sign(read),
    delivery.grouped(read.fields))
  key:close()
  if not signature then
    errors.raise(2, NAME .. "sign: option 'url': " .. wrong)
  end
  return signature, url
end

local function verify(read, verifier, keys)
  if read.from_params and read.get then
    return nil, "body_unsigned"
  end
  if read.from_params and names_body_hash(read.query) then
    return nil, "body_differs"
  end
  local alone = read.get and read.body == ""
  if alone or read.form and not read.get then
    return verifier:form(keys, read.signature, read.query, read.body)
  end
  return verifier:json(keys, read.signature, read.query, read.body)
end

-- Is what was read valid? If not, for what reason?
local function check(read)
  local verifier = core.verifier { url = read.base, params = NO_CAP,
    name = NO_CAP, value = NO_CAP, body = NO_CAP }
  if not verifier then
    return nil, "url"
  end
  local keys = {}
  for i, token in ipairs(read.tokens) do
    keys[i] = core.key(token)
  end
  local good, reason = verify(read, verifier, keys)
  verifier:close()
  for _, key in ipairs(keys) do
    key:close()
  end
  return good and true, reason
end

--- Checks a signature. Every form of the URL that Twilio's products sign is
-- tried: with and without userinfo, with the port added or removed, with `'`
-- as %27.
---@param request { auth_token: string|string[], signature: string?,
--- url: string, method: string?, params: table<string, string|string[]>?,
--- body: string?, content_type: string? } a GET signs the URL alone; a URL
--- with bodySHA256 binds the raw body, whatever its type
---@return boolean? valid true, or nil
---@return flexhooks.Error? err with `reason`
function M.validate(request)
  local good, reason = check(delivery.read(NAME .. "validate", request,
    { signature = { type = "string" } }))
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
