--- The host interface inside nginx: light threads, semaphores, nginx's clock.
--
-- Every wait is a wait on one semaphore with a timeout, so that a deadline can
-- cut it and a cancelled task can be woken. What a light thread knows of
-- itself is kept under its coroutine: of a task, whether it was cancelled; and
-- its scope, which is the deadline that was entered last.
-- @module flexhooks.runtime.nginx.runtime

local base = require "resty.core.base"
local ffi = require "ffi"
local semaphore = require "ngx.semaphore"

local clock = require "flexhooks.runtime.nginx.clock"
local errors = require "flexhooks.error"
local map = require "flexhooks.runtime.map"
local nginx_log = require "flexhooks.runtime.nginx.log"

local M = { name = "nginx" }

-- A semaphore's timeout is milliseconds in a C int.
local LONGEST_WAIT = 86400

-- Seconds that a failure may wait for somebody to ask for it.
local UNASKED = 5

local contexts = {} -- coroutine -> context of a task, until it ends

-- Request -> the coroutine that answers it, if nginx reports its client's end.
local watched = setmetatable({}, { __mode = "v" })

-- The scope that was entered last stands apart, since nearly every one is left
-- again before another light thread runs: `newest` is that of `newest_co`. The
-- one that was left last is entered next.
local scopes = setmetatable({}, { __mode = "k" }) -- coroutine -> scope
local newest, newest_co, spare

-- The light thread that began last, and its request, until it asks.
local here, here_request

local function scope_of(co)
  return newest_co == co and newest or scopes[co]
end

local function set_scope(co, scope)
  if newest and newest_co ~= co then
    scopes[newest_co] = newest
  end
  newest, newest_co = scope, co
end

local function forget_scope(co)
  if newest_co == co then
    newest = nil
  end
  scopes[co] = nil
end

-- The calling light thread. LuaJIT compiles no coroutine.running, and no trace
-- that begins inside an xpcall passes its end: so the one that began last is
-- known beforehand.
local function running()
  local co = here
  here = nil
  if co and base.get_request() == here_request then
    return co
  end
  return coroutine.running()
end

--- Begins a light thread that nginx has started. Its coroutine may have been
-- another's that was ended from within (`ngx.exit`), and left its deadline.
function M.begin()
  local co = coroutine.running()
  contexts[co] = nil
  forget_scope(co)
  here, here_request = co, base.get_request()
end

-- The request of the calling light thread, as a key of a table.
local function request_key()
  local request = base.get_request()
  return type(request) == "cdata" and tonumber(ffi.cast("intptr_t", request))
    or request
end

-- Ends the pending wait of a light thread, and its later ones at once.
local function cancel(context)
  context.cancelled = true
  if context.waiting_on then
    context.waiting_on:post(1)
  end
end

-- nginx's callback, in a light thread of its own.
local function client_left()
  local context = contexts[watched[request_key()]]
  if context then
    nginx_log.logger("warn", "the client closed its connection: the waits of "
      .. "its request are cancelled")
    cancel(context)
  end
end

--- Begins to answer a request. With `lua_check_client_abort on` nginx ends the
-- light threads of a request whose client leaves, and its claims would stand.
-- If a callback is registered, nginx leaves that to the callback.
function M.begin_request()
  M.begin()
  local told, why = ngx.on_abort(client_left)
  if told or why == "duplicate call" then
    watched[request_key()], contexts[here] = here, { answers = true }
  end
end

--- Ends what `begin` or `begin_request` began.
function M.ended()
  here = nil
end

local YIELDING = {
  server_rewrite = true, rewrite = true, access = true, precontent = true,
  content = true, timer = true, ssl_cert = true, ssl_session_fetch = true,
  ssl_client_hello = true, proxy_ssl_cert = true, proxy_ssl_verify = true,
}

local function check_phase(what)
  local phase = ngx.get_phase()
  if not YIELDING[phase] then
    errors.raise(3, what .. " cannot wait in nginx's " .. phase .. " phase; "
      .. "call it from content_by_lua*, access_by_lua* or a timer",
      "unsupported")
  end
end

--- Unix time in seconds.
---@return number
function M.now()
  return ngx.now()
end

--- Monotonic time in seconds.
---@return number
M.clock = clock

local function deadline_error()
  return errors.new("timeout", "the deadline of this handler has passed")
end

local function cancelled_error()
  return errors.new("cancelled", "this task was cancelled")
end

-- The outcome of a cancelled wait. A handler whose client has left fails as if
-- its deadline had passed, even if it ignores what its wait returned.
local function cancelled(context, scope)
  if scope and context.answers then
    scope.expired = true
  end
  return "cancelled"
end

-- A semaphore without a unit.
local function new_semaphore()
  local sem, why = semaphore.new(0)
  if not sem then
    error(errors.new("unsupported", "nginx makes no semaphore: "
      .. tostring(why)), 0)
  end
  return sem
