--- Workers: what takes events from a queue and runs the handlers.
--
-- A worker runs up to `concurrency` interactions at once, the events of one of
-- them strictly in the order stored. An attempt is counted, durably, before
-- its handlers run; a failed one is retried later without holding up any other
-- interaction; the last one sends the event to the dead letters.
-- @module flexhooks.worker

local attempt = require "flexhooks.worker.attempt"
local errors = require "flexhooks.error"
local handler_errors = require "flexhooks.router.handler_error"
local runtime = require "flexhooks.runtime.current"
local log = require "flexhooks.log"
local schedulers = require "flexhooks.worker.scheduler"
local options = require "flexhooks.util.options"
local queue = require "flexhooks.queue"

local M = {}

---@class flexhooks.Worker
local Worker = { __name = "flexhooks.worker" }
Worker.__index = Worker

local SCAN = 256 -- refs in one look past the cursor
local READ_AHEAD = 200000 -- refs kept while their interactions are busy
local RECHECK = 1 -- seconds between looks at parked interactions
local OPEN_AGAIN = 0.5 -- seconds until a queue that is coming up is tried
local NO_MEMORY = errors.new("handler", "not enough memory")

local function pair_of_seconds(value)
  local first, last = value[1], value[2]
  if type(first) ~= "number" or type(last) ~= "number" or first ~= first
    or last ~= last or first < 0 or last < first or last > 86400 then
    return "must be { first, longest } in seconds, such as { 1, 300 }"
  end
end

local SPEC = {
  queue = { type = { "table", "string" }, required = true,
    check = function(value)
      if type(value) == "table" and not queue.is(value) then
        return "must be a flexhooks.queue or its URL"
      end
    end },
  router = { type = "table", required = true, check = function(value)
    if type(value.dispatch) ~= "function" then
      return "must be a flexhooks.router"
    end
  end },
  client = { type = { "table", "function" } },
  concurrency = { type = "integer", min = 1, max = 10000, default = 32 },
  max_attempts = { type = "integer", min = 1, max = 1000000, default = 8 },
  backoff = { type = "table", check = pair_of_seconds, default = { 1, 300 } },
  handler_timeout = { type = "number", min = 0.001, max = 86400,
    default = 60 },
  on_exhausted = { type = "string", one_of = { "skip", "park" },
    default = "skip" },
  grace = { type = "number", min = 0, default = 25 },
  lease = { type = "number", min = 0.2, max = 604800 },
  logger = { type = "function" },
  on_outcome = { type = "function" },
}

local function open(url)
  local ok, made = pcall(queue.new, url)
  if not ok then
    errors.raise(3, "flexhooks.worker: option 'queue': "
      .. made.message:gsub("^flexhooks%.queue: ", ""), made.kind)
  end
  return made
end

--- A worker; nothing is opened before `run`.
---@param given table `queue` and `router`; `client` (for handlers, as
-- `context.client`), `concurrency` (interactions at once, 32), `max_attempts`
-- (8), `backoff` ({ first, longest } seconds, { 1, 300 }), `handler_timeout`
-- (seconds, 60), `on_exhausted` ("skip": the interaction goes on; "park": it
-- waits until the dead letter is replayed or discarded), `grace` (seconds that
-- `stop` gives to running handlers, 25), `lease` (seconds, Redis only: 1.5
-- times the handler timeout), `logger`, `on_outcome` (function(outcome, event,
-- context, seconds, reason), outcome one of handled, retried, dead, once the
-- queue has taken it; reason that of the dead letter)
---@return flexhooks.Worker
function M.new(given)
  local self = options.check("flexhooks.worker", SPEC, given)
  if type(self.queue) == "string" then
    self.queue = open(self.queue)
  end
  self.logger = self.logger and log.wrap(self.logger)
  self.lease = self.lease or 1.5 * self.handler_timeout
  self.active = 0 -- refs begun or about to be
  self.tasks = {} -- ref -> its task
  self.totals = { handled = 0, retried = 0, dead = 0 }
  return setmetatable(self, Worker)
end

-- Nothing is logged where nobody asked for it.
function Worker:log(level, message, fields)
  if self.logger then
    self.logger(level, message, fields)
  end
end

-- Ends the main task's rest, now or as soon as it begins.
function Worker:nudge()
  self.nudged = true
  if self.signal then
    self.signal:set()
  end
end

-- Waits for a nudge. A cancelled main task does not wait for what runs.
function Worker:rest(seconds)
  if not self.nudged then
    self.signal = runtime.event()
    local _, err = self.signal:wait(seconds)
    self.signal = nil
    if err and err.kind == "cancelled" then
      self.stopping, self.abandoned = true, true
    end
  end
  self.nudged = false
end

