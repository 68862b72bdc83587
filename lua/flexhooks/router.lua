--- Routes events to handlers.
--
-- Registering is slow and dispatching is fast: the handlers of each event type
-- stand ready in a list, in the order registered. A list is replaced, never
-- changed, so a handler may register and remove others while it runs; that
-- takes effect with the next event.
-- @module flexhooks.router

local contexts = require "flexhooks.router.context"
local errors = require "flexhooks.error"
local events = require "flexhooks.events"
local handler_errors = require "flexhooks.router.handler_error"
local filters = require "flexhooks.router.filter"
local runtime = require "flexhooks.runtime.current"
local log = require "flexhooks.log"
local options = require "flexhooks.util.options"
local refusal = require "flexhooks.router.refusal"
local tables = require "flexhooks.util.tables"

local M = {}

local raised = handler_errors.raised

local ALL = { ["*"] = true }

-- What a filter returns in its handler's place; no handler can.
local UNMATCHED = {}

---@class flexhooks.Router
local Router = { __name = "flexhooks.router" }
Router.__index = Router

local Subscription = { __name = "flexhooks.subscription" }
Subscription.__index = Subscription

---@alias flexhooks.Handler fun(event: table, context: flexhooks.Context): any,
--- any
---@alias flexhooks.Middleware fun(event: table, context: flexhooks.Context,
--- next: fun(): boolean?, table?): any, any

local function check_self(router, method)
  if getmetatable(router) ~= Router then
    errors.raise(3, "router." .. method .. ": call it with a colon, router:"
      .. method .. "(…)")
  end
end

local function check_function(fn, position, value)
  if type(value) ~= "function" then
    errors.raise(3, fn .. ": argument " .. position
      .. " must be function, got " .. type(value))
  end
end

