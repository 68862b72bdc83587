--- Bytes in, answer out, no sockets: the receiver of signed deliveries.
--
-- Every host hands a request to `handle` (or its fast twin `answer`) and sends
-- what comes back. The order of the checks is the order of the documented
-- statuses, and nothing of a request becomes an event before its signature
-- held.
-- @module flexhooks.receiver

local outcomes = require "flexhooks.receiver.outcomes"
local core = require "flexhooks.core"
local dedupe = require "flexhooks.dedupe.memory"
local delivery = require "flexhooks.receiver.delivery"
local errors = require "flexhooks.error"
local handler_errors = require "flexhooks.router.handler_error"
local runtime = require "flexhooks.runtime.current"
local log = require "flexhooks.log"
local requests = require "flexhooks.receiver.request"
local settings = require "flexhooks.receiver.settings"
local tables = require "flexhooks.util.tables"
local verification = require "flexhooks.receiver.verification"

local M = {}

--- The headers that a receiver reads, in the order in which `answer` takes
-- them.
M.HEADERS = { "content-type", "content-encoding", "x-twilio-signature",
  "i-twilio-idempotency-token", "x-twilio-webhooks-signature-settings" }

--- How many of them, the last ones, are refused here if they come twice.
M.REPEATABLE = 1

local HEADER_NAMES = {}
for _, name in ipairs(M.HEADERS) do
  HEADER_NAMES[name] = true
end

---@class flexhooks.Receiver
---@field limits table the caps, for hosts that collect the body
local Receiver = { __name = "flexhooks.receiver" }
Receiver.__index = Receiver

-- The routes of a target that is more than a configured path, and its query;
-- or nil, the answer and the reason.
local function locate(self, target)
  local path, query = requests.split_target(target)
  local list = self.routes[path]
  if list then
    return list, query
  elseif target == "*" then
    return nil, self.not_allowed, "method"
  elseif requests.has_bad_escape(path) then
    return nil, outcomes.bad_escape, "bad_escape"
  end
  return nil, outcomes.not_found, "unknown_path"
end

-- How the body is to be read, or nil, the answer and the reason.
local function body_kind(self, method, body, content_type, content_encoding)
  if not self.methods[method] then
    return nil, self.not_allowed, "method"
  elseif not body or #body > self.limits.body then
    return nil, outcomes.too_large, "too_large"
  elseif method == "GET" then
    -- A signature without fields in the body does not cover one.
    if body ~= "" then
      return nil, outcomes.forbidden, "body_unsigned"
    end
    return "query"
  end
  local kind = requests.USUAL[content_type]
    or requests.content_kind(content_type)
  if not kind then
    return nil, outcomes.media_type, "content_type"
  elseif content_encoding and not requests.is_plain(content_encoding) then
    return nil, outcomes.media_type, "content_encoding"
  end
  return kind
end

-- The answer, its reason and cause; or nil and items, to be stored first.
local function judge(self, method, target, body, content_type,
  content_encoding, signature, token, signed_by)
  local list, query = self.routes[target], nil
  if not list then
    local reason
    list, query, reason = locate(self, target)
    if not list then
      return query, reason
    end
  end
  local kind, refusal, why = body_kind(self, method, body, content_type,
    content_encoding)
  if not kind then
    return refusal, why
  end
  local keys, none, err = self.keys, nil, nil
  if signed_by or not keys then
    keys, none, err = verification.choose(self, signed_by, list, kind, query,
      body, signature)
  end
  if token == "" then
    token = nil
  end
  local fields, id, twin, shape, route = verification.try(list, kind, keys,
    signature, query, body, token, self.has_twins)
  if not fields then
    return verification.refusal(id, none, err)
  end
  if kind == "json" then
    return delivery.take_json(self, route, body, signature, id, twin)
  end
  local is_query = kind == "query"
  return delivery.take_fields(self, route, fields,
    is_query and (query or "") or body, signature, is_query, id, twin, shape)
end

-- What has a queue waits until it is stored. LuaJIT cannot compile the return
-- from what xpcall called, unless that takes any number of arguments, as here:
-- then all of an event's way after its verification is one trace.
local function judge_and_store(self, ...)
  local answer, reason, cause = judge(self, ...)
  if answer then
    return answer, reason, cause
  end
  return delivery.store(self, reason)
end

-- Scanners look for paths all day; a good event that could not be taken is
-- somebody's to see to.
local LEVELS = { unknown_path = "debug", method = "debug",
  not_stored = "error", token_lookup = "error", key_lookup = "error" }

-- Tells the log, the metrics and whoever asked what was refused and why.
local function refuse(self, answer, reason, cause, request)
  if self.metrics then
    self.metrics:inc("rejected", reason)
  end
  local why = cause and tostring(cause)
  self.log(LEVELS[reason] or "warn", "a request was refused",
    { status = answer.status, reason = reason, cause = why })
  if self.on_reject then
    local message = answer.message .. (why and ": " .. why or "")
    local err = errors.new(answer.kind, message,
      { status = answer.status, reason = reason, cause = cause })
    local ok, raised = pcall(self.on_reject, err, request)
    if not ok then
      self.log("error", "on_reject failed", { error = tostring(raised) })
    end
  end
end

-- The request that `on_reject` is given where the host has none of its own.
local function request_of(method, target, body, content_type,
  content_encoding, signature, token, signed_by)
  return { method = method, target = target, body = body,
    headers = { ["content-type"] = content_type,
      ["content-encoding"] = content_encoding,
      ["x-twilio-signature"] = signature,
      ["i-twilio-idempotency-token"] = token,
      ["x-twilio-webhooks-signature-settings"] = signed_by } }
