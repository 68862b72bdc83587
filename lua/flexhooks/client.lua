--- A client of the Flex API.
--
--     local client = flexhooks.client {
--       account_sid = "AC…", auth_token = "…",
--     }
--     local webhook, err = client.webhooks:create { … }
--
-- Constructing does no I/O; the first call connects. One client serves any
-- number of tasks; they share its connections, its pace and its OAuth token.
-- @module flexhooks.client

local responses = require "flexhooks.client.response"
local ascii = require "flexhooks.util.ascii"
local errors = require "flexhooks.error"
local interactions = require "flexhooks.client.resources.interactions"
local log = require "flexhooks.log"
local options = require "flexhooks.util.options"
local resource = require "flexhooks.client.resources.resource"
local requesters = require "flexhooks.client.requester"
local settings = require "flexhooks.client.settings"
local webhooks = require "flexhooks.client.resources.webhooks"

local M = {}

---@class flexhooks.Client
---@field webhooks flexhooks.Webhooks
---@field interactions flexhooks.Interactions
---@field account_sid string?
---@field base_url string
local Client = { __name = "flexhooks.client" }
Client.__index = Client

-- The session's key: no name that a user could hit upon.
local SESSION = {}

local METHODS = { "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD" }

local REQUEST = {
  form = { type = "table" },
  query = { type = "table" },
  json = { type = "any" },
  body = { type = "string" },
  headers = { type = "table" },
  timeout = resource.CALL.timeout,
  max_retries = resource.CALL.max_retries,
}

-- Raises, at the caller of a method, where `self` is no client.
local function session_of(self, name)
  if type(self) ~= "table" or getmetatable(self) ~= Client then
    errors.raise(3, "client." .. name .. " is a method: call it with ':', as "
      .. "in client:" .. name .. "(…)")
  end
  return self[SESSION]
end

-- Where credentials are safe on their way.
local SAFE = { "^http://127%.%d+%.%d+%.%d+[:/]", "^http://localhost[:/]",
  "^http://%[::1%][:/]", "^https:" }

local function is_plain(url)
  for _, pattern in ipairs(SAFE) do
    if (ascii.lower(url) .. "/"):find(pattern) then
      return false
    end
  end
  return true
end

local function warn_of_plain_http(set)
  local warn = log.wrap(set.logger)
  if is_plain(set.base_url) then
    warn("warn", "base_url is plain http: credentials travel unencrypted",
      { base_url = set.base_url })
  end
  if set.credential.oauth and is_plain(set.token_url) then
    warn("warn", "token_url is plain http: credentials travel unencrypted",
      { token_url = set.token_url })
  end
end

---@class flexhooks.ClientOptions
---@field account_sid string? "AC…"
---@field auth_token string? one of the three credentials
---@field api_key string? "SK…", with `api_secret`
---@field api_secret string?
---@field client_id string? of OAuth client credentials, with `client_secret`
---@field client_secret string?
---@field instance_sid string? "GO…"; asked of the API where absent
---@field region string? one host label, as in "ie1"
---@field edge string? one host label, as in "dublin"
---@field base_url string? "https://flex-api.twilio.com"
---@field token_url string? where OAuth tokens come from
---@field timeout number? seconds for one attempt; 30
---@field connect_timeout number? seconds of it to connect; 10
---@field max_retries integer? attempts after the first; 3
---@field rate_limit number|false|nil requests a second and endpoint; 20
---@field max_response integer? bytes of an answer; 4 MiB
---@field proxy string? URL; never taken from the environment
---@field ca_file string? PEM, instead of the system's certificates
---@field private_addresses boolean? may the API's host stand for one; false
--- at Twilio, true with another `base_url`
---@field logger fun(level: string, message: string, fields: table)|nil
---@field transport table? what sends, instead of libcurl

--- Makes a client. Raises for wrong or missing settings; does no I/O.
-- What is absent comes from the environment, credentials only where none was
-- given and the account is the same.
---@param given flexhooks.ClientOptions?
---@return flexhooks.Client
function M.new(given)
  local set, wrong, kind = settings.read(given)
  local shared
  if set then
    shared, wrong = requesters.new(set)
    kind = "config"
  end
  if not shared then
    errors.raise(2, "flexhooks.client: " .. wrong, kind)
  end
  warn_of_plain_http(set)
  return setmetatable({
    account_sid = set.account_sid,
    base_url = set.base_url,
    credential = set.credential.name .. " ****",
    webhooks = webhooks.collection(shared),
    interactions = interactions.collection(shared),
    [SESSION] = shared,
  }, Client)
end

--- Calls any endpoint of Twilio's with this client's credentials, pace and
-- retries. A path is one of the Flex API; an absolute URL must be at
-- `https://*.twilio.com` or at `base_url`.
---@param method "GET"|"POST"|"PUT"|"PATCH"|"DELETE"|"HEAD"
---@param path_or_url string
---@param given table? `form`, `query` (tables of parameters), `json` (any
--- value) or `body` (text), `headers`, `timeout` (seconds for one attempt),
--- `max_retries`
---@return any body decoded JSON, or the text of anything else ("" where there
--- is no content); nil on failure
---@return table|flexhooks.Error response status, headers (lower-case names),
--- body (text), request_id, attempts
function Client:request(method, path_or_url, given)
  local shared = session_of(self, "request")
  options.argument("client:request", 1,
    { required = true, type = "string", one_of = METHODS }, method)
  local checked = options.check("client:request", REQUEST, given)
  local request, wrong = requesters.request(shared, method, path_or_url,
    checked)
  if not request then
    errors.raise(2, "client:request: " .. wrong)
  end
  local answer, err = shared:send(request, checked)
  if not answer then
    return nil, err
  end
  local body
  body, err = responses.body(answer)
  if body == nil then
    return nil, responses.blame(err, request, answer)
  end
  return body, answer
end

--- The Flex instance that this client works on: the configured one, else asked
-- of the API, once.
---@param call table? timeout, max_retries
---@return string? instance_sid
---@return flexhooks.Error? err
function Client:instance(call)
  local shared = session_of(self, "instance")
  call = options.check("client:instance", resource.CALL, call)
  return shared:instance(call)
end

--- Closes the connections and wipes the secrets. Calls under way end with an
-- error (kind `closed` or `cancelled`); later ones are refused.
function Client:close()
  session_of(self, "close"):close()
end

Client.__close = Client.close

--- Who calls whom, without the secret.
function Client:__tostring()
  return "flexhooks.client: " .. (self.account_sid or "no account_sid") .. ", "
    .. self.credential .. ", " .. self.base_url
end

return M