-- What breaks a worker's own work ends the worker with an error: it must not
-- look alive and do nothing.
function Worker:fail(why)
  if not self.failure then
    local made, err = pcall(errors.new, "handler", tostring(why))
    self.failure = made and err or NO_MEMORY
  end
  self.patience, self.stopping = 0, true
  self:nudge()
end

-- Keeps an event in its line after an attempt that broke, and tries it again.
function Worker:keep_place(ref, why)
  self.consumer:let_go(ref)
  self.lanes:retry(ref, runtime.clock() + self.backoff[2])
  self:log("error", "an attempt broke", { id = ref.seq,
    error = tostring(why) })
end

-- The body of one task: one event, from its beginning to its outcome. What
-- breaks outside of its handlers keeps its place, and is tried again.
function Worker:handle(ref)
  local ok, why = pcall(attempt.run, self, ref)
  if not ok then
    ok, why = pcall(self.keep_place, self, ref, why)
  end
  if not ok then
    self:fail(why)
  end
  self.active = self.active - 1
  self.tasks[ref] = nil
  self:nudge()
end

-- Takes refs as the consumer found them.
function Worker:add(refs)
  for _, ref in ipairs(refs) do
    if ref.parked then
      self.parked[ref.seq] = ref
      ref.at = math.huge
    elseif ref.delay then
      ref.at = runtime.clock() + ref.delay
    end
    self.lanes:add(ref)
  end
end

-- A queue that was closed is there no more: the worker ends.
function Worker:heed(err)
  if err.kind == "closed" then
    self.failure = err
    self:stop(0)
  end
end

-- Looks past the cursor until enough can start, there is no more, or enough is
-- known. What can start does not wait for the end of that, and others run
-- between two looks.
function Worker:fill()
  while not self.stopping and self.lanes.known < READ_AHEAD
    and self.lanes:startable(runtime.clock())
      < self.concurrency - self.active do
    local refs, err = self.consumer:scan(SCAN)
    if not refs then
      self:log("error", "the queue cannot be read", { error = tostring(err) })
      self:heed(err)
      return 1
    end
    self:add(refs)
    self:start()
    if #refs < SCAN then
      return nil
    end
    runtime.sleep(0)
  end
end

-- Nothing starts in the last fifth of a lease.
function Worker:may_start(ref)
  local left = self.consumer:lease_left(ref)
  return not left or left > self.lease / 5
end

-- Fills the free places with the lines whose turn it is.
function Worker:start()
  while self.active < self.concurrency and not self.stopping do
    local ref = self.lanes:take(runtime.clock())
    if not ref then
      return
    end
    if self:may_start(ref) then
      local task = runtime.spawn(self.handle, self, ref)
      self.active = self.active + 1
      self.tasks[ref] = task
    else
      self.lanes:retry(ref, runtime.clock() + self.lease / 10)
    end
  end
end

