--- Tasks: coroutines that wait, and what they wait for.
--
-- A task runs until it waits; the loop wakes it. This module knows of no
-- descriptor: the loop tells it the time and drives it. Code outside of every
-- task that waits drives the loop itself until its wait is over.
--
-- What a call raises for want of memory leaves everything as it was: memory
-- comes first, then what others see is changed. Waking and ending a task take
-- none, so they cannot fail half way.
--
-- A task that was cancelled stays so: each of its waiting calls, the pending
-- one first, returns `nil, err` at once, so that it ends by the way it ends on
-- any failure. The same holds past a deadline. One that keeps on waiting
-- without regard for that is unwound by an error.
-- @module flexhooks.runtime.task

local core = require "flexhooks.core"
local deadlines = require "flexhooks.runtime.deadline"
local errors = require "flexhooks.error"
local task_errors = require "flexhooks.runtime.task_error"
local map = require "flexhooks.runtime.map"
local heaps = require "flexhooks.util.heap"

local clock = core.clock
local enter, expire = deadlines.enter, deadlines.expire
local interrupted = deadlines.interrupted
local fault_of = task_errors.of
local unpack = table.unpack or unpack
local running, yield = coroutine.running, coroutine.yield
local isyieldable = coroutine.isyieldable or function() -- PUC Lua 5.1
  return true
end

local M = {}

-- Coroutines kept for the next tasks.
local MAX_IDLE = 256

local Task = { __name = "flexhooks.runtime.task" }
Task.__index = Task

local Event = { __name = "flexhooks.event" }
Event.__index = Event

-- Why a task does not run; what woke it last where it does.
local WAITS, ENDED = "waits", "ended"
local NOTHING = {} -- the values of events that have none
local TRUE = { true } -- the values of events that only happen

local current            -- the task that runs now
local outside            -- stands for the code outside of tasks
local alive, count       -- tasks that have not ended: a set, and its size
local first, last        -- tasks to resume: a list through them, or false
local timers             -- tasks that wait until a time
local idle, idle_count   -- coroutines without a task, false for an empty place
local failures           -- ended tasks whose fault nobody has seen

--- Forgets every task: a child process does not run its parent's.
function M.reset()
  outside = setmetatable({}, Task)
  alive, count = {}, 0
  first, last = false, false
  timers = heaps.new()
  failures = task_errors.new()
end

M.reset()

idle, idle_count = {}, 0
for i = 1, MAX_IDLE do
  idle[i] = false
end

M.logger = task_errors.to_stderr

--- Is this call made from inside a task?
function M.current()
  return current
end

-- --- starting and ending ----------------------------------------------------

local function enqueue(task)
  if last then
    last.behind = task
  else
    first = task
  end
  last = task
end

local function dequeue(task)
  if task ~= first then -- forgotten meanwhile, by a child process
    return
  end
  first = task.behind
  task.behind = false
  last = first and last
end

local function fail(task, raised)
  task.fault = task_errors.complete(raised)
  if not task.watched and not (task.event and task.event.waiter) then
    failures:add(task)
  end
end

local happen, stop_waiting -- see below

local function tell_end(task)
  if task.event then
    happen(task.event, 1, TRUE)
  end
end

local function finish(task, ok, ...)
  if not ok then
    fail(task, (...))
  else
    local n = select("#", ...)
    if n > 0 then
      task.values = { ... }
    end
    task.n = n
  end
  if task.awaits or task.index then
    stop_waiting(task)
  end
  task.why = ENDED
  alive[task] = nil
  count = count - 1
  tell_end(task)
end

local function perform(task)
  local n, values, a, b = task.n, task.values, task.a, task.b
  task.n, task.values, task.a, task.b = 0, false, false, false
  if n == 1 then
    finish(task, xpcall(task.f, fault_of, a))
  elseif n == 2 then
    finish(task, xpcall(task.f, fault_of, a, b))
  else
    finish(task, xpcall(task.f, fault_of, unpack(values or NOTHING, 1, n)))
  end
end

