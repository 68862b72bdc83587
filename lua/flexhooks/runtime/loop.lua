--- The loop: one wait for everything, and the tasks around it.
--
-- A turn waits for the poller, lets every source do its work, wakes the tasks
-- whose time has come, and runs those that are ready. `flexhooks.run` turns
-- until every task has ended; a foreign loop watches one descriptor and calls
-- `step`; a call that waits outside of a task turns until its wait is over.
--
-- The loop of a process is made when first used. In a child process it is made
-- anew: the parent's tasks and sources are the parent's.
-- @module flexhooks.runtime.loop

local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local options = require "flexhooks.util.options"
local task = require "flexhooks.runtime.task"

local unpack = table.unpack or unpack

local M = {
  clock = core.clock,
  now = core.now,
  sleep = task.sleep,
  map = task.map,
  event = task.event,
  enter = task.enter,
  leave = task.leave,
  remaining = task.remaining,
}

-- Rounds of ready tasks, and of hooks, in one turn; then descriptors have
-- their say again.
local ROUNDS = 8

local NO_MEMORY = "not enough memory" -- what Lua raises then

local Loop = { __name = "flexhooks.runtime.loop" }
Loop.__index = Loop

local Source = { __name = "flexhooks.source" }
Source.__index = Source

local loop -- of this process

-- Functions and arguments in turn: those from `at` to `n`.
local function new_hooks()
  return { at = 1, n = 0 }
end

local function new_poller()
  local poller, kind, message = core.poller()
  if not poller then
    error(errors.new(kind, message), 0)
  end
  return poller
end

local function is_here(pid)
  return loop and loop.pid == pid
end

--- The loop of this process.
local function here()
  local pid = core.pid()
  if not is_here(pid) then
    local made = setmetatable({ pid = pid, poller = new_poller(),
      sources = {}, hooks = new_hooks(), running_hooks = new_hooks(),
      turning = false, running = false }, Loop)
    -- A finalizer that made a call has made the loop as well.
    if is_here(pid) then
      made.poller:close()
      return loop
    elseif loop then
      task.reset()
    end
    loop = made
  end
  return loop
end

--- The poller of this process.
function M.poller()
  return here().poller
end

-- --- sources -------------------------------------------------------------

--- Adds something that has work of its own to do in each turn.
-- `fd` and `interest` ("r", "w", "rw"): a descriptor to watch, or none;
-- `run()` is called after every wait; `timeout()` gives the seconds until it
-- has to be called anyway, or nil.
---@param source table fields `fd`, `interest`, `run`, `timeout`
---@return table source with `remove()` and `watch(interest)`
function M.add_source(source)
  local self = here()
  local made = setmetatable({ loop = self, fd = source.fd, run = source.run,
    timeout = source.timeout }, Source)
  local place = #self.sources + 1
  made.place = place
  self.sources[place] = made
  if made.fd then
    local ok, raised = pcall(made.watch, made, source.interest or "r")
    if not ok then
      self.sources[place] = nil
      error(raised, 0)
    end
  end
  return made
end

--- Changes what the source's descriptor is watched for.
function Source:watch(interest)
  local ok, kind, message = self.loop.poller:watch(self.fd, interest)
  if not ok then
    error(errors.new(kind, message), 0)
  end
end