end

-- Waits on `sem` for at most `timeout` seconds (nil: for ever), cut to the
-- deadline and woken by a cancel. Returns "posted", "timeout", "deadline" or
-- "cancelled".
local function wait_on(sem, timeout)
  local co = coroutine.running()
  local context, scope = contexts[co], scope_of(co)
  if context and context.cancelled then
    return cancelled(context, scope)
  end
  local ends = timeout and clock() + timeout
  local cut = scope and (not ends or scope.due < ends)
  if cut then
    ends = scope.due
  end
  if context then
    context.waiting_on = sem
  end
  local outcome
  repeat
    local left = ends and ends - clock() or LONGEST_WAIT
    local posted, why = sem:wait(math.max(0, math.min(left, LONGEST_WAIT)))
    if not posted and why ~= "timeout" then
      error(errors.new("unsupported", "nginx does not wait: "
        .. tostring(why)), 0)
    elseif context and context.cancelled then
      outcome = cancelled(context, scope)
    elseif posted then
      outcome = "posted"
    elseif ends and clock() >= ends - 0.0005 then
      outcome = cut and "deadline" or "timeout"
    end
  until outcome
  if context then
    context.waiting_on = nil
  end
  if outcome == "deadline" then
    scope.expired = true
  end
  return outcome
end

local FAILURES = { deadline = deadline_error, cancelled = cancelled_error }

--- Suspends the calling light thread for `seconds`.
---@param seconds number
---@return true|nil, flexhooks.Error?
function M.sleep(seconds)
  if type(seconds) ~= "number" or seconds ~= seconds or seconds < 0 then
    errors.raise(2, "flexhooks.sleep: seconds must be a number from 0 on")
  end
  check_phase("flexhooks.sleep")
  local outcome = wait_on(new_semaphore(), seconds)
  if FAILURES[outcome] then
    return nil, FAILURES[outcome]()
  end
  return true
end

--- Waits for one unit of `sem`; nil, err when none came in time.
---@param sem table an ngx.semaphore
---@param timeout number? seconds
---@return true|nil, flexhooks.Error?
function M.wait_for(sem, timeout)
  check_phase("a call")
  local outcome = wait_on(sem, timeout)
  if outcome == "posted" then
    return true
  end
  local failure = FAILURES[outcome]
  return nil, failure and failure()
    or errors.new("timeout", "nothing happened in time")
end

--- Runs `f(...)` outside of the request: ending the request does not end it.
function M.detach(f, ...)
  local ok, message = ngx.timer.at(0, function(_, ...)
    M.begin()
    f(...)
  end, ...)
  if not ok then
    errors.raise(2, "nginx starts no timer: " .. tostring(message)
      .. " (raise lua_max_pending_timers and lua_max_running_timers)",
      "unsupported")
  end
end

---@class flexhooks.Event
local Event = { __name = "flexhooks.event" }
Event.__index = Event

--- A one-shot event: values are set once and every waiter gets them.
function M.event()
  return setmetatable({ n = nil, waiters = 0, waiting = {} }, Event)
end

--- Whether the values are there.
---@return boolean
function Event:is_set()
  return self.n ~= nil
end

--- Sets the values and wakes every waiter; the first time counts.
function Event:set(...)
  if self.n then
    return
  end
  self.n = select("#", ...)
  for i = 1, self.n do
    self[i] = (select(i, ...))
  end
  for own in pairs(self.waiting) do
    own:post(1)
  end
end

--- The values that were set, or nil, err after `timeout` seconds.
function Event:wait(timeout)
  if not self.n then
    check_phase("wait")
    local own = new_semaphore() -- so that a cancel wakes its task alone
    self.waiting[own], self.waiters = true, self.waiters + 1
    local outcome = wait_on(own, timeout)
    self.waiting[own], self.waiters = nil, self.waiters - 1
    if FAILURES[outcome] then
      return nil, FAILURES[outcome]()
    elseif not self.n then
      return nil, errors.new("timeout", "nothing happened in time")
    end
  end
  return unpack(self, 1, self.n)
end

--- Puts a deadline over what the calling light thread does next.
---@param deadline number monotonic seconds
---@return table token for `leave`
function M.enter(deadline)
  local co = running()
  local parent = scope_of(co)
  local scope = spare or { due = 0, parent = nil, expired = false }
  spare = nil
  scope.due = parent and math.min(deadline, parent.due) or deadline
  scope.parent = parent
  set_scope(co, scope)
  return scope
end

--- Ends what `enter` began.
---@return boolean expired whether the deadline cut a wait
function M.leave(scope)
  if newest == scope then
    newest = scope.parent
  end
  if next(scopes) then
    local co = coroutine.running()
    if scopes[co] == scope then
      scopes[co] = scope.parent
    end
  end
  local expired = scope.expired
  scope.parent, scope.expired, spare = nil, false, scope
  return expired