-- One coroutine runs task after task, because making one costs more than all
-- the rest of starting a task. While idle it keeps nothing alive.
local function work()
  while true do
    perform(yield())
  end
end

local function new_coroutine()
  local co = coroutine.create(work)
  assert(coroutine.resume(co)) -- as far as its first yield
  return co
end

local function put_back(co)
  if idle_count < MAX_IDLE then
    idle_count = idle_count + 1
    idle[idle_count] = co
  end
end

-- A coroutine for the task, or nil and what was raised.
local function take_coroutine(task)
  local co, made = idle[idle_count], true
  if co then
    idle[idle_count] = false
    idle_count = idle_count - 1
  else
    made, co = pcall(new_coroutine)
  end
  if not made then
    return nil, co
  end
  task.co = co
  return co
end

local YIELDED = "a task yielded by itself: wait with flexhooks.sleep or "
  .. "another call of flexhooks"
local OWN_YIELDS = 3 -- of a task in a row; then it has failed

-- Goes on with a coroutine by an error, raised where it yielded: what was
-- begun around that place can so be ended.
local function raise_in(co)
  local hook, mask, every = debug.gethook(co)
  debug.sethook(co, function()
    if running() == co then -- LuaJIT's hooks are those of all coroutines
      debug.sethook(co, hook, mask, every)
      error(YIELDED, 2)
    end
  end, "", 1)
  return coroutine.resume(co)
end

-- A task that yielded to nobody.
local function correct(task)
  for _ = 1, OWN_YIELDS do
    local ok, fault = raise_in(task.co)
    if task.why == ENDED or task.why == WAITS then
      return
    elseif not ok then
      return finish(task, false, fault)
    end
  end
  finish(task, false, YIELDED)
end

-- The outcome of a coroutine that has yielded or ended.
local function proceed(task, co, ok, raised)
  local over = ok and task.why == ENDED
  if ok and not over and task.why ~= WAITS then
    ok, raised = pcall(correct, task)
  end
  current = nil
  if over then
    put_back(co)
  elseif not ok and task.why ~= ENDED then
    finish(task, false, raised)
  elseif not ok then
    tell_end(task)
  end
end

-- Goes on with a task. Where this raises, the task is the first one still, and
-- is gone on with once there is memory: then it may have ended, and have more
-- to tell.
local function resume(task)
  if task.why == ENDED then
    return tell_end(task)
  end
  local co = task.co
  if not co then
    local taken, raised = take_coroutine(task)
    if not taken then
      return finish(task, false, raised)
    end
    co = taken
  end
  current = task
  proceed(task, co, coroutine.resume(co, task))
end

--- Starts `f(...)` as a task; it begins when the loop gets to it.
---@return flexhooks.Task
function M.spawn(f, ...)
  local n, a, b = select("#", ...), ...
  -- With every field there from the start the table is allocated once.
  local task = setmetatable({ f = f, n = n, a = a, b = b, values = n > 2
    and { ... }, co = false, why = false, fault = false, event = false,
    awaits = false, following = false, behind = false, cancelled = false,
    index = false }, Task)
  alive[task] = true
  count = count + 1
  enqueue(task)
  return task
end

--- Runs every task that is ready now; those that become ready meanwhile have
-- the next round. Tells whether there was any.
function M.round()
  local final = last
  if not final then
    return false
  end
  repeat
    local task = first
    resume(task)
    dequeue(task)
  until task == final or not first
  return true
end

--- Seconds until a task can go on: 0 where one is ready, nil where none will.
function M.timeout()
  if first then
    return 0
  end
  local soonest = timers:first()
  return soonest and math.max(0, soonest.due - clock())
end

--- Tasks that have not ended.
function M.count()
  return count
end

-- --- waiting ----------------------------------------------------------------

local function wake(task, why)
  if task.index then
    timers:remove(task)
  end
  if task.why == WAITS then
    enqueue(task)
    task.why = why
  end
end