-- Parked interactions go on when their dead letter was replayed or discarded.
-- They may be many, so they are not looked at with every turn. Returns the
-- seconds until the next look, or nil where none are parked.
function Worker:recheck()
  local left = self.look_at - runtime.clock()
  if left > 0 or not next(self.parked) then
    return next(self.parked) and left or nil
  end
  self.look_at = runtime.clock() + RECHECK
  local refs = {}
  for _, ref in pairs(self.parked) do
    refs[#refs + 1] = ref
  end
  for _, ref in ipairs(self.consumer:recheck(refs) or {}) do
    -- Where its partition was lost meanwhile, its lane was dropped: nothing
    -- comes of a release.
    if self.parked[ref.seq] == ref then
      self.parked[ref.seq] = nil
    end
    self.lanes:release(ref)
  end
  return RECHECK
end

-- Partitions that are no longer ours: forget what is known of them, and end
-- what runs, whose outcome would not be taken. Nothing here may wait.
function Worker:lose(parts)
  for part in pairs(parts) do
    self.lanes:drop(part)
    for ref, task in pairs(self.tasks) do
      if ref.part == part then
        task:cancel()
      end
    end
    for seq, ref in pairs(self.parked) do
      if ref.part == part then
        self.parked[seq] = nil
      end
    end
  end
end

-- A renewal that fails is repeated with the next beat, as long as the lease
-- lasts.
function Worker:renew()
  local ok, err = self.consumer:beat()
  if not ok and err.kind ~= "cancelled" then
    self:log("warn", "the leases were not renewed", { error = tostring(err) })
    self:heed(err)
  end
end

-- Without leases nothing would start any more.
function Worker:keep_leases()
  local ok, why = pcall(self.beat, self)
  if not ok then
    self:fail(why)
  end
end

-- Keeps what the consumer owns, until the worker ends.
function Worker:beat()
  local every = self.consumer:beat_every()
  while every and not self.ended do
    self.beat_signal = runtime.event()
    self.beat_signal:wait(every)
    if not self.ended then
      self:renew()
    end
    self:nudge()
  end
end

local function soonest(...)
  local least
  for i = 1, select("#", ...) do
    local seconds = select(i, ...)
    if seconds and (not least or seconds < least) then
      least = seconds
    end
  end
  return least
end

-- Starts all that can start, then rests until something changes.
function Worker:turn()
  local pause, look = self:fill(), self:recheck()
  self:start()
  local earliest = self.lanes:earliest()
  self:rest(soonest(pause,
    earliest and math.max(earliest - runtime.clock(), 0), look))
end

-- Waits for what runs; what does not end in time is cancelled, and its attempt
-- stays counted. What has ended and is being written down has a moment more.
function Worker:drain()
  local began = runtime.clock()
  while self.active > 0 and not self.abandoned
    and runtime.clock() < began + self.patience do -- a second stop changes it
    self:rest(math.max(began + self.patience - runtime.clock(), 0))
  end
  self.abandoned = true
  local cut = 0
  for ref, task in pairs(self.tasks) do
    if not ref.settling then
      task:cancel()
      cut = cut + 1
    end
  end
  local deadline = runtime.clock() + 1
  for _, task in pairs(self.tasks) do
    task:wait(math.max(deadline - runtime.clock(), 0))
    task:cancel()
  end
  return cut
end

-- What passes by itself: a Redis that has just been started.
local PASSING = { loading = true, busy = true, masterdown = true }

-- Opens the consumer. A queue that is not there is an error at once; one that
-- is about to be is waited for.
function Worker:open()
  local ok, err = self.consumer:open()
  while not ok and PASSING[err.reason] and not self.stopping do
    self:rest(OPEN_AGAIN)
    ok, err = self.consumer:open()
  end
  return ok, err
end

-- Everything between opening the consumer and closing it. What an earlier run
-- knew of the queue is forgotten; `parked` are, by their seq, the refs that
-- only a replay or a discard moves.
function Worker:consume()
  self.lanes, self.parked, self.look_at = schedulers.new(), {}, 0
  local ok, err = self:open()
  if not ok then
    return nil, err
  end
  self:log("info", "worker started", { queue = tostring(self.queue),
    concurrency = self.concurrency })
  self.beater = runtime.spawn(self.keep_leases, self)
  while not self.stopping do
    self:turn()
  end
  local cancelled = self:drain()
  self.ended = true
  self.beater:cancel()
  self.beater:wait()
  self:log("info", "worker stopped", { cancelled = cancelled,
    handled = self.totals.handled, retried = self.totals.retried,
    dead = self.totals.dead })
  ok, err = self.consumer:close()
  if self.failure then
    return nil, self.failure
  end
  return ok, err
end

-- Ends what a worker has left that broke: what it owned is free for others.
function Worker:clean_up()
  self.stopping, self.abandoned, self.ended = true, true, true
  self:drain()
  if self.beater then
    self.beater:cancel()
  end
  self.consumer:close()
end

-- The worker's main task.
function Worker:work()
  self.consumer = self.queue:consumer {
    lease = self.lease,
    lost = function(parts)
      self:lose(parts)
    end,
    wake = function(urgent)
      if urgent then
        self.look_at = 0
      end
      self:nudge()
      if urgent and self.beat_signal then
        self.beat_signal:set()
      end
    end,
  }
  local called, ok, err = xpcall(self.consume, handler_errors.raised, self)
  if not called then
    ok, err = nil, errors.is(ok) and ok
      or errors.new("handler", tostring(ok))
    self:log("error", "the worker broke", { error = tostring(err) })
    pcall(self.clean_up, self)
  end
  self.beater = nil
  -- Not before: a stop may come between the call of `run` and its task.
  self.running, self.stopping, self.patience = false, false, nil
  return ok, err
end

--- Works until `stop`, whoever waits meanwhile: a task, or all code that there
-- is.
---@return true|nil ok
---@return flexhooks.Error? err the queue could not be opened, or was closed
function Worker:run()
  options.method(Worker, "worker:run", self)
  if self.running then
    errors.raise(2, "worker:run: this worker runs already")
  end
  self.running = true
  self.abandoned, self.ended, self.failure = false, false, nil
  local main = runtime.spawn(self.work, self)
  local ok, err = main:wait()
  if not ok and err.kind == "cancelled" then
    self:stop(0)
  end
  return ok, err
end

--- Asks the worker to stop: nothing starts any more, what runs gets `grace`
-- seconds, and `run` returns. What was not started stays in the queue.
---@param grace number? seconds; the worker's own where absent
function Worker:stop(grace)
  options.method(Worker, "worker:stop", self)
  grace = options.argument("worker:stop", 1, { type = "number", min = 0 },
    grace)
  self.patience = grace or self.patience or self.grace
  self.stopping = true
  self:nudge()
end

return M