end

-- Status, headers and body of what was judged or stored.
local function conclude(self, request, called, answer, reason, cause)
  if not called then
    self.log("error", "a request could not be judged",
      { error = answer.message, traceback = answer.traceback })
    answer = outcomes.failed
  elseif answer == outcomes.ok then
    return 200
  elseif answer ~= outcomes.failed then
    refuse(self, answer, reason, cause, request)
  end
  return answer.status, answer.headers, answer.body
end

--- Answers one request: `handle` without its tables, for servers.
---@param method string
---@param target string as received: path and query, absolute form or `*`
---@param body string? nil where the host found it over `limits.body`
---@param content_type string?
---@param content_encoding string?
---@param signature string? X-Twilio-Signature
---@param token string? I-Twilio-Idempotency-Token
---@param signed_by string? X-Twilio-Webhooks-Signature-Settings
---@param request table? what `on_reject` is given; made up where absent
---@return integer status
---@return table<string, string>? headers shared: not to be changed; nil with a
--- 200, whose content type is JSON
---@return string? body nil with a 200: `{}`
function Receiver:answer(method, target, body, content_type, content_encoding,
  signature, token, signed_by, request)
  local called, answer, reason, cause = xpcall(judge_and_store,
    handler_errors.raised, self, method, target, body, content_type,
    content_encoding, signature, token, signed_by)
  if called and answer == outcomes.ok then
    return 200
  elseif self.on_reject and not request then
    request = request_of(method, target, body, content_type, content_encoding,
      signature, token, signed_by)
  end
  return conclude(self, request, called, answer, reason, cause)
end

local function reply_stored(store)
  local self = store.receiver
  store.reply(store.whom, conclude(self, store.request, xpcall(
    delivery.stored, handler_errors.raised, self, store.items, store.err)))
end

-- The log and on_reject may wait; the queue cannot.
local function when_stored(store)
  if store.err then
    runtime.spawn(reply_stored, store)
  else
    reply_stored(store)
  end
end

local function submit(self, items, reply, whom, ...)
  -- With every field there from the start the table is allocated once.
  self.queue:submit { items = items, rule = self.rule, done = when_stored,
    err = false, receiver = self, reply = reply, whom = whom,
    request = self.on_reject and request_of(...) or nil }
end

--- Answers one request by a callback: at once, or when what it brought is
-- stored, together with what others bring in the same turn of the loop. May
-- wait, but not for that; never raises.
---@param reply fun(whom: any, status: integer, headers: table?, body: string?)
-- called once, with what `answer` returns
---@param whom any
---@param ... any the request's parts, as for `answer`
function Receiver:accept(reply, whom, ...)
  if not self.queue or not self.queue.submit then
    return reply(whom, self:answer(...))
  end
  local called, answer, reason, cause = xpcall(judge,
    handler_errors.raised, self, ...)
  if called and not answer then
    called, answer = xpcall(submit, handler_errors.raised, self, reason,
      reply, whom, ...)
    if called then
      return
    end
  end
  reply(whom, conclude(self, self.on_reject and request_of(...), called,
    answer, reason, cause))
end

local function check_field(request, name, wanted, default)
  local value = request[name]
  if value == nil then
    value = default
  end
  if type(value) ~= wanted then
    errors.raise(3, ("receiver:handle: request.%s must be %s, got %s")
      :format(name, wanted, type(value)))
  end
  return value
end

--- The value of an `allow` header.
---@return string
function Receiver:allow()
  return self.not_allowed.headers.allow
end

--- Answers one request.
---@param request { method: string, target: string, headers: table?, body:
--- string? } header names in any case; a value may be a list
---@return { status: integer, headers: table<string, string>, body: string }
function Receiver:handle(request)
  if getmetatable(self) ~= Receiver then
    errors.raise(2, "receiver.handle: call it with a colon, "
      .. "receiver:handle(…)")
  end
  if type(request) ~= "table" then
    errors.raise(2, "receiver:handle: argument 1 must be a request, got "
      .. type(request))
  end
  local method = check_field(request, "method", "string")
  local target = check_field(request, "target", "string")
  local body = check_field(request, "body", "string", "")
  local given = check_field(request, "headers", "table", {})
  local picked, wrong = requests.pick_headers(given, HEADER_NAMES)
  if not picked then
    errors.raise(2, ("receiver:handle: request.headers['%s'] must be string "
      .. "or a list of strings"):format(wrong))
  end
  local status, headers, text = self:answer(method, target, body,
    picked["content-type"], picked["content-encoding"],
    picked["x-twilio-signature"], picked["i-twilio-idempotency-token"],
    picked["x-twilio-webhooks-signature-settings"], request)
  if not headers then
    headers, text = outcomes.ok.headers, outcomes.ok.body
  end
  return { status = status, headers = tables.merged(headers), body = text }
end

--- Makes a receiver. Settings that are missing raise an error of kind
-- `config`.
---@param given table see docs/handlers.md
---@return flexhooks.Receiver
function M.new(given)
  local self = settings.read(given)
  self.log = log.wrap(self.logger)
  self.logger = self.logger and self.log
  self.not_allowed = outcomes.allowing(self.method_names)
  self.dummy_keys = verification.dummy_keys()
  local rule = self.rule
  self.claims = rule and (rule.claims or dedupe.new(rule)) or nil
  self.has_twins = rule ~= nil and self.source_count > 1
  self.signatures = rule and core.recent(rule.window, rule.entries) or nil
  return setmetatable(self, Receiver)
end

--- Is `value` a receiver?
---@return boolean
function M.is(value)
  return getmetatable(value) == Receiver
end

return M
