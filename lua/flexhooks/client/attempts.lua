--- One call: paced, authenticated, sent, repeated where that is right.
-- @module flexhooks.client.attempts

local responses = require "flexhooks.client.response"
local errors = require "flexhooks.error"
local runtime = require "flexhooks.runtime.current"
local retry = require "flexhooks.client.retry"
local tables = require "flexhooks.util.tables"

local M = {}

---@class flexhooks.Request
---@field method string
---@field url string absolute
---@field path string for logs
---@field endpoint string what its rate is counted under
---@field headers table<string, string>
---@field body string?
---@field timeout number seconds for one attempt
---@field max_retries integer
---@field auth table? proves who is calling
---@field redact fun(value: any): any takes the secrets out of what is shown
---@field repeatable boolean may be sent again when the outcome is not known

---@class flexhooks.Line what all requests of a client share
---@field transport fun(): table
---@field pacing table
---@field connect_timeout number
---@field max_response integer
---@field log function? never raises
---@field active integer requests under way
---@field closed boolean
---@field release fun() called when a closed line has become idle

local function authorize(request, transport, sent)
  if not request.auth then
    return true
  end
  local secret, err = request.auth:authorization()
  if not secret then
    return nil, err
  end
  if transport.takes_secrets then
    sent.authorization = secret
  else
    sent.headers.Authorization = secret:reveal()
  end
  return secret
end

-- What a transport returned as its error: an error of ours, a table that says
-- as much, or only words.
local function failed(given)
  if errors.is(given) then
    return given
  end
  local told = type(given) == "table" and given or { message = given }
  local message = type(told.message) == "string" and told.message
    or "the transport failed without a reason"
  local kind = errors.is_kind(told.kind) and told.kind or "reset"
  return errors.new(kind, message, type(given) == "table" and given or nil)
end

-- Sends once. A refusal by `authorize` has been through attempts of its own:
-- it is final and passes as it is.
local function send(line, request, state)
  local transport = line.transport()
  local shared = transport.exact and transport.takes_secrets
  local sent = {
    method = request.method,
    url = request.url,
    headers = shared and request.headers or tables.merged(request.headers),
    body = request.body,
    timeout = request.timeout,
    connect_timeout = math.min(line.connect_timeout, request.timeout),
  }
  local secret, refused = authorize(request, transport, sent)
  if not secret then
    state.final, state.refused = true, true
    return nil, refused
  end
  state.secret = secret
  state.attempts = state.attempts + 1
  local given, err = transport:send(sent)
  if given == nil then
    return nil, failed(err)
  end
  return responses.normalize(given, line.max_response, transport.exact)
end

local function pace(line, request)
  local seconds = line.pacing:reserve(request.endpoint, runtime.clock())
  if seconds > 0 then
    return runtime.sleep(seconds)
  end
  return true
end

-- A token that ended early is renewed once; the refused request was not
-- processed.
local function renewed(request, state, err)
  if err.status ~= 401 or state.renewed or not request.auth then
    return false
  end
  state.renewed = true
  return request.auth:rejected(state.secret)
end

local function log_attempt(line, request, state, begun, answer, err)
  line.log(err and "warn" or "debug", "flex api request", {
    method = request.method,
    path = request.path,
    status = answer and answer.status,
    kind = err and err.kind,
    duration = runtime.clock() - begun,
    attempt = state.attempts,
  })
end

-- What became of one attempt, as an answer or an error.
local function attempt(line, request, state)
  local ok, cut = pace(line, request)
  if ok and line.closed then
    ok, cut = nil, errors.new("closed", "the client is closed")
  end
  if not ok then
    state.final = true
    return nil, cut
  end
  local begun = line.log and runtime.clock()
  local answer, err = send(line, request, state)
  if state.refused then
    return nil, err
  elseif answer then
    err = responses.error(answer, runtime.now())
  end
  if begun then
    log_attempt(line, request, state, begun, answer, err)
  end
  return not err and answer or nil, err
end

-- A DELETE that was repeated because its outcome was not known, and now finds
-- nothing, has done what it was for.
local function already_gone(request, state, err)
  return request.method == "DELETE" and state.unknown and err.status == 404
end

-- Whether to go on after a failure: waits, and says true.
local function again(line, request, state, err)
  if state.final then
    return false
  elseif renewed(request, state, err) then
    return true
  elseif state.retries >= request.max_retries
    or not retry.may_repeat(err, request.repeatable) then
    return false
  end
  local seconds = retry.wait(err, state.retries + 1, runtime.remaining())
  if not seconds then
    return false
  end
  state.retries = state.retries + 1
  if line.log then
    line.log("warn", "flex api retry", { method = request.method,
      path = request.path, kind = err.kind, status = err.status,
      attempt = state.attempts, wait = seconds })
  end
  return runtime.sleep(seconds)
end

local function finish(request, state, err)
  if state.refused then
    return err
  end
  local fields = tables.merged(err)
  fields.sent = nil
  fields.method, fields.attempts = request.method, state.attempts
  fields.url = request.url
  fields.maybe_applied = state.maybe_applied
  for _, name in ipairs { "message", "more_info", "details", "request_id" } do
    fields[name] = request.redact(fields[name])
  end
  return errors.new(err.kind, fields.message, fields)
end

-- The answers of a gateway that got none.
local GATEWAYS = { [502] = true, [504] = true }

-- Notes what a lost answer leaves open.
local function remember(request, state, err)
  if state.final then
    return
  end
  local lost = GATEWAYS[err.status] or not err.status and not retry.unsent(err)
  if lost or err.status and err.status >= 500 then
    state.unknown = true
  end
  if lost and request.method ~= "GET" and request.method ~= "HEAD" then
    state.maybe_applied = true
  end
end

local function run(line, request)
  local state = { attempts = 0, retries = 0 }
  while true do
    local answer, err = attempt(line, request, state)
    if not answer and already_gone(request, state, err) then
      answer = { status = 204, headers = {}, body = "" }
    end
    if answer then
      answer.attempts = state.attempts
      answer.request_id = responses.request_id(answer)
      return answer
    end
    remember(request, state, err)
    local going = again(line, request, state, err)
    if not going then
      return nil, finish(request, state, err)
    end
  end
end

--- Runs a request to its end.
---@param line flexhooks.Line
---@param request flexhooks.Request
---@return table? answer status, headers, body, request_id, attempts
---@return flexhooks.Error? err
function M.run(line, request)
  line.active = line.active + 1
  local answer, err = run(line, request)
  line.active = line.active - 1
  if line.closed and line.active == 0 then
    line.release()
  end
  return answer, err
end

return M
