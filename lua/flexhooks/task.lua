--- Tasks: coroutines that wait, and what they wait for.
--
-- A task runs until it waits; the loop wakes it. This module knows of no
-- descriptor: the loop tells it the time and drives it. Code outside of every
-- task that waits drives the loop itself until its wait is over.
--
-- A task that was cancelled stays so: each of its waiting calls, the pending
-- one first, returns `nil, err` at once, so that it ends by the way it ends on
-- any failure. The same holds past a deadline. One that keeps on waiting
-- without regard for that is unwound by an error.
-- @module flexhooks.task

local core = require "flexhooks.core"
local deadlines = require "flexhooks.task.deadlines"
local errors = require "flexhooks.error"
local faults = require "flexhooks.task.faults"
local map = require "flexhooks.map"
local timers_of = require "flexhooks.timers"

local clock = core.clock
local enter, expire = deadlines.enter, deadlines.expire
local interrupted = deadlines.interrupted
local fault_of = faults.of
local unpack = table.unpack or unpack
local running, yield = coroutine.running, coroutine.yield
local isyieldable = coroutine.isyieldable or function() -- PUC Lua 5.1
  return true
end

local M = {}

-- Coroutines kept for the next tasks.
local MAX_IDLE = 256

local Task = { __name = "flexhooks.task" }
Task.__index = Task

local Event = { __name = "flexhooks.event" }
Event.__index = Event

local NOTHING = {} -- the values of events that have none

local current            -- the task that runs now
local outside            -- stands for the code outside of tasks
local alive, count       -- tasks that have not ended: a set, and its size
local ready, head, tail  -- tasks to resume: a queue
local timers             -- tasks that wait until a time
local idle = {}          -- coroutines without a task
local failures           -- ended tasks whose fault nobody has seen

--- Forgets every task: a child process does not run its parent's.
function M.reset()
  outside = setmetatable({}, Task)
  alive, count = {}, 0
  ready, head, tail = {}, 1, 0
  timers = timers_of.new()
  failures = faults.new()
end

M.reset()

M.logger = faults.to_stderr

--- Is this call made from inside a task?
function M.current()
  return current
end

-- --- starting and ending ----------------------------------------------------

local function enqueue(task)
  tail = tail + 1
  ready[tail] = task
end

local function fail(task, fault)
  task.fault, task.failed_at = faults.complete(fault), clock()
  if not task.watched and not (task.event and task.event.waiter) then
    failures:add(task)
  end
end

local function finish(task, ok, ...)
  task.ended = true
  alive[task] = nil
  count = count - 1
  if not ok then
    fail(task, (...))
  else
    task.n = select("#", ...)
    if task.n > 0 then
      task.results = { ... }
    end
  end
  if task.event then
    task.event:set(true)
  end
end

local function perform(task)
  local n, args, a, b = task.n, task.args, task.a, task.b
  task.n, task.args, task.a, task.b = 0, false, false, false
  if n == 1 then
    finish(task, xpcall(task.f, fault_of, a))
  elseif n == 2 then
    finish(task, xpcall(task.f, fault_of, a, b))
  else
    finish(task, xpcall(task.f, fault_of, unpack(args or NOTHING, 1, n)))
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
  coroutine.resume(co) -- as far as its first yield
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
    if task.ended or task.waiting then
      return
    elseif not ok then
      return finish(task, false, fault)
    end
  end
  finish(task, false, YIELDED)
end

local function resume(task)
  local co = task.co
  if not co then
    local n = #idle
    co = idle[n] or new_coroutine()
    idle[n] = nil
    task.co = co
  end
  current = task
  local ok, fault = coroutine.resume(co, task)
  if ok and not task.ended and not task.waiting then
    correct(task)
    current = nil
    return
  end
  current = nil
  if not task.ended then
    if not ok then
      finish(task, false, fault)
    end
  elseif #idle < MAX_IDLE then
    idle[#idle + 1] = co
  end
end

--- Starts `f(...)` as a task; it begins when the loop gets to it.
---@return flexhooks.Task
function M.spawn(f, ...)
  local n, a, b = select("#", ...), ...
  -- With every field there from the start the table is allocated once.
  local task = setmetatable({ f = f, n = n, a = a, b = b, args = n > 2
    and { ... }, co = false, ended = false, waiting = false, why = false,
    event = false, following = false }, Task)
  alive[task] = true
  count = count + 1
  enqueue(task)
  return task
end

--- Runs every task that is ready now; those that become ready meanwhile have
-- the next round. Tells whether there was any.
function M.round()
  local last = tail
  if head > last then
    return false
  end
  while head <= last do
    local task = ready[head]
    ready[head] = nil
    head = head + 1
    resume(task)
  end
  if head > tail then
    head, tail = 1, 0
  end
  return true
end

--- Seconds until a task can go on: 0 where one is ready, nil where none will.
function M.timeout()
  if head <= tail then
    return 0
  end
  local first = timers:first()
  return first and math.max(0, first.due - clock())
end

--- Tasks that have not ended.
function M.count()
  return count
end

-- --- waiting ----------------------------------------------------------------

local function wake(task, why)
  if not task.waiting then
    return
  end
  task.waiting, task.why = false, why
  if task.index then
    timers:remove(task)
  end
  enqueue(task)
end

--- Wakes the tasks whose time has come.
function M.fire()
  local first = timers:first()
  if not first then
    return
  end
  local now = clock()
  while first and first.due <= now do
    wake(first, "due")
    first = timers:first()
  end
end

local function suspend(task, due)
  task.waiting = true
  if due then
    task.due = due
    timers:push(task)
  end
  yield()
  return task.why
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
    why = suspend(current, due)
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

--- It has happened; everybody who waits gets the values. Once is enough.
function Event:set(...)
  if self.done then
    return
  end
  self.done, self.n = true, select("#", ...)
  self.values = self.n > 0 and { ... } or NOTHING
  local waiter = self.waiter
  self.waiter, self.last = false, false
  while waiter do
    local following = waiter.following
    waiter.following = false
    wake(waiter, "set")
    waiter = following
  end
end

function Event:is_set()
  return self.done
end

-- Waiters are a list through the tasks themselves, in the order they came: a
-- task waits for one thing at a time.
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

--- Waits until it has happened, at most `timeout` seconds.
---@return any ... the values given to `set`; or nil, err
function Event:wait(timeout)
  if self.done then
    return unpack(self.values, 1, self.n)
  end
  local task = current
  if task then
    join_list(self, task)
  end
  local why, err = pause(self, timeout and clock() + timeout)
  if not why then
    return unpack(self.values, 1, self.n)
  end
  if task then
    leave_list(self, task)
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
  return unpack(task.results, 1, task.n)
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
  if not self.ended then
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
  if self.ended or self.cancelled then
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

M.map = map.over { spawn = spawn_within, event = M.event }

return M