--- Takes the source out of the loop, before its descriptor is closed.
function Source:remove()
  local sources = self.loop.sources
  if not self.place then
    return
  end
  if self.fd and self.loop == loop then
    self.loop.poller:unwatch(self.fd)
  end
  local last = sources[#sources]
  sources[self.place], last.place = last, self.place
  sources[#sources] = nil
  self.place = nil
end

-- Backwards, so that a source that removes itself makes none miss its run.
local function run_sources(self)
  local sources = self.sources
  for i = #sources, 1, -1 do
    local source = sources[i]
    if source then
      source.run()
    end
  end
end

-- --- a turn --------------------------------------------------------------

--- Calls `f(a)` once at the end of this turn, after every task that was ready.
-- A function of its own for each call would be kept by what LuaJIT compiles.
-- Where this raises, nothing has changed: call it first, and note afterwards
-- that it was called. A function that fails for want of memory is called again
-- in the next turn, so it must be able to go on where it ended.
function M.at_turn_end(f, a)
  local hooks = here().hooks
  local n = hooks.n
  hooks[n + 1] = f
  hooks[n + 2] = a or false
  hooks.n = n + 2
end

-- Returns false where there was no memory. Another failure is that of a task
-- for which nobody waits, and keeps no other hook from its turn.
local function run_hook(f, a)
  local ok, raised = pcall(f, a)
  if not ok and raised ~= NO_MEMORY then
    pcall(task.spawn, error, raised, 0)
  end
  return ok or raised ~= NO_MEMORY
end

local function run_list(hooks)
  while hooks.at <= hooks.n do
    local i = hooks.at
    if not run_hook(hooks[i], hooks[i + 1]) then
      return false
    end
    hooks[i], hooks[i + 1] = nil, nil
    hooks.at = i + 2
  end
  hooks.at, hooks.n = 1, 0
  return true
end

-- What a hook adds has its turn now: what a batch appends is sent at once.
local function run_hooks(self)
  local rounds = ROUNDS
  while run_list(self.running_hooks) and self.hooks.n > 0 and rounds > 0 do
    self.hooks, self.running_hooks = self.running_hooks, self.hooks
    rounds = rounds - 1
  end
end

local function least(a, b)
  if a and b then
    return math.min(a, b)
  end
  return a or b
end

-- Seconds until the Lua side has something to do: the poller knows its own.
local function timeout_of(self)
  if self.hooks.n > 0 or self.running_hooks.n > 0 then
    return 0
  end
  local left = task.timeout()
  for _, source in ipairs(self.sources) do
    if source.timeout then
      left = least(left, source.timeout())
    end
  end
  return left
end

local function turn(self, limit)
  local ok, kind, message = self.poller:wait(least(limit, timeout_of(self)))
  if not ok then
    error(errors.new(kind, message), 0)
  end
  run_sources(self)
  task.fire()
  for _ = 1, ROUNDS do
    if not task.round() then
      break
    end
  end
  run_hooks(self)
  task.report()
end

local function step(self, limit)
  if self.turning then
    error(errors.new("argument", "a call that waits was made in a callback of "
      .. "the loop, which cannot wait: start a task with flexhooks.spawn"), 0)
  end
  if self.pid ~= core.pid() then
    error(errors.new("closed", "this process was forked from inside a task, "
      .. "and the tasks are the parent's: fork before flexhooks.run"), 0)
  end
  self.turning = true
  local ok, err = pcall(turn, self, limit)
  self.turning = false
  if not ok then
    error(err, 0)
  end
end

function task.drive(limit)
  step(here(), limit)
end

-- --- the public face -----------------------------------------------------

local function check_function(fn, f)
  if type(f) ~= "function" then
    errors.raise(3, fn .. ": the first argument must be a function, got "
      .. type(f))
  end
end

--- Starts `f(...)` as a task.
---@return flexhooks.Task
function M.spawn(f, ...)
  check_function("flexhooks.spawn", f)
  -- Inside a task the loop is there, and asking which process this is costs.
  if not task.current() then
    here()
  end
  return task.spawn(f, ...)
end

local function turn_until_all_ended(self, main)
  while task.count() > 0 do
    if main.fault then
      task.cancel_all()
    end
    step(self)
  end
end

--- Runs `f(...)` as a task, and returns its results when every task has ended.
-- If it raises, the other tasks are cancelled and the error is raised again.
---@param f function
---@return any ... what `f` returned
function M.run(f, ...)
  check_function("flexhooks.run", f)
  if task.current() then
    errors.raise(2, "flexhooks.run: already inside a task: use "
      .. "flexhooks.spawn")
  end
  local self = here()
  if self.running or self.turning then
    errors.raise(2, "flexhooks.run: the loop is already running")
  end
  local main = task.spawn(f, ...)
  main.watched = true
  self.running = true
  local ok, err = pcall(turn_until_all_ended, self, main)
  self.running = false
  task.report(true)
  if not ok then
    error(err, 0)
  elseif main.fault then
    error(main.fault.value, 0)
  end
  if main.n > 0 then
    return unpack(main.values, 1, main.n)
  end
end

--- The loop as an object, for a foreign loop to drive: watch `pollfd` for
-- `events`, and call `step` when it is ready or `timeout` has passed.
---@param given table? `logger`: gets the failures nobody waited for
---@return flexhooks.Loop
function M.get(given)
  local checked = options.check("flexhooks.loop",
    { logger = { type = "function" } }, given)
  task.logger = checked.logger or task.logger
  return here()
end

---@class flexhooks.Loop

local function check_loop(self, name)
  if getmetatable(self) ~= Loop then
    errors.raise(3, "loop." .. name .. " is a method: call it with ':', as in "
      .. "loop:" .. name .. "()")
  end
end

--- Starts `f(...)` as a task.
function Loop:spawn(f, ...)
  check_loop(self, "spawn")
  check_function("loop:spawn", f)
  return task.spawn(f, ...)
end

--- A descriptor that is readable when there is something to do.
---@return integer
function Loop:pollfd()
  check_loop(self, "pollfd")
  return self.poller:fd()
end

--- What to watch the descriptor for.
---@return string
function Loop:events()
  check_loop(self, "events")
  return "r"
end

--- Seconds until `step` has something to do even if the descriptor is silent;
-- nil where nothing is foreseen.
---@return number?
function Loop:timeout()
  check_loop(self, "timeout")
  return least(timeout_of(self), self.poller:timeout())
end

--- Does what is to be done, after waiting for it at most `timeout` seconds.
---@param timeout number? 0 where absent
function Loop:step(timeout)
  check_loop(self, "step")
  options.argument("loop:step", 1, { type = "number", min = 0 }, timeout)
  if task.current() then
    errors.raise(2, "loop:step: called inside a task, which the loop drives")
  end
  step(self, timeout or 0)
  return true
end

return M