end

--- Seconds to the nearest deadline of the calling light thread, or nil.
---@return number?
function M.remaining()
  local scope = scope_of(coroutine.running())
  return scope and scope.due - clock() or nil
end

---@class flexhooks.Task
local Task = { __name = "flexhooks.runtime.task" }
Task.__index = Task

local function handler_error(trace)
  if errors.is(trace) then
    return trace
  end
  return errors.new("handler", tostring(trace))
end

local function traceback(raised)
  if errors.is(raised) then
    return raised
  end
  return debug.traceback(tostring(raised), 2)
end

-- Logs an error that no task has asked for, after a while or when the worker
-- stops.
local function report(_, task, err)
  if not task.awaited then
    nginx_log.logger("error", "a task failed and nobody waited for it",
      { error = tostring(err) })
  end
end

-- A task that `run` waits for, with all that were started from it.
local function leave_group(group, task)
  group.tasks[task] = nil
  if next(group.tasks) == nil then
    group.empty:set(true)
  end
end

local function packed(...)
  return { n = select("#", ...), ... }
end

local function finish(task, ok, ...)
  contexts[task.co] = nil
  forget_scope(task.co)
  if task.context.group then
    leave_group(task.context.group, task)
  end
  if ok then
    task.done:set(...)
    return
  end
  local err = handler_error((...))
  task.done:set(nil, err)
  if task.done.waiters == 0 and not ngx.timer.at(UNASKED, report, task, err)
  then
    report(nil, task, err)
  end
end

local function body(task, scope, f, ...)
  task.co = coroutine.running()
  contexts[task.co] = task.context
  forget_scope(task.co)
  if scope then
    set_scope(task.co, scope)
  end
  finish(task, xpcall(f, traceback, ...))
end

local function group_here()
  local context = contexts[coroutine.running()]
  return context and context.group
end

-- Starts a task of a group, or of none, under the deadline of a scope, or
-- under none.
local function start_in(group, parent, f, ...)
  here = nil
  local task = setmetatable({ done = M.event(), context = { group = group } },
    Task)
  local scope = parent and { due = parent.due, expired = false }
  if group then
    group.tasks[task] = true
  end
  local called, thread, message = pcall(ngx.thread.spawn, body, task, scope, f,
    ...)
  if not called or not thread then
    if group then
      leave_group(group, task)
    end
    errors.raise(3, "spawn: nginx starts no light thread: "
      .. tostring(called and message or thread), "unsupported")
  end
  return task
end

local function start(parent, f, ...)
  return start_in(group_here(), parent, f, ...)
end

--- Runs `f(...)` in a light thread of its own.
---@return flexhooks.Task
function M.spawn(f, ...)
  if type(f) ~= "function" then
    errors.raise(2, "flexhooks.spawn: the first argument must be a function, "
      .. "got " .. type(f))
  end
  check_phase("flexhooks.spawn")
  return start(nil, f, ...)
end

local function cancel_all(group)
  for task in pairs(group.tasks) do
    task:cancel()
  end
end

--- Runs `f(...)` in a light thread, and returns its results when every task
-- that was started from it has ended. If it raises, the others are cancelled
-- and the error is raised again.
---@param f function
---@return any ... what `f` returned
function M.run(f, ...)
  if type(f) ~= "function" then
    errors.raise(2, "flexhooks.run: the first argument must be a function, "
      .. "got " .. type(f))
  end
  check_phase("flexhooks.run")
  if group_here() then
    errors.raise(2, "flexhooks.run: already inside a task: use "
      .. "flexhooks.spawn")
  end
  local group, results = { tasks = {}, empty = M.event() }, nil
  start_in(group, nil, function(...)
    results = packed(pcall(f, ...))
    if not results[1] then
      cancel_all(group)
    end
  end, ...)
  local ok, err = group.empty:wait()
  if not ok then -- the caller's own time was over, or it was cancelled
    cancel_all(group)
    return nil, err
  elseif not results[1] then
    error(results[2], 0)
  end
  return unpack(results, 2, results.n)
end

--- There is no loop of ours here to be driven by another.
function M.get()
  errors.raise(2, "flexhooks.loop: nginx is the loop here, and runs what "
    .. "flexhooks.spawn and flexhooks.run start", "unsupported")
end

--- Calls `f(item, i)` for each item of a list, at most `n` at a time.
M.map = map.over {
  spawn = function(f, ...)
    return start(scope_of(coroutine.running()), f, ...)
  end,
}

--- What the task returned; a raise becomes nil, err.
---@param timeout number? seconds
function Task:wait(timeout)
  self.awaited = true
  return self.done:wait(timeout)
end

--- Ends the task's pending wait with an error of kind `cancelled`.
function Task:cancel()
  cancel(self.context)
end

return M
