--- What a client is made of: its options and the environment, checked.
--
-- Nothing here does I/O. Credentials and the instance come from the
-- environment only when no credential was given and the account is absent or
-- the same: a script for one account never uses the token of another by
-- accident.
-- @module flexhooks.client.settings

local ascii = require "flexhooks.util.ascii"
local core = require "flexhooks.core"
local ids = require "flexhooks.util.ids"
local options = require "flexhooks.util.options"
local url = require "flexhooks.url"

local M = {}

local DEFAULT_BASE = "https://flex-api.twilio.com"
local TOKEN_PATH = "/v2/token"
local TOKEN_URL = "https://oauth.twilio.com" .. TOKEN_PATH

-- One label of a host name: nothing in it can end the host.
local function label(value)
  if #value > 63 or not value:find "^%w[%w%-]*$" or value:find "%-$" then
    return "must be one host label, such as ie1"
  end
end

local function positive(value)
  if value <= 0 then
    return "must be more than 0"
  end
end

local function rate(value)
  if value == true or value ~= false and value <= 0 then
    return "must be more than 0, or false"
  end
end

local function sender(value)
  local ok, send = pcall(function()
    return value.send
  end)
  if not ok or type(send) ~= "function" then
    return "must have a method 'send'"
  end
end

local SPEC = {
  account_sid = { type = "string", check = ids.sid "AC" },
  auth_token = { type = "string" },
  api_key = { type = "string", check = ids.sid "SK" },
  api_secret = { type = "string" },
  client_id = { type = "string" },
  client_secret = { type = "string" },
  instance_sid = { type = "string", check = ids.sid "GO" },
  region = { type = "string", check = label },
  edge = { type = "string", check = label },
  base_url = { type = "string" },
  token_url = { type = "string" },
  timeout = { type = "number", check = positive, max = 86400, default = 30 },
  connect_timeout = { type = "number", check = positive, max = 86400,
    default = 10 },
  max_retries = { type = "integer", min = 0, max = 100, default = 3 },
  rate_limit = { type = { "number", "boolean" }, check = rate, default = 20 },
  max_response = { type = "integer", min = 1, max = 2 ^ 53,
    default = 4 * 1024 * 1024 },
  proxy = { type = "string", check = url.proxy_complaint },
  ca_file = { type = "string" },
  private_addresses = { type = "boolean" },
  logger = { type = "function" },
  transport = { type = { "table", "userdata" }, check = sender },
}

-- The three ways to prove who is calling: the user's name, then the secret.
local SCHEMES = {
  { user = "account_sid", secret = "auth_token" },
  { user = "api_key", secret = "api_secret" },
  { user = "client_id", secret = "client_secret", oauth = true },
}
local CREDENTIALS = { "auth_token", "api_key", "api_secret", "client_id",
  "client_secret" }

local CREDENTIAL_ENV = {
  account_sid = "TWILIO_ACCOUNT_SID",
  auth_token = "TWILIO_AUTH_TOKEN",
  api_key = "TWILIO_API_KEY",
  api_secret = "TWILIO_API_SECRET",
  instance_sid = "FLEX_INSTANCE_SID",
}
local PLACE_ENV = {
  region = "TWILIO_REGION",
  edge = "TWILIO_EDGE",
  base_url = "FLEXHOOKS_BASE_URL",
}

