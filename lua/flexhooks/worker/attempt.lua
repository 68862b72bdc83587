--- One event of a worker, from the beginning of an attempt to its outcome: an
-- end, another attempt later, or the dead letters.
-- @module flexhooks.worker.attempt

local contexts = require "flexhooks.router.context"
local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local handler_errors = require "flexhooks.router.handler_error"
local runtime = require "flexhooks.runtime.current"
local tables = require "flexhooks.util.tables"

local M = {}

local TRACEBACK = 4096 -- bytes kept of one
local MESSAGE = 1024
local STEP_PAUSES = { 0.1, 0.2, 0.5, 1, 2, 5 } -- seconds; then always the last

-- Sends a step until the queue has answered it: an outcome that is not written
-- down would be repeated, and a queue that is away comes back. What has not
-- begun when the worker stops need not begin.
local function step(worker, name, ref, ...)
  local consumer = worker.consumer
  local tries = 0
  ref.settling = name ~= "begin"
  while true do
    local result, err = consumer[name](consumer, ref, ...)
    if result ~= nil then
      return result
    end
    if worker.abandoned or name == "begin" and worker.stopping
      or err.kind == "cancelled" or err.kind == "closed" then
      return false
    end
    tries = tries + 1
    worker:log("error", "the queue did not take a step", { step = name,
      error = tostring(err) })
    if not runtime.sleep(STEP_PAUSES[math.min(tries, #STEP_PAUSES)]) then
      return false
    end
  end
end

local function fraction()
  local a, b = core.random(2):byte(1, 2)
  return (a * 256 + b) / 65535
end

-- Exponential, with half of it at random: retries of many interactions that
-- failed together do not come back together.
local function delay_of(worker, attempt, err)
  local wish = err.retry_after
  if type(wish) == "number" and wish == wish then
    return math.min(math.max(wish, 0), 86400)
  end
  local first, longest = worker.backoff[1], worker.backoff[2]
  local delay = math.min(first * 2 ^ math.min(attempt - 1, 60), longest)
  return delay * (0.5 + 0.5 * fraction())
end

local function tracebacks(err)
  local parts = {}
  for _, failure in ipairs(err.errors or { err }) do
    parts[#parts + 1] = failure.traceback
  end
  return table.concat(parts, "\n\n"):sub(1, TRACEBACK)
end

local function failure_of(err, attempt)
  return { attempt = attempt, at = runtime.now(), kind = err.kind,
    message = err.message:sub(1, MESSAGE), traceback = tracebacks(err) }
end

local function labels(item, extra)
  local event = item.event or {}
  return tables.merged({ id = item.id, attempt = item.attempt,
    EventType = event.EventType, InteractionSid = event.InteractionSid },
    extra)
end

-- What a handler is told; its deadline is never later than the lease's end.
local function context_of(worker, ref, item)
  local seconds = worker.handler_timeout
  local left = worker.consumer:lease_left(ref)
  local context = {
    id = item.id, received_at = item.received_at, attempt = item.attempt,
    source = item.source, wire_type = item.wire_type,
    replay = item.replay or false,
    possible_replay = item.possible_replay or false, query = item.query,
    fence = item.fence,
    deadline = runtime.now() + math.min(seconds, left or seconds),
  }
  return worker.logger and item.event
    and contexts.complete(context, item.event, worker.logger) or context
end

local function dispatch(worker, item, context)
  local seconds = context.deadline - runtime.now()
  context.client = contexts.client(worker.client, item.event,
    runtime.clock() + seconds)
  return worker.router:dispatch(item.event, context)
end

-- Runs the handlers; true, or nil and what failed.
local function try(worker, item, context)
  local ran, ok, err = xpcall(dispatch, handler_errors.raised, worker, item,
    context)
  if not ran then
    return nil, ok
  end
  return ok, err
end

-- Sends an event to the dead letters; its interaction goes on, or is parked.
local function bury(worker, ref, item, err, reason)
  local park = worker.on_exhausted == "park" and reason == "exhausted"
  local done = step(worker, "bury", ref, failure_of(err, item.attempt), reason,
    park)
  if done then
    worker.totals.dead = worker.totals.dead + 1
    worker:log("error", "event sent to the dead letters", labels(item,
      { reason = reason, error = tostring(err) }))
  end
  if done and park then
    worker.parked[ref.seq] = ref
    worker.lanes:retry(ref, math.huge)
  else
    worker.lanes:done(ref)
  end
  return done and "dead", reason
end

-- An attempt has failed: another one later, or none.
local function failed(worker, ref, item, err)
  if err.retry == false then
    return bury(worker, ref, item, err, "refused")
  elseif item.attempt >= worker.max_attempts then
    return bury(worker, ref, item, err, "exhausted")
  end
  local delay = delay_of(worker, item.attempt, err)
  local done = step(worker, "retry", ref, delay, failure_of(err, item.attempt))
  worker:log("warn", "an attempt failed", labels(item,
    { retry_in = delay, error = tostring(err) }))
  if done then
    worker.totals.retried = worker.totals.retried + 1
    worker.lanes:retry(ref, runtime.clock() + delay)
  else
    worker.lanes:done(ref)
  end
  return done and "retried"
end

-- An event that was tried as often as it may be. This beginning runs nothing,
-- so it is no attempt; how the last one ended may be unknown.
local function give_up(worker, ref, item, context)
  local attempts, last = item.attempt - 1, item.errors[#item.errors]
  item.attempt, ref.attempts, context.attempt = attempts, attempts, attempts
  local message = last and last.attempt == attempts
    and "max_attempts is " .. worker.max_attempts .. " now"
    or "the process ended during the attempt"
  return bury(worker, ref, item, errors.new("handler", message), "exhausted")
end

-- An event that was begun: what became of it. False where the queue did not
-- take that: the event is another worker's now.
local function settle(worker, ref, item, context)
  if not item.event then
    return bury(worker, ref, item, errors.new("malformed",
      "the stored event cannot be read"), item.reason or "malformed")
  end
  if item.attempt > worker.max_attempts then
    return give_up(worker, ref, item, context)
  end
  local ok, err = try(worker, item, context)
  if worker.abandoned then
    -- A call of its handlers may have been cut: it is tried again, later.
    return "retried"
  elseif not ok then
    return failed(worker, ref, item, err)
  end
  local done = step(worker, "finish", ref)
  if done then
    worker.totals.handled = worker.totals.handled + 1
  end
  worker.lanes:done(ref)
  return done and "handled"
end

--- Begins an event, runs its handlers and writes down what became of it.
---@param worker table
---@param ref table
function M.run(worker, ref)
  local item = step(worker, "begin", ref)
  if not item or worker.abandoned then
    worker.lanes:done(ref)
    return
  end
  local began, context = runtime.clock(), context_of(worker, ref, item)
  local outcome, reason = settle(worker, ref, item, context)
  if outcome and worker.on_outcome then
    local ok, why = pcall(worker.on_outcome, outcome, item.event, context,
      runtime.clock() - began, reason)
    if not ok then
      worker:log("error", "on_outcome raised", { error = tostring(why) })
    end
  end
end

return M