-- Lists are shared with running dispatches: changing one makes a new one.
local function with(list, value)
  local longer = {}
  for i, v in ipairs(list) do
    longer[i] = v
  end
  longer[#longer + 1] = value
  return longer
end

local function without(list, value)
  local shorter = {}
  for _, v in ipairs(list) do
    if v ~= value then
      shorter[#shorter + 1] = v
    end
  end
  return shorter
end

-- The event types of a registration: name -> true, or nil for every event.
local function wanted_types(names)
  if type(names) == "string" then
    names = { names }
  end
  if type(names) ~= "table" then
    errors.raise(3, "router:on: argument 1 must be an event's name or a list "
      .. "of names, got " .. type(names))
  end
  if #names == 0 then
    errors.raise(3, "router:on: argument 1 is an empty list; '*' means every "
      .. "event")
  end
  if not tables.is_list(names) then
    errors.raise(3, "router:on: argument 1 must be a list of names without "
      .. "holes")
  end
  local types = {}
  for _, name in ipairs(names) do
    types[name == "*" and "*" or events.check("router:on", name, 2)] = true
  end
  return not types["*"] and types or nil
end

-- Filter and handler are called as one: a predicate that raises is a failure
-- of its handler.
local function filtered(match, handler)
  return function(event, context)
    if not match(event) then
      return UNMATCHED
    end
    return handler(event, context)
  end
end

--- Registers a handler.
---@param names string|string[] event names or aliases; `"*"` is every event,
--- also one that the catalogue does not know
---@param filter table<string, any>? field -> value, list of values or
--- predicate; may be left out
---@param handler flexhooks.Handler
---@return table subscription for `off`
---@overload fun(self, names: string|string[], handler: flexhooks.Handler):
--- table
function Router:on(names, filter, handler)
  check_self(self, "on")
  local types = wanted_types(names)
  if handler == nil and type(filter) == "function" then
    filter, handler = nil, filter
  end
  if filter ~= nil and type(filter) ~= "table" then
    errors.raise(2, "router:on: argument 2 must be a filter or the handler, "
      .. "got " .. type(filter))
  end
  check_function("router:on", filter and 3 or 2, handler)
  local match, narrowed
  if filter then
    match, narrowed = filters.compile("router:on", filter)
  end
  local subscription = setmetatable({
    types = types, narrowed = narrowed, handler = handler,
    run = match and filtered(match, handler) or handler,
  }, Subscription)
  self.subscriptions = with(self.subscriptions, subscription)
  self.lists = nil
  return subscription
end

--- Removes a handler.
---@param subscription table what `on` returned
---@return boolean removed false where it was not registered here any more
function Router:off(subscription)
  check_self(self, "off")
  if getmetatable(subscription) ~= Subscription then
    errors.raise(2, "router:off: argument 1 must be what router:on returned, "
      .. "got " .. type(subscription))
  end
  local left = without(self.subscriptions, subscription)
  local removed = #left < #self.subscriptions
  self.subscriptions, self.lists = left, nil
  return removed
end

--- Adds a middleware inside those that are there already.
---@param middleware flexhooks.Middleware
function Router:use(middleware)
  check_self(self, "use")
  check_function("router:use", 1, middleware)
  self.middleware = with(self.middleware, middleware)
end

--- Sets the handler of events that no other handler matched.
---@param handler flexhooks.Handler replaces the one before
function Router:fallback(handler)
  check_self(self, "fallback")
  check_function("router:fallback", 1, handler)
  self.last = { handler = handler, run = handler }
end

--- Adds a function that is told of every failed handler.
---@param f fun(err: flexhooks.Error, event: table, context: flexhooks.Context)
function Router:on_error(f)
  check_self(self, "on_error")
  check_function("router:on_error", 1, f)
  self.observers = with(self.observers, f)
end

--- The names of the events that have a handler, for a webhook's registration.
-- `"*"` among them means all; a handler of `"*"` whose filter names its event
-- types has those alone.
---@return string[] names sorted, canonical
function Router:subscribed()
  check_self(self, "subscribed")
  local set = {}
  for _, s in ipairs(self.subscriptions) do
    for name in pairs(s.types or s.narrowed or ALL) do
      set[name] = true
    end
  end
  return tables.sorted_keys(set)
end

-- One list for each event of the catalogue, and one for all others.
local function build_lists(subscriptions)
  local lists = { ["*"] = {} }
  for _, name in ipairs(events.names()) do
    lists[name] = {}
  end
  for _, s in ipairs(subscriptions) do
    for name in pairs(s.types or lists) do
      local list = lists[name]
      list[#list + 1] = s
    end
  end
  return lists
end

-- Records a failure in `failed`, which is made with the first one, and tells
-- whoever asked to be told. An observer's own failure only reaches the log.
local function report(router, failed, failure, event, context)
  failed = handler_errors.add(failed, failure)
  for _, observer in ipairs(router.observers) do
    local ok, own = xpcall(observer, raised, failure, event, context)
    if not ok then
      context.log("error", "on_error failed", { error = tostring(own),
        traceback = own.traceback })
    end
  end
  return failed
end

-- Returns the failures so far, and whether the handler was for this event.
local function call(router, subscription, failed, event, context)
  local ok, value, err = xpcall(subscription.run, raised, event, context)
  if not ok then
    return report(router, failed, value, event, context), true
  elseif not value and err ~= nil then
    local failure = handler_errors.returned(err, subscription.handler)
    return report(router, failed, failure, event, context), true
  elseif value and value ~= true and value ~= UNMATCHED then
    refusal.warn(value, subscription.handler, context)
  end
  return failed, value ~= UNMATCHED
end

-- Runs every handler that matches.
local function call_handlers(router, failed, event, context)
  local lists = router.lists
  if not lists then
    lists = build_lists(router.subscriptions)
    router.lists = lists
  end
  local list, last = lists[event.EventType] or lists["*"], router.last
  local any = false
  for i = 1, #list do
    local matched
    failed, matched = call(router, list[i], failed, event, context)
    any = any or matched
  end
  if last and not any then
    failed = call(router, last, failed, event, context)
  end
  return failed
end

local function outcome(failed)
  if failed then
    return nil, failed
  end
  return true
end

-- Runs the middleware from the i-th inwards, then the handlers. `run.failed`
-- grows as failures happen, so what `next` returned stays true.
local function run_from(run, i)
  local middleware = run.list[i]
  if not middleware then
    run.failed =
      call_handlers(run.router, run.failed, run.event, run.context)
    return
  end
  local called = false
  local function next_one()
    if run.ended then
      return nil, errors.new("closed", "next: the event has ended already")
    end
    if not called then
      called = true
      run_from(run, i + 1)
    end
    return outcome(run.failed)
  end
  local ok, value, err =
    xpcall(middleware, raised, run.event, run.context, next_one)
  local failure
  if not ok then
    failure = not handler_errors.has(run.failed, value.cause) and value or nil
  elseif not value and err ~= nil
    and not handler_errors.has(run.failed, err) then
    failure = handler_errors.returned(err, middleware)
  elseif value and value ~= true then
    refusal.warn(value, middleware, run.context)
  end
  if failure then
    run.failed =
      report(run.router, run.failed, failure, run.event, run.context)
  end
end

local function run_wrapped(router, _, event, context)
  local run = { router = router, list = router.middleware, event = event,
    context = context }
  run_from(run, 1)
  run.ended = true
  return run.failed
end

--- `dispatch` without its checks, for those who make event and context
-- themselves.
---@param router flexhooks.Router
---@param event table with its canonical EventType
---@param context flexhooks.Context complete
---@param due number of the monotonic clock: its deadline
---@return boolean? ok
---@return flexhooks.Error? err
function M.run(router, event, context, due)
  local token = runtime.enter(due)
  local run = #router.middleware == 0 and call_handlers or run_wrapped
  local failed = run(router, nil, event, context)
  if runtime.leave(token) then
    failed = failed
      or report(router, nil, handler_errors.cut(), event, context)
    failed.kind = "timeout"
  end
  if failed then
    return nil, failed
  end
  return true
end

local function check_event(event)
  if type(event) ~= "table" then
    errors.raise(3, "router:dispatch: argument 1 must be an event, got "
      .. type(event))
  end
  if type(event.EventType) ~= "string" or event.EventType == "" then
    errors.raise(3, "router:dispatch: the event has no EventType")
  end
end

local function check_context(context)
  if type(context) ~= "table" then
    errors.raise(3, "router:dispatch: argument 2 must be a context, got "
      .. type(context))
  end
  local deadline = context.deadline
  if deadline and (type(deadline) ~= "number" or deadline ~= deadline) then
    errors.raise(3, "router:dispatch: context.deadline must be a time in Unix "
      .. "seconds, got " .. (deadline ~= deadline and "NaN" or type(deadline)))
  end
end

--- Runs the handlers of an event. What `context` leaves out is filled in.
---@param event table its EventType becomes canonical
---@param context table? see `flexhooks.Context`
---@return boolean? ok
---@return flexhooks.Error? err kind `handler`, or `timeout` where the deadline
--- cut a call; `errors` holds each failure with its `traceback`; `retry` is
--- false where no failure wants another attempt; `retry_after` the longest
--- wish
function Router:dispatch(event, context)
  check_self(self, "dispatch")
  check_event(event)
  if context == nil then
    context = {}
  end
  check_context(context)
  local wire = event.EventType
  context.wire_type = context.wire_type or wire
  event.EventType = events.canonical(wire) or wire
  contexts.fill(context, event, self.logger)
  local seconds = context.deadline - runtime.now()
  return M.run(self, event, context, runtime.clock() + seconds)
end

--- Makes a router.
---@param given { logger: function? }?
---@return flexhooks.Router
function M.new(given)
  local checked = options.check("flexhooks.router", {
    logger = { type = "function" },
  }, given)
  return setmetatable({
    logger = checked.logger and log.wrap(checked.logger),
    subscriptions = {}, middleware = {}, observers = {},
  }, Router)
end

--- Is `value` a router?
---@return boolean
function M.is(value)
  return getmetatable(value) == Router
end

return M
