--- What a client and its resources share: who calls, from where, how fast.
-- @module flexhooks.client.requester

local responses = require "flexhooks.client.response"
local auth = require "flexhooks.client.auth"
local encode = require "flexhooks.client.encode"
local errors = require "flexhooks.error"
local attempts = require "flexhooks.client.attempts"
local single_flight = require "flexhooks.runtime.single_flight"
local runtime = require "flexhooks.runtime.current"
local ids = require "flexhooks.util.ids"
local log = require "flexhooks.log"
local rate_limits = require "flexhooks.client.rate_limit"
local retry = require "flexhooks.client.retry"
local settings = require "flexhooks.client.settings"
local tables = require "flexhooks.util.tables"
local url = require "flexhooks.url"

local M = {}

---@class flexhooks.Session
local Session = { __name = "flexhooks.client.requester" }
Session.__index = Session

-- Our own transport is made when the first request needs it.
local function lazy_transport(set)
  local transport, own = set.transport, nil
  local function get()
    if not transport then
      own = runtime.transport {
        max_response = set.max_response,
        proxy = set.proxy,
        ca_file = set.ca_file,
        private_addresses = set.private_addresses,
      }
      transport = own
    end
    return transport
  end
  local function close()
    if own and own.close then
      own:close()
    end
  end
  return get, close
end

local REFUSED = { [400] = true, [401] = true, [403] = true }

-- Asking twice for a token does no harm, so a lost answer is no reason to
-- fail.
local function fetch_token(self, form)
  local body, content_type = encode.body { form = form }
  local answer, err = self:send({
    method = "POST",
    url = self.token_url,
    body = body,
    content_type = content_type,
    repeatable = true,
    unauthenticated = true,
  }, {})
  if err and REFUSED[err.status] then
    err.kind = "auth"
  end
  return answer, err
end

local function make_auth(self, credential)
  if not credential.oauth then
    return auth.basic(credential)
  end
  return auth.oauth(credential, function(form)
    return fetch_token(self, form)
  end)
end

--- Makes a session of checked settings.
---@param set table from `flexhooks.client.settings`
---@return flexhooks.Session? session
---@return string? wrong
function M.new(set)
  local transport, close_transport = lazy_transport(set)
  local self = setmetatable({
    timeout = set.timeout,
    max_retries = set.max_retries,
    token_url = set.token_url,
    base_url = set.base_url,
    origin = set.origin,
    instance_sid = set.instance_sid,
    discovery = single_flight.new(),
    close_transport = close_transport,
  }, Session)
  local wrong
  self.auth, wrong = make_auth(self, set.credential)
  self.redact = function(value)
    return self.auth:redact(value)
  end
  self.line = {
    transport = transport,
    pacing = rate_limits.new(set.rate_limit),
    connect_timeout = set.connect_timeout,
    max_response = set.max_response,
    log = set.logger and log.wrap(set.logger),
    active = 0,
    closed = false,
    release = function()
      self.auth:close()
    end,
  }
  return self.auth and self, wrong
end

local DEFAULTS = { ["User-Agent"] = "flexhooks (" .. _VERSION .. ")",
  Accept = "application/json" }

-- The headers of a request that has none of its own; shared by all of these.
local function default_headers(content_type)
  if content_type then
    return tables.merged(DEFAULTS, { ["Content-Type"] = content_type })
  end
  return DEFAULTS
end

--- Completes a request and runs it to its end.
---@param request table method, url, body, content_type, headers, repeatable,
--- unauthenticated
---@param call table timeout, max_retries; the client's where absent
---@return table? answer
---@return flexhooks.Error? err
function Session:send(request, call)
  request.path, request.endpoint = encode.endpoint(request.method, request.url)
  request.timeout = call.timeout or self.timeout
  request.max_retries = call.max_retries or self.max_retries
  if not request.headers then
    request.headers = default_headers(request.content_type)
  elseif request.content_type then
    request.headers = encode.headers(request.headers,
      { ["Content-Type"] = request.content_type })
  end
  request.auth = not request.unauthenticated and self.auth or nil
  if request.repeatable == nil then
    request.repeatable = retry.repeatable(request.method)
  end
  request.redact = self.redact
  return attempts.run(self.line, request)
end

--- A request of the user's own: checks what `client:request` was given.
---@return table? request
---@return string? wrong
function M.request(self, method, target, given)
  local address, wrong = encode.target(target, self)
  if not address then
    return nil, "argument 2 " .. wrong
  end
  local body, content_type
  body, content_type, wrong = encode.body(given)
  if wrong then
    return nil, wrong
  end
  local query
  query, wrong = encode.pairs(given.query or {})
  if not query then
    return nil, "option 'query': " .. wrong
  end
  local headers
  if given.headers then
    headers, wrong = encode.headers(given.headers, DEFAULTS)
    if not headers then
      return nil, "option 'headers': " .. wrong
    end
  end
  return { method = method, url = encode.with_query(address, query),
    body = body, content_type = content_type, headers = headers }
end

--- A call of the resources: its answer must be a JSON object.
---@param request table method, path below base_url or url, query (pairs),
--- body, content_type
---@param call table timeout, max_retries
---@return table|true|nil data true for DELETE
---@return table|flexhooks.Error answer
function Session:call(request, call)
  request.url = encode.with_query(request.url or self.base_url .. request.path,
    request.query or {})
  local answer, err = self:send(request, call)
  if not answer then
    return nil, err
  end
  if request.method == "DELETE" then
    return true, answer
  end
  local data, unreadable = responses.body(answer, true)
  if type(data) ~= "table" then
    err = unreadable or errors.new("protocol",
      "the answer is not a JSON object")
    return nil, responses.blame(err, request, answer)
  end
  return data, answer
end

--- The URL that a server's link leads to, if it is on our own origin.
---@param link string absolute, or a path
---@return string? url
function Session:own(link)
  if link:find "[^\33-\126]" or link:find "[\\#]" then
    return nil
  end
  if link:find "^/[^/]" then
    return self.origin .. link
  end
  local parts = url.parse_http(link)
  if not parts or parts.user or settings.origin(parts) ~= self.origin then
    return nil
  end
  -- Written as our own are, so that one page has one URL.
  local path = link:match "^%a+://[^/?]*(/.*)$"
  return path and self.origin .. path
end

local valid_instance = ids.sid "GO"

-- GET /v1/Configuration, the only call that knows the instance.
local function discover(self, call)
  local request = { method = "GET", path = "/v1/Configuration" }
  local data, answer = self:call(request, call)
  if not data then
    return nil, answer
  end
  local wrong = valid_instance(data.flex_instance_sid)
  if wrong then
    return nil, responses.blame(errors.new("protocol",
      "flex_instance_sid in the answer " .. wrong), request, answer)
  end
  return data.flex_instance_sid
end

--- The Flex instance: the configured one, else asked once of the API.
---@param call table timeout, max_retries
---@return string? instance_sid
---@return flexhooks.Error? err
function Session:instance(call)
  if self.instance_sid then
    return self.instance_sid
  end
  return self.discovery:keep(function()
    return discover(self, call)
  end)
end

--- Closes the connections, and wipes the secrets once nothing needs them.
function Session:close()
  local line = self.line
  if line.closed then
    return
  end
  line.closed = true
  self.close_transport()
  if line.active == 0 then
    line.release()
  end
end

return M