--- Wakes the tasks whose time has come.
function M.fire()
  local sleeper = timers:first()
  if not sleeper then
    return
  end
  local now = clock()
  while sleeper and sleeper.due <= now do
    wake(sleeper, "due")
    sleeper = timers:first()
  end
end

-- Those who wait for an event are a list through the tasks themselves, in the
-- order they came: a task waits for one thing at a time.
local function join_list(event, task)
  if event.waiter then
    event.last.following = task
  else
    event.waiter = task
  end
  event.last = task
end

local function leave_list(event, task)
  local before, waiter = nil, event.waiter
  while waiter and waiter ~= task do
    before, waiter = waiter, waiter.following
  end
  if not waiter then
    return
  elseif before then
    before.following = task.following
  else
    event.waiter = task.following
  end
  if event.last == task then
    event.last = before
  end
  task.following = false
end

-- Leaves what the task is in while it waits.
function stop_waiting(task)
  if task.index then
    timers:remove(task)
  end
  if task.awaits then
    leave_list(task.awaits, task)
    task.awaits = false
  end
end

-- Any call may raise for want of memory, which the stack needs as well. What a
-- wait has left then that could not begin, the next one clears away.
local function suspend(task, event, due)
  if task.awaits or task.index then
    stop_waiting(task)
  end
  if due then
    task.due = due
    timers:push(task)
  end
  if event then
    task.awaits = event
    join_list(event, task)
  end
  task.why = WAITS
  yield()
  local why = task.why
  if event then
    if why ~= "set" then
      leave_list(event, task)
    end
    task.awaits = false
  end
  return why
end

-- Drives the loop from outside of every task, for a turn at least, until
-- `event` is set or the time has come.
local function block(event, due)
  repeat
    M.drive(due and math.max(0, due - clock()))
    if event and event.done then
      return nil
    end
  until due and clock() >= due
  return "due"
end

local function check_coroutine(task)
  if running() ~= task.co then
    errors.raise_outside("a call that waits was made in a coroutine of your "
      .. "own inside a task: start it with flexhooks.spawn instead of "
      .. "coroutine.create or coroutine.wrap")
  elseif not isyieldable() then
    errors.raise_outside("a call that waits was made where a task cannot be "
      .. "suspended, in a function that C calls back (string.gsub, "
      .. "table.sort, …): collect there, and wait afterwards")
  end
end

--- Waits until `event` is set (nil: nothing but time) or `due`, a time of the
-- monotonic clock, has come. Returns nil when woken, "due" when the time came,
-- or "interrupted" and the error.
local function pause(event, due)
  local holder = current or outside
  if current then
    check_coroutine(current)
  end
  local err = interrupted(holder)
  if err then
    return "interrupted", err
  end
  local scope = holder.scope
  local cut = scope and (not due or scope.due < due)
  if cut then
    due = scope.due
  end
  local why
  if current then
    why = suspend(current, event, due)
  else
    why = block(event, due)
  end
  if event and event.done then
    return nil
  elseif why == "due" and cut then
    return "interrupted", expire(scope)
  elseif why == "cancelled" then
    return "interrupted", interrupted(holder)
  end
  return why
end

local function check_seconds(fn, seconds)
  if type(seconds) ~= "number" or seconds ~= seconds or seconds < 0 then
    errors.raise(3, fn .. ": seconds must be a number from 0 on, got "
      .. (type(seconds) == "number" and tostring(seconds) or type(seconds)))
  end
end

--- Waits for `seconds`.
---@param seconds number
---@return true? ok
---@return flexhooks.Error? err kinds `cancelled`, `timeout` (a deadline)
function M.sleep(seconds)
  check_seconds("flexhooks.sleep", seconds)
  local why, err = pause(nil, clock() + seconds)
  if why ~= "interrupted" then
    -- A process that stood still finds its deadline passed as well.
    err = interrupted(current or outside)
  end
  if err then
    return nil, err
  end
  return true
end

-- --- events --------------------------------------------------------------

--- Something that happens once and can be waited for by any number of tasks.
function M.event()
  -- With every field there from the start the table is allocated once.
  return setmetatable({ done = false, n = 0, values = NOTHING, waiter = false,
    last = false }, Event)
