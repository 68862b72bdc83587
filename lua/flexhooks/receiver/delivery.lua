--- What becomes of a delivery whose signature held: its events are stored, or
-- claimed and handled, or kept as what could not be read.
-- @module flexhooks.receiver.delivery

local outcomes = require "flexhooks.receiver.outcomes"
local contexts = require "flexhooks.router.context"
local events = require "flexhooks.events"
local handler_errors = require "flexhooks.router.handler_error"
local runtime = require "flexhooks.runtime.current"
local json_body = require "flexhooks.receiver.json_body"
local routers = require "flexhooks.router"
local tables = require "flexhooks.util.tables"

local raised = handler_errors.raised

local M = {}

--- The type of an event that only asks whether a signed event arrives: it is
-- answered and goes no further.
M.PROBE = "flexhooks.probe"

local function is_foreign(self, account)
  return account ~= nil and self.account_sid ~= nil
    and account ~= self.account_sid
end

local function count(self, name, label)
  if self.metrics then
    self.metrics:inc(name, label)
  end
end

-- Did the same signed bytes come before? Under their own token they are a
-- re-delivery and go no further than that; so this tells those under another.
local function is_possible_replay(self, signature)
  return self.signatures and self.signatures:has(signature) or false
end

local function remember(self, signature)
  if self.signatures then
    self.signatures:add(signature)
  end
end

local function run_with_client(self, event, context, due)
  context.client = contexts.client(self.client, event, due)
  return routers.run(self.router, event, context, due)
end

local function report_failure(self, event, context, err)
  local first = err.errors and err.errors[1] or err
  self.log("error", "an event was not handled", {
    id = context.id, EventType = event.EventType,
    InteractionSid = event.InteractionSid,
    error = err.message, traceback = first.traceback,
  })
end

-- Runs the handlers and settles the claim, before anything that could raise.
-- Returns whether they succeeded.
local function handle_claimed(self, event, context, due, claim)
  local metrics, run, whom = self.metrics, routers.run, self.router
  if self.client then
    run, whom = run_with_client, self
  end
  local began = metrics and runtime.clock()
  local called, ok, err = xpcall(run, raised, whom, event, context, due)
  local handled = called and ok == true
  if claim then
    self.claims:settle(claim, handled)
  end
  if metrics then
    metrics:observe(runtime.clock() - began, handled and "handled" or "failed")
  end
  if not handled then
    report_failure(self, event, context, called and err or ok)
  end
  return handled
end

-- Handles one event until `due`. Returns the answer that it deserves.
local function handle(self, event, context, due, token_key, twin_key)
  local claim, cut, kind
  if token_key or twin_key then
    claim, cut, kind = self.claims:claim(token_key, twin_key, context.source,
      self.handler_timeout)
    if cut then
      return outcomes.unavailable, "not_claimed", cut
    elseif not claim then
      count(self, "duplicate", kind)
      return outcomes.ok
    end
  end
  local handled = handle_claimed(self, event, context, due, claim)
  return handled and outcomes.ok or outcomes.failed
end

--- The answer to items that were stored, or were not.
---@param self flexhooks.Receiver
---@param items flexhooks.Item[] each with its `verdict`
---@param err flexhooks.Error|false why they were not
---@return table answer
---@return string? reason where it is refused
---@return any cause
function M.stored(self, items, err)
  if err then
    return outcomes.unavailable, "not_stored", err
  end
  remember(self, items[1].signature)
  for i = 1, #items do
    local item = items[i]
    if item.verdict == "duplicate" then
      count(self, "duplicate", "stored")
    elseif item.event then
      count(self, "stored")
    else
      count(self, "dead", "malformed")
    end
  end
  return outcomes.ok
end

--- Stores items and waits until they are.
---@return table answer
---@return string? reason where it is refused
---@return any cause
function M.store(self, items)
  local ok, verdicts = self.queue:store(items, self.rule)
  if ok then
    for i, item in ipairs(items) do
      item.verdict = verdicts[i]
    end
  end
  return M.stored(self, items, not ok and verdicts)
end

-- All that a query carried: the configured part, and the event's fields as
-- they came.
local function query_of(route, fields)
  return tables.merged(route.query_fields, fields)
end