local function environment(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

-- Fills what is absent from the environment; a wrong value is a setting that
-- is wrong, named by its variable.
local function fill(settings, variables)
  for name, variable in pairs(variables) do
    local value = settings[name] == nil and environment(variable)
    if value then
      local wrong = SPEC[name].check and SPEC[name].check(value)
      if wrong then
        return nil, variable .. " " .. wrong, "config"
      end
      settings[name] = value
      settings.variable[name] = variable
    end
  end
  return true
end

local function credential_given(settings)
  for _, name in ipairs(CREDENTIALS) do
    if settings[name] then
      return true
    end
  end
  return false
end

-- Half an API key in the environment is a slip, whatever else is there.
local function half_key(settings)
  local key, secret = CREDENTIAL_ENV.api_key, CREDENTIAL_ENV.api_secret
  if settings.api_key and not settings.api_secret then
    return key .. " is set, but " .. secret .. " is not"
  elseif settings.api_secret and not settings.api_key then
    return secret .. " is set, but " .. key .. " is not"
  end
end

local function read_environment(settings)
  settings.variable = {}
  local ok, wrong, kind = fill(settings, PLACE_ENV)
  if not ok then
    return nil, wrong, kind
  end
  local account = environment(CREDENTIAL_ENV.account_sid)
  if credential_given(settings)
    or settings.account_sid and settings.account_sid ~= account then
    return true
  end
  settings.same_account = account ~= nil
  wrong = select(2, fill(settings, CREDENTIAL_ENV))
  wrong = wrong or half_key(settings)
  if wrong then
    return nil, wrong, "config"
  end
  -- A receiver needs the token in the environment even where an API key is
  -- there for the calls; the key is the narrower right.
  if settings.api_key then
    settings.auth_token = nil
  end
  return true
end

-- What is wrong with a user name or a secret, never showing it.
local function secret_complaint(value)
  if value == "" then
    return "must not be empty"
  end
  if #value > 1024 then
    return "must not be longer than 1024 bytes"
  end
  if value:find "[^\33-\126]" then
    return "must not hold spaces, control characters or non-ASCII bytes"
  end
  if value:find(":", 1, true) then
    return "must not hold a colon"
  end
end

local NO_CREDENTIAL = "no credential: give auth_token, or api_key and "
  .. "api_secret, or client_id and client_secret (or set TWILIO_ACCOUNT_SID "
  .. "and TWILIO_AUTH_TOKEN)"
local OTHER_ACCOUNT = "no credential for this account_sid: give one (the "
  .. "environment's are not used: TWILIO_ACCOUNT_SID is another or absent)"
local NO_SECRET = "no credential: TWILIO_ACCOUNT_SID is set, but "
  .. "TWILIO_AUTH_TOKEN is not, nor are TWILIO_API_KEY and TWILIO_API_SECRET"

local function no_credential(settings)
  if settings.same_account then
    return NO_SECRET
  end
  return settings.account_sid and OTHER_ACCOUNT or NO_CREDENTIAL
end

local function missing(settings, name)
  if name == "account_sid" and settings.variable.auth_token then
    return "account_sid is missing: TWILIO_AUTH_TOKEN is set, but "
      .. "TWILIO_ACCOUNT_SID is not"
  end
  return name .. " is missing"
end

-- The one scheme that was given, whole; or nil and what is missing.
local function choose_scheme(settings)
  local chosen
  for _, scheme in ipairs(SCHEMES) do
    local named = scheme.user ~= "account_sid" and settings[scheme.user]
    if named or settings[scheme.secret] then
      if chosen then
        return nil, "give one credential, not both " .. chosen.secret
          .. " and " .. scheme.secret
      end
      chosen = scheme
    end
  end
  if not chosen then
    return nil, no_credential(settings)
  end
  for _, name in ipairs { chosen.user, chosen.secret } do
    if not settings[name] then
      return nil, missing(settings, name)
    end
    local wrong = secret_complaint(settings[name])
    if wrong then
      return nil, (settings.variable[name] or name) .. " " .. wrong
    end
  end
  return chosen
end

-- From here on the secret is in wiped memory only.
local function take_credential(settings)
  local scheme, wrong = choose_scheme(settings)
  if not scheme then
    return nil, wrong, "config"
  end
  local secret, kind, message = core.secret(settings[scheme.secret])
  if not secret then
    return nil, scheme.secret .. ": " .. message, kind
  end
  settings.credential = {
    name = scheme.secret,
    user = settings[scheme.user],
    secret = secret,
    oauth = scheme.oauth,
  }
  for _, name in ipairs(CREDENTIALS) do
    settings[name] = nil
  end
  return true
end

-- product[.edge][.region].twilio.com with the edge and region put in; one
-- label after the product is a region. Other hosts stay as they are.
local function regional(host, edge, region)
  local prefix = host:match "^(.+)%.twilio%.com$"
  if not prefix or not (edge or region) then
    return host
  end
  local product, second, third = prefix:match "^([^.]+)%.?([^.]*)%.?([^.]*)$"
  if not product then
    return host
  end
  local had_region = third ~= "" and third or second ~= "" and second or nil
  local had_edge = third ~= "" and second or nil
  local labels = { product }
  labels[#labels + 1] = edge or had_edge
  labels[#labels + 1] = region or had_region or "us1"
  return table.concat(labels, ".") .. ".twilio.com"
end

local DEFAULT_PORTS = { http = 80, https = 443 }

--- scheme://host[:port] of a parsed URL, the form in which origins compare.
---@param parts table from `flexhooks.url`
---@return string
function M.origin(parts)
  local origin = ascii.lower(parts.scheme) .. "://" .. ascii.lower(parts.host)
  local port = parts.port
  if port and port ~= DEFAULT_PORTS[ascii.lower(parts.scheme)] then
    origin = origin .. ":" .. port
  end
  return origin
end

-- A URL that credentials may be sent to: nothing in it but where it is.
local function endpoint(text)
  local parts, wrong = url.parse_http(text)
  if not parts then
    return nil, wrong
  end
  if parts.user then
    return nil, "the URL must not hold a user name or password"
  end
  if parts.query or parts.fragment then
    return nil, "the URL must not hold a query or fragment"
  end
  return parts
end

local function read_base(settings)
  local given = settings.base_url or DEFAULT_BASE
  local parts, wrong = endpoint(given)
  if not parts then
    local variable = settings.variable.base_url
    wrong = (variable or "base_url") .. ": " .. wrong
    return nil, wrong, variable and "config"
  end
  parts.host = regional(ascii.lower(parts.host), settings.edge,
    settings.region)
  settings.origin = M.origin(parts)
  settings.base_url = settings.origin .. (parts.path or ""):gsub("/+$", "")
  return true
end

local function is_twilio(settings)
  return settings.origin:find "^https://[%w%-.]+%.twilio%.com$" ~= nil
end

-- A base URL outside of Twilio stands in for Twilio whole, tokens included.
local function read_token_url(settings)
  local given = settings.token_url
  if given then
    local _, wrong = endpoint(given)
    return not wrong, wrong and "token_url: " .. wrong
  end
  settings.token_url = is_twilio(settings) and TOKEN_URL
    or settings.origin .. TOKEN_PATH
  return true
end

-- Twilio's names are public; whatever else stands in may be anywhere.
local function choose_addresses(settings)
  if settings.private_addresses == nil then
    settings.private_addresses = not is_twilio(settings)
  end
  return true
end

local function check_transport(settings)
  if settings.transport then
    for _, name in ipairs { "proxy", "ca_file", "private_addresses" } do
      if settings[name] ~= nil then
        return nil, "option '" .. name .. "' belongs to the transport of our "
          .. "own; give it to yours"
      end
    end
  end
  return true
end

--- Checks a client's options; raises at the caller of the public function for
-- a wrong type or an unknown option.
---@param given table?
---@return table? settings options, `credential` (name, user, secret, oauth),
--- `origin`, `base_url` without a slash at its end, `token_url`
---@return string? wrong what is wrong otherwise
---@return string? kind of the error to raise
function M.read(given)
  local settings = options.check("flexhooks.client", SPEC, given, 2)
  for _, step in ipairs { check_transport, read_environment, read_base,
    read_token_url, choose_addresses, take_credential } do
    local ok, wrong, kind = step(settings)
    if not ok then
      return nil, wrong, kind
    end
  end
  return settings
end

return M