end

-- Sets an event once its values are there, and wakes all who wait for it.
function happen(event, n, values)
  event.n, event.values, event.done = n, values, true
  local waiter = event.waiter
  while waiter do
    wake(waiter, "set")
    event.waiter = waiter.following
    waiter.following = false
    waiter = event.waiter
  end
  event.last = false
end

--- It has happened; everybody who waits gets the values. Once is enough.
-- Without values, or with true alone, it takes no memory.
function Event:set(...)
  if self.done then
    return
  end
  local n = select("#", ...)
  if n == 0 then
    happen(self, 0, NOTHING)
  elseif n == 1 and ... == true then
    happen(self, 1, TRUE)
  else
    happen(self, n, { ... })
  end
end

function Event:is_set()
  return self.done
end

--- Waits until it has happened, at most `timeout` seconds.
---@return any ... the values given to `set`; or nil, err
function Event:wait(timeout)
  if self.done then
    return unpack(self.values, 1, self.n)
  end
  local why, err = pause(self, timeout and clock() + timeout)
  if not why then
    return unpack(self.values, 1, self.n)
  end
  return nil, err
    or errors.new("timeout", "waited " .. timeout .. " s in vain")
end

-- --- a task as others see it ---------------------------------------------

---@class flexhooks.Task
M.Task = Task

local function check_task(self, name)
  if getmetatable(self) ~= Task then
    errors.raise(3, "task." .. name .. " is a method: call it with ':', as in "
      .. "task:" .. name .. "()")
  end
end

local function results(task)
  task.watched = true
  local fault = task.fault
  if fault then
    return nil, errors.new("handler", tostring(fault.value),
      { cause = fault.value, details = fault.traceback })
  end
  if task.n == 0 then
    return
  end
  return unpack(task.values, 1, task.n)
end

--- Waits until the task has ended, at most `timeout` seconds, for ever where
-- it is absent.
---@param timeout number?
---@return any ... what the task's function returned; or nil, err: of kind
-- `handler` where it raised (`err.cause` is what it raised, `err.details` the
-- traceback), `timeout` or `cancelled` where this wait was cut
function Task:wait(timeout)
  check_task(self, "wait")
  if timeout ~= nil then
    check_seconds("task:wait", timeout)
  end
  if self.why ~= ENDED then
    if self == current then
      errors.raise(2, "task:wait: a task cannot wait for itself")
    end
    self.event = self.event or M.event()
    local ok, err = self.event:wait(timeout)
    if not ok then
      return nil, err
    end
  end
  return results(self)
end

--- Cancels the task: its pending call, and every later one that would wait,
-- returns `nil, err` of kind `cancelled`. No effect on a task that has ended.
function Task:cancel()
  check_task(self, "cancel")
  if self.why == ENDED or self.cancelled then
    return
  end
  self.cancelled = true
  wake(self, "cancelled")
end

--- Cancels every task that has not ended.
function M.cancel_all()
  for task in pairs(alive) do
    task:cancel()
  end
end

--- Reports the failures that nobody asked for in time, or all of them.
function M.report(all)
  failures:report(M.logger, all)
end

-- --- deadlines -----------------------------------------------------------

--- From here on, no call of this task waits beyond `deadline`.
---@param deadline number of the monotonic clock
---@return table token for `leave`
function M.enter(deadline)
  return enter(current or outside, deadline)
end

--- Ends the deadline; tells whether it cut a wait.
---@param token table
---@return boolean expired
M.leave = deadlines.leave

--- Seconds to the nearest deadline, nil where there is none.
function M.remaining()
  local scope = (current or outside).scope
  return scope and math.max(0, scope.due - clock())
end

-- --- map -----------------------------------------------------------------

-- A task under the deadline of whoever starts it.
local function spawn_within(f, ...)
  local task = M.spawn(f, ...)
  task.scope = (current or outside).scope
  deadlines.keep(task.scope)
  return task
end

M.map = map.over { spawn = spawn_within }

return M
