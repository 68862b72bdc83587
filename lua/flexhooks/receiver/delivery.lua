--- What becomes of a delivery whose signature held: its events are stored, or
-- claimed and handled, or kept as what could not be read.
-- @module flexhooks.receiver.delivery

local answers = require "flexhooks.receiver.answers"
local contexts = require "flexhooks.context"
local core = require "flexhooks.core"
local events = require "flexhooks.events"
local failures = require "flexhooks.failure"
local host = require "flexhooks.host"
local reading = require "flexhooks.receiver.reading"

local M = {}

local function is_foreign(self, readings)
  for _, r in ipairs(self.account_sid and readings or {}) do
    if r.account and r.account ~= self.account_sid then
      return true
    end
  end
  return false
end

local function count(self, name, label)
  if self.metrics then
    self.metrics:inc(name, label)
  end
end

local function count_received(self, readings)
  for _, r in ipairs(self.metrics and readings or {}) do
    local name = r.event and events.canonical(r.event.EventType)
    self.metrics:inc("received", name or "other")
  end
end

-- What one delivery carried: id and keys of the i-th event.
local function identity(self, d, i)
  local suffix = d.batch and "#" .. i or ""
  local id = d.id .. suffix
  return id, self.rule and d.token and id or nil,
    d.twin and d.twin .. suffix or nil
end

local function store(self, d, readings)
  local items = {}
  for i, r in ipairs(readings) do
    local id, token_key, twin_key = identity(self, d, i)
    items[i] = {
      id = id, event = r.event, raw = r.raw, reason = r.wrong,
      source = d.route.source, received_at = d.received_at, wire_type = r.wire,
      query = d.query, token_key = token_key, twin_key = twin_key,
    }
  end
  local ok, verdicts = self.queue:store(items, self.rule)
  if not ok then
    return answers.unavailable, "not_stored", verdicts
  end
  for i, r in ipairs(readings) do
    if verdicts[i] == "duplicate" then
      count(self, "duplicate", "stored")
    elseif r.event then
      count(self, "stored")
    else
      count(self, "dead", "malformed")
    end
  end
  return answers.ok
end

-- The client that handlers get; a function is asked for the event's account.
local function client_of(self, event, deadline)
  if type(self.client) ~= "function" then
    return self.client
  end
  local token = host.enter(host.clock() + deadline - host.now())
  local client, err = self.client(event.AccountSid)
  host.leave(token)
  if client == nil and err ~= nil then
    error(err, 0)
  end
  return client
end

local function run(self, d, r, id)
  local event = r.event
  local context = {
    id = id, received_at = d.received_at, attempt = 1, source = d.route.source,
    wire_type = r.wire, replay = false, query = d.query,
    client = client_of(self, event, d.deadline), deadline = d.deadline,
  }
  contexts.fill(context, event, self.logger)
  return self.router:dispatch(event, context)
end

local function report_failure(self, event, id, err)
  local first = err.errors and err.errors[1] or err
  self.log("error", "an event was not handled", {
    id = id, EventType = event.EventType,
    InteractionSid = event.InteractionSid,
    error = err.message, traceback = first.traceback,
  })
end

-- Runs the handlers. Returns whether they succeeded.
local function handle_claimed(self, d, r, id)
  local began = self.metrics and host.clock()
  local called, ok, err = xpcall(run, failures.raised, self, d, r, id)
  local handled = called and ok == true
  if began then
    self.metrics:observe(host.clock() - began)
  end
  count(self, handled and "handled" or "failed")
  if not handled then
    report_failure(self, r.event, id, called and err or ok)
  end
  return handled
end

-- Handles one event of a delivery. Returns the answer that it deserves.
local function handle_one(self, d, r, i)
  local id, token_key, twin_key = identity(self, d, i)
  local claim
  if token_key or twin_key then
    local cut, kind
    claim, cut, kind = self.claims:claim(token_key, twin_key, d.route.source,
      d.deadline - host.now())
    if cut then
      return answers.unavailable, "not_claimed", cut
    elseif not claim then
      count(self, "duplicate", kind)
      return answers.ok
    end
  end
  local handled = handle_claimed(self, d, r, id)
  if claim then
    self.claims:settle(claim, handled)
  end
  return handled and answers.ok or answers.failed
end

-- Handles all events of a delivery; the worst outcome is the answer.
local function handle_all(self, d, readings)
  for _, r in ipairs(readings) do
    if r.wrong then
      return answers.malformed, "malformed", r.wrong
    end
  end
  local worst, reason, err = answers.ok, nil, nil
  for i, r in ipairs(readings) do
    local answer, why, cause = handle_one(self, d, r, i)
    if answer.status > worst.status then
      worst, reason, err = answer, why, cause
    end
  end
  return worst, reason, err
end

-- All that a query carried: the configured part, and the event's fields as
-- they came.
local function query_of(route, fields)
  local query = {}
  for name, value in pairs(route.query_fields) do
    query[name] = value
  end
  for name, value in pairs(fields) do
    query[name] = value
  end
  return query
end

--- Takes a delivery. Its identity is the token's together with what was
-- signed, so that re-deliveries share it.
---@param self flexhooks.Receiver
---@param route table that verified it
---@param kind "form"|"query"|"json"
---@param fields table|true fresh; true of JSON
---@param digest string? of what was signed
---@param token string? idempotency token
---@param query string?
---@param body string
---@return table answer
---@return string? reason where it is refused
---@return any cause
function M.take(self, route, kind, fields, digest, token, query, body)
  local d = { route = route, token = token, received_at = host.now() }
  d.deadline = d.received_at + self.handler_timeout
  local readings
  if kind == "json" then
    readings, d.batch = reading.of_json(body, self.limits)
  else
    d.query = kind == "query" and query_of(route, fields) or nil
    readings = reading.of_fields(fields, kind == "form" and body or query)
  end
  if is_foreign(self, readings) then
    return answers.forbidden, "wrong_account"
  end
  count_received(self, readings)
  d.id = token and core.sha256(token .. "\n" .. digest):sub(1, 32)
    or contexts.id()
  d.twin = self.has_twins and core.sha256(digest) or nil
  if self.queue then
    return store(self, d, readings)
  end
  return handle_all(self, d, readings)
end

return M
