--- The test kit: events, signed requests, contexts and a canned transport.
--
--     local testing = require "flexhooks.testing"
--     local event = testing.event("onParticipantJoined",
--       { ParticipantType = "customer" })
--     assert(router:dispatch(event, testing.context()))
--     local response = receiver:handle(testing.request(event,
--       { auth_token = "secret", url = "https://company.com/flex/events" }))
-- @module flexhooks.testing

local contexts = require "flexhooks.router.context"
local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local events = require "flexhooks.events"
local json = require "flexhooks.json"
local options = require "flexhooks.util.options"
local requests = require "flexhooks.receiver.request"
local settings_header = require "flexhooks.signature.settings_header"
local shared_keys = require "flexhooks.signature.shared_keys"
local tables = require "flexhooks.util.tables"
local canned = require "flexhooks.testing.canned_transport"
local urls = require "flexhooks.url"

local M = {}

--- A transport that answers from a list; see
-- `flexhooks.testing.canned_transport`.
M.transport = canned.new

-- What a fresh event has in each field; SIDs that differ from event to event
-- carry its number.
local FIXED = {
  AccountSid = "AC" .. ("0"):rep(31) .. "1",
  InstanceSid = "GO" .. ("0"):rep(31) .. "1",
  MediaChannelType = "web",
  ChannelStatus = "active",
  ParticipantType = "agent",
  ParticipantStatus = "open",
  ErrorCode = 45600,
  ErrorMessage = "The channel could not be created",
}

local made = 0

--- A plausible event, with SIDs of its own.
---@param name string an event's name or alias
---@param fields table<string, any>? replace what is there; `false` removes
---@return table event
function M.event(name, fields)
  local canonical = events.check("testing.event", name)
  if fields ~= nil and type(fields) ~= "table" then
    errors.raise(2, "testing.event: argument 2 must be table, got "
      .. type(fields))
  end
  made = made + 1
  local event = {}
  for field, rule in pairs(events.fields(canonical)) do
    event[field] = FIXED[field]
      or rule.sid and rule.sid[1] .. ("%032x"):format(made)
  end
  event.EventType = canonical
  for field, value in pairs(fields or {}) do
    event[field] = value or nil
  end
  return event
end

--- A whole context, as a receiver gives it.
---@param fields table<string, any>? replace what is there
---@return flexhooks.Context
function M.context(fields)
  if fields ~= nil and type(fields) ~= "table" then
    errors.raise(2, "testing.context: argument 1 must be table, got "
      .. type(fields))
  end
  return contexts.fill(tables.merged(fields), {})
end

-- { name, value } pairs in the order of the names; a list gives several.
local function pairs_of(event)
  local list, wrong = urls.pairs(event)
  if not list then
    errors.raise(3, "testing.request: field " .. wrong .. "; for what no form "
      .. "can carry give content_type = 'application/json'")
  end
  return list
end

local function as_params(list)
  local params = {}
  for _, pair in ipairs(list) do
    local values = params[pair[1]] or {}
    values[#values + 1] = pair[2]
    params[pair[1]] = values
  end
  return params
end

local function with_query(url, query)
  return url .. (url:find("?", 1, true) and "&" or "?") .. query
end

-- Builders give the signature, the URL as requested and the body.
local BUILDERS = {}

function BUILDERS.form(key, url, event)
  local list = pairs_of(event)
  return key:sign(url, as_params(list)), url, core.encode_form(list)
end

function BUILDERS.query(key, url, event)
  url = with_query(url, core.encode_form(pairs_of(event)))
  return key:sign(url), url, ""
end

function BUILDERS.json(key, url, event)
  local body, wrong = json.encode(event)
  if not body then
    errors.raise(3, "testing.request: the event cannot be sent: " .. wrong)
  end
  url = with_query(url, "bodySHA256=" .. core.sha256(body))
  return key:sign(url), url, body
end

local SPEC = {
  auth_token = { type = "string" },
  shared_key = { type = "string" },
  shared_key_id = { type = "string" },
  algorithm = { type = "string" },
  url = { type = "string", required = true, check = function(value)
    local _, wrong = urls.parse_http(value)
    return wrong and "is no URL: " .. wrong
  end },
  method = { type = "string", default = "POST", one_of = { "POST", "GET" } },
  content_type = { type = "string",
    default = "application/x-www-form-urlencoded; charset=UTF-8" },
  idempotency_token = { type = "string" },
  headers = { type = "table", default = {} },
}

local function token()
  return core.hex(core.random(16)):gsub(
    "^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)", "%1-%2-%3-%4-")
end

local function builder_of(o)
  if o.method == "GET" then
    return BUILDERS.query
  end
  local kind = requests.content_kind(o.content_type)
  if not kind then
    errors.raise(3, "testing.request: option 'content_type' must be a form or "
      .. "JSON; give another one in 'headers'")
  end
  return BUILDERS[kind]
end

-- The one key that signs, and the settings header that goes with it.
local function signer(o)
  local keys, wrong = shared_keys.of_options(o)
  if wrong then
    errors.raise(3, "testing.request: " .. wrong)
  end
  local id, shared = next(keys)
  if not id and not o.auth_token then
    errors.raise(3, "testing.request: option 'auth_token' is missing, and so "
      .. "is a shared key")
  elseif not id then
    return core.key(o.auth_token)
  elseif o.auth_token then
    errors.raise(3, "testing.request: give auth_token or shared_key, not both")
  end
  return core.key(shared.secret, shared.algorithm),
    settings_header.write(id, shared.algorithm)
end

local function headers_of(o, signature, settings)
  local headers = {
    ["X-Twilio-Signature"] = signature,
    [settings_header.NAME] = settings,
    ["I-Twilio-Idempotency-Token"] = o.idempotency_token or (token()),
    ["Content-Type"] = o.method == "POST" and o.content_type or nil,
    ["User-Agent"] = "TwilioProxy/1.1",
  }
  for name, value in pairs(o.headers) do
    headers[name] = value or nil
  end
  return headers
end

--- A signed request, for `receiver:handle`.
---@param event table an event; with JSON also a list of events
---@param given { auth_token: string?, shared_key: string?, shared_key_id:
--- string?, algorithm: string?, url: string, method: string?,
--- content_type: string?, idempotency_token: string?, headers: table? } a
--- shared key signs in place of the token, with HMAC_SHA256 unless `algorithm`
--- is HMAC_SHA1; `headers` replace what is there, under the same spelling;
--- `false` removes
---@return { method: string, target: string, headers: table, body: string }
function M.request(event, given)
  if type(event) ~= "table" then
    errors.raise(2, "testing.request: argument 1 must be an event, got "
      .. type(event))
  end
  local o = options.check("testing.request", SPEC, given)
  local url = o.url:gsub("#.*$", "")
  local build = builder_of(o)
  local key, settings = signer(o)
  local signature, requested, body = build(key, url, event)
  local path, query = requests.split_target(requested)
  return {
    method = o.method,
    target = path .. (query and "?" .. query or ""),
    headers = headers_of(o, signature, settings),
    body = body,
  }
end

return M