--- Takes the fields of a verified form or query. With a queue the answer is
-- nil, and what comes second is a list of items to be stored.
---@param self flexhooks.Receiver
---@param route table that verified them
---@param fields table<string, string|string[]> fresh; they become the event
---@param raw string the bytes they came in
---@param signature string
---@param is_query boolean
---@param id string? that re-deliveries share; nil where no token came
---@param twin string? what twins share; nil where there are none
---@param shape integer? of the fields, see `events.of_fields`
---@return table? answer
---@return string|flexhooks.Item[]|nil reason where it is refused
---@return any cause
function M.take_fields(self, route, fields, raw, signature, is_query, id, twin,
  shape)
  local query = is_query and query_of(route, fields) or nil
  local event, note, known = events.of_fields(fields, is_query, shape)
  if self.account_sid and is_foreign(self, json_body.account_of(fields)) then
    return outcomes.forbidden, "wrong_account"
  elseif fields.EventType == M.PROBE then
    return outcomes.ok
  end
  if self.metrics then
    self.metrics:inc("received", known or "other")
  end
  local token_key = self.rule and id
  id = id or contexts.id()
  local replay = is_possible_replay(self, signature)
  if self.queue then
    return nil, { {
      id = id, token_key = token_key, twin_key = twin, event = event,
      wire_type = event and note, raw = not event and raw or nil,
      reason = not event and note or nil, source = route.source,
      received_at = runtime.now(), query = query, signature = signature,
      possible_replay = replay or nil,
      verdict = false,
    } }
  elseif not event then
    return outcomes.malformed, "malformed", note
  end
  local context = contexts.first(id, event, route.source, note, replay,
    self.handler_timeout, self.logger)
  if query then
    context.query = query
  end
  local answer, reason, cause = handle(self, event, context,
    runtime.clock() + self.handler_timeout, token_key, twin)
  if answer == outcomes.ok and not replay then
    remember(self, signature)
  end
  return answer, reason, cause
end

-- Gives each element of a batch an identity with its place.
local function identify(self, items, batch, id, twin)
  local token_key = self.rule and id
  id = id or contexts.id()
  for i, item in ipairs(items) do
    local suffix = batch and "#" .. i or ""
    item.id = id .. suffix
    item.token_key = token_key and token_key .. suffix
    item.twin_key = twin and twin .. suffix
  end
end

-- Handles all events of a batch; the worst outcome is the answer.
local function handle_all(self, items, route, signature)
  for _, item in ipairs(items) do
    if item.reason then
      return outcomes.malformed, "malformed", item.reason
    end
  end
  local worst, reason, err = outcomes.ok, nil, nil
  local replay = is_possible_replay(self, signature)
  for _, item in ipairs(items) do
    local event = item.event
    local context = contexts.first(item.id, event, route.source,
      item.wire_type, replay, self.handler_timeout, self.logger)
    local answer, why, cause = handle(self, event, context,
      runtime.clock() + self.handler_timeout, item.token_key, item.twin_key)
    if answer.status > worst.status then
      worst, reason, err = answer, why, cause
    end
  end
  if worst == outcomes.ok then
    remember(self, signature)
  end
  return worst, reason, err
end

-- What the items of a batch to be stored have in common.
local function complete(self, items, route, signature)
  local now = runtime.now()
  local replay = is_possible_replay(self, signature) or nil
  for _, item in ipairs(items) do
    item.source, item.received_at = route.source, now
    item.signature, item.possible_replay = signature, replay
  end
  return items
end

-- What goes further than an answer.
local function without_probes(items)
  local left = {}
  for _, item in ipairs(items) do
    if not item.event or item.event.EventType ~= M.PROBE then
      left[#left + 1] = item
    end
  end
  return left
end

--- Takes a verified JSON body. With a queue it returns as `take_fields` does.
---@param self flexhooks.Receiver
---@param route table that verified it
---@param body string
---@param signature string
---@param id string? that re-deliveries share; nil where no token came
---@param twin string? what twins share; nil where there are none
---@return table? answer
---@return string|flexhooks.Item[]|nil reason where it is refused
---@return any cause
function M.take_json(self, route, body, signature, id, twin)
  local items, batch = json_body.of_json(body, self.limits)
  for _, item in ipairs(items) do
    if is_foreign(self, item.account) then
      return outcomes.forbidden, "wrong_account"
    end
  end
  identify(self, items, batch, id, twin)
  items = without_probes(items)
  for _, item in ipairs(items) do
    count(self, "received",
      item.event and events.canonical(item.event.EventType) or "other")
  end
  if #items == 0 then
    return outcomes.ok
  elseif self.queue then
    return nil, complete(self, items, route, signature)
  end
  return handle_all(self, items, route, signature)
end

return M
