--- The simulated API: a request in, an answer out, no sockets.
-- @module flexhooks.simulator.api

local ascii = require "flexhooks.util.ascii"
local accounts = require "flexhooks.simulator.accounts"
local api_error = require "flexhooks.simulator.api_error"
local fields = require "flexhooks.simulator.fields"
local form = require "flexhooks.simulator.form"
local interactions = require "flexhooks.simulator.interactions"
local json = require "flexhooks.json"
local channel_resources = require "flexhooks.simulator.channel_resources"
local rules = require "flexhooks.simulator.rules"
local serializers = require "flexhooks.simulator.serializers"
local webhooks = require "flexhooks.simulator.webhooks"

local M = {}

local function configuration(call)
  return 200, {
    account_sid = call.account.sid,
    flex_instance_sid = call.account.instance_sid,
    status = "ok",
    attributes = json.null,
    runtime_domain = "https://flex.twilio.com",
    service_version = "1.0",
    ui_version = "1.0",
    url = call.base .. "/v1/Configuration",
  }
end

-- Every event raised and every delivery made, for whoever checks a receiver.
local function journal(call)
  return 200, serializers.journal(call.journal(call.account.sid))
end

local ROUTES = {
  { "/v1/Configuration", GET = configuration },
  { "/simulator/journal", GET = journal },
}
for _, part in ipairs { webhooks, interactions, channel_resources, rules } do
  for _, route in ipairs(part.routes) do
    ROUTES[#ROUTES + 1] = route
  end
end

---@class flexhooks.simulator.Api
local Api = { __name = "flexhooks.simulator.api" }
Api.__index = Api

---@param parts table `world`, `accounts`, `limiter`, `chaos`, `ids`, `now`,
-- `begin` and `invited` (called for a new interaction and a new invite),
-- `journal` (gives an account's events, deliveries and whether more is
-- pending), `shape` of errors, `shared_key` that signs deliveries
function M.new(parts)
  return setmetatable({ parts = parts, requests = 0 }, Api)
end

local function find_route(path)
  for _, route in ipairs(ROUTES) do
    local captures = { path:match("^" .. route[1] .. "$") }
    if captures[1] then
      return route, captures
    end
  end
end

-- What the body holds, by the route's own idea of it.
local function read_body(call, route, request)
  if request.method ~= "POST" then
    return
  end
  local kind = ascii.lower((request.content_type or ""):match("^[^;%s]*"))
  if route.json then
    call.json = fields.object("The body", request.body)
  elseif request.body ~= "" and kind ~= "application/x-www-form-urlencoded"
  then
    api_error.throw(415, 20415, "The body must be form-encoded")
  end
  call.form = form.parse(not route.json and request.body or nil)
end

-- Refusals that come before any operation. A 429 was never processed.
local function admit(self, request, route)
  local parts = self.parts
  local account = parts.accounts:authenticate(request.authorization)
  if not account then
    api_error.throw(401, 20003, "Authenticate")
  end
  if not route then
    api_error.not_found(request.path)
  elseif not route[request.method] then
    api_error.throw(405, 20004, "Method not allowed")
  end
  local endpoint = request.method .. route[1] .. account.sid
  if not parts.limiter:take(endpoint)
    or parts.chaos:strikes("throttle", tostring(self.requests)) then
    local refusal = api_error.new(429, 20429, "Too Many Requests")
    refusal.retry_after = 1
    error(refusal, 0)
  end
  return account
end

local function operate(self, request)
  local route, captures = find_route(request.path)
  local account = admit(self, request, route)
  local parts = self.parts
  local call = {
    account = account,
    world = parts.world,
    begin = parts.begin,
    invited = parts.invited,
    journal = parts.journal,
    shared_key = parts.shared_key,
    path = request.path,
    base = request.origin,
    query = form.parse(request.query),
    date = os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(parts.now())),
  }
  read_body(call, route, request)
  return route[request.method](call, (table.unpack or unpack)(captures))
end

-- OAuth's endpoint: its errors have a shape of their own.
local function token(self, request)
  local wanted = form.parse(request.body)
  local bearer = wanted:get("grant_type") == "client_credentials"
    and self.parts.accounts:grant(wanted:get("client_id"),
      wanted:get("client_secret"))
  if not bearer then
    return 401, { error = "invalid_client" }
  end
  return 200, { access_token = bearer, token_type = "Bearer",
    expires_in = accounts.TOKEN_LIFE }
end

local HTML = "<html><body><h1>503 Service Unavailable</h1></body></html>\n"

local function answer(self, status, body, content_type)
  if type(body) == "table" then
    body = json.encode(body)
  end
  return {
    status = status,
    body = body or "",
    headers = {
      ["content-type"] = body and (content_type or "application/json") or nil,
      ["twilio-request-id"] = self.parts.ids:sid("RQ"),
      ["twilio-concurrent-requests"] = "1",
    },
  }
end

local function refuse(self, refusal, path)
  if not api_error.is(refusal) then
    error(refusal, 0)
  end
  local response = answer(self, refusal.status,
    api_error.body(refusal, self.parts.shape or "classic", path))
  if refusal.retry_after then
    response.headers["retry-after"] = tostring(refusal.retry_after)
  elseif refusal.status == 401 then
    response.headers["www-authenticate"] = 'Basic realm="Twilio API"'
  end
  return response
end

--- Answers one request.
---@param request table `method`, `path`, `query` (raw), `body`,
-- `authorization`, `content_type`, `origin` (scheme and
-- authority of the answers' addresses)
---@return table response `status`, `headers` (lower-case names), `body`
function Api:handle(request)
  self.requests = self.requests + 1
  if self.parts.chaos:strikes("outage", tostring(self.requests)) then
    return answer(self, 503, HTML, "text/html")
  end
  local operation = operate
  if request.path == "/v2/token" and request.method == "POST" then
    operation = token
  end
  local ok, status, body = pcall(operation, self, request)
  if not ok then
    return refuse(self, status, request.path)
  end
  return answer(self, status, body)
end

return M
