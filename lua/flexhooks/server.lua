--- The standalone server.
--
--     flexhooks.serve { app = "app.lua", port = 8080,
--                       admin = "127.0.0.1:9180" }
--
-- Speaks HTTP on the loopback address and leaves TLS to a proxy in front.
-- @module flexhooks.server

local address = require "flexhooks.server.address"
local admin = require "flexhooks.server.admin"
local apps = require "flexhooks.app"
local core = require "flexhooks.core.listener"
local errors = require "flexhooks.error"
local runtime = require "flexhooks.runtime.current"
local dispatchers = require "flexhooks.server.dispatcher"
local log = require "flexhooks.log"
local loop = require "flexhooks.runtime.loop"
local metrics = require "flexhooks.metrics"
local options = require "flexhooks.util.options"
local queues = require "flexhooks.queue"
local receiver = require "flexhooks.receiver"
local redis_errors = require "flexhooks.queue.redis.errors"
local task = require "flexhooks.runtime.task"

local M = {}

local FN = "flexhooks.serve"
local HOST, PORT = "127.0.0.1", 8080
local CONCURRENCY = 256 -- events handled at once, where there is no queue
local GRACE = 25 -- seconds
local STORE_ROUNDS = 200 -- reads before a commit, so that many share it
local ANSWER_TIME = 60 -- seconds; longer than any handler may take
local LOOK = 0.02 -- seconds between looks at what still runs
local LOOK_FOR_QUEUE = 0.5 -- seconds until a queue that is down is tried again
local LAST_STEPS = 2 -- seconds for a worker to give back what it owns

local SPEC = { app = { type = { "string", "table" } } }
for name, rule in pairs(apps.SETTINGS) do
  SPEC[name] = rule
end

---@class flexhooks.Server
---@field port integer the port that is bound
---@field admin_port integer? of the administrative address
---@field metrics flexhooks.Metrics
---@field stopping boolean
local Server = { __name = "flexhooks.server" }
Server.__index = Server

local function open_listener(self)
  local settings = self.settings
  local given = self.app:listener_limits()
  given.host, given.port = settings.host or HOST, settings.port or PORT
  given.fd = settings.fd
  given.headers, given.repeatable = receiver.HEADERS, receiver.REPEATABLE
  given.answer_time = math.max(ANSWER_TIME,
    2 * (settings.handler_timeout or 0))
  local listener, kind, message = core.new(given)
  if not listener then
    return nil, errors.new(kind, message)
  end
  self.port = listener:port()
  return listener
end

local function start_intake(self, listener)
  local settings, hooks = self.settings, self.receiver
  self.intake = dispatchers.new {
    listener = listener,
    rounds = settings.queue and STORE_ROUNDS or 1,
    concurrency = not settings.queue
      and (settings.concurrency or CONCURRENCY) or nil,
    whom = hooks,
    answer = hooks.answer,
    accept = settings.queue and hooks.accept,
  }
  self.metrics:gauge("in_flight", function()
    return self.intake.in_flight
  end)
  self.metrics:gauge("connections", function()
    return listener:active()
  end)
end

-- Nobody is told that the server listens while its queue cannot be used. One
-- that is only down now is waited for, and events get 503 meanwhile.
local function open_queue(self)
  local queue = self.settings.queue
  if not queues.is(queue) then
    return true
  end
  local ok, err, passing = queue:ready()
  if not passing then
    return ok, err
  end
  self.log("error", "the queue cannot be reached; until it can, events are "
    .. "refused with 503", { error = tostring(err) })
  return true
end

local function open(self)
  local made, err = self.app:receiver { logger = self.log,
    metrics = self.metrics }
  if not made then
    return nil, err
  end
  self.receiver = made
  local ok
  ok, err = open_queue(self)
  if not ok then
    return nil, err
  end
  local listener
  listener, err = open_listener(self)
  if not listener then
    return nil, err
  end
  start_intake(self, listener)
  if self.settings.admin then
    return admin.open(self, self.settings.admin)
  end
  return true
end

-- The first signal stops, a second one stops at once. SIGPIPE is taken too, so
-- that a log whose reader has gone does not end the server.
local function watch_signals(self)
  local signals = loop.poller():signals("TERM", "INT", "PIPE")
  self.signals = signals
  self.signal_source = loop.add_source {
    fd = signals:fd(), interest = "r",
    run = function()
      for name in signals.next, signals do
        if name ~= "PIPE" then
          self.log("info", "signal received", { signal = name })
          self:stop(self.stopping and 0 or nil)
        end
      end
    end,
    timeout = function() end,
  }
end

-- A worker gives up where its queue is not there; the server does not.
local function run_worker(self)
  local ok, err
  repeat
    ok, err = self.worker:run()
  until ok or self.stopping or not redis_errors.passes(err)
    or not runtime.sleep(LOOK_FOR_QUEUE)
  return ok, err
end

-- The worker that handles here what is stored here.
local function start_worker(self)
  local settings = self.settings
  if not settings.queue then
    return true
  end
  self.metrics:watch(settings.queue)
  if settings.worker == false or not settings.router then
    return true
  end
  local worker, err = self.app:worker { logger = self.log,
    on_outcome = self.metrics:outcomes() }
  if not worker then
    return nil, err
  end
  self.worker = worker
  self.worker_task = loop.spawn(function()
    local ok, failed = run_worker(self)
    self.worker_ended = true
    if not ok and not self.stopping then
      self.failure = failed
      self:stop(0)
    end
  end)
  return true
end

local function idle(self)
  return self.intake:idle() and (not self.worker or self.worker_ended)
end

-- Lets everything that runs end, until the time is over.
local function drain(self)
  self.intake.listener:quiesce()
  if self.worker then
    self.worker:stop(self.grace)
  end
  while not idle(self) do
    local left = self.deadline - runtime.clock()
    if left <= 0 then
      return
    end
    self.hurry = runtime.event()
    local _, err = self.hurry:wait(math.min(LOOK, left))
    if errors.is(err) and err.kind == "cancelled" then
      return
    end
  end
end

-- Ends the worker while its queue is open still: what it owns is free for
-- others at once.
local function end_worker(self)
  if self.worker_task and not self.worker_ended then
    self.worker:stop(0)
    self.worker_task:wait(LAST_STEPS)
    self.worker_task:cancel()
  end
end

local function close(self)
  local unfinished = 0
  if self.intake then
    unfinished = self.intake:close()
  end
  end_worker(self)
  if self.admin then
    self.admin:close()
  end
  if self.signal_source then
    self.signal_source:remove()
    self.signals:close()
  end
  return unfinished
end

local function run(self)
  self.log("info", "listening", { admin = self.admin_address,
    address = address.format(self.settings.host or HOST, self.port) })
  if self.settings.on_ready then
    self.settings.on_ready(self)
  end
  self.stopped:wait()
  if not self.stopping then -- the task that serves was cancelled
    self:stop(0)
  end
  self.log("info", "stopping", { in_flight = self.intake.in_flight,
    grace = self.grace })
  drain(self)
end

local function report(self, unfinished)
  self.log(unfinished == 0 and "info" or "warn", "stopped",
    { unfinished = unfinished })
  if self.failure then
    return nil, self.failure
  elseif unfinished == 0 then
    return true
  end
  return nil, errors.new("cancelled", ("stopped before %d requests were "
    .. "answered"):format(unfinished))
end

local function serve(self)
  local ok, err = open(self)
  if ok then
    ok, err = start_worker(self)
  end
  if not ok then
    close(self)
    self.app:close()
    return nil, err
  end
  if self.settings.signals ~= false then
    watch_signals(self)
  end
  local called, raised = pcall(run, self)
  local unfinished = close(self)
  self.app:close()
  if not called then
    error(raised, 0)
  end
  return report(self, unfinished)
end

local CUT = {} -- raised to end the tasks that outlive the grace

-- Runs the loop for this server. Tasks that handlers have started, and that
-- nobody waits for, have what is left of the grace.
local function serve_alone(self)
  local ok, err
  local called, raised = pcall(loop.run, function()
    ok, err = serve(self)
    while task.count() > 1 do
      if not self.deadline or runtime.clock() >= self.deadline then
        error(CUT, 0)
      end
      runtime.sleep(LOOK)
    end
  end)
  if not called and raised ~= CUT then
    error(raised, 0)
  end
  return ok, err
end

--- Stops the server; `serve` returns when that is done.
---@param grace number? seconds for what runs to end, the configured one where
--- absent; a second call can only shorten it
function Server:stop(grace)
  if getmetatable(self) ~= Server then
    errors.raise(2, "server.stop: call it with a colon, server:stop(…)")
  end
  grace = options.argument("server:stop", 1, { type = "number", min = 0 },
    grace) or self.grace
  local deadline = runtime.clock() + grace
  if deadline < (self.deadline or math.huge) then
    self.deadline, self.grace = deadline, grace
  end
  self.stopping = true
  self.stopped:set(true)
  if self.hurry then
    self.hurry:set(true)
  end
end

-- Serves what was loaded.
local function run_app(app, logger)
  local settings = app.settings
  local self = setmetatable({
    app = app, settings = settings, grace = settings.grace or GRACE,
    log = log.wrap(settings.logger or logger),
    metrics = metrics.new(), refused = {}, stopping = false,
    stopped = runtime.event(),
  }, Server)
  if task.current() then
    return serve(self)
  end
  return serve_alone(self)
end

--- Serves an application until it is stopped by `server:stop` or, unless
-- `signals` is false, by SIGTERM or SIGINT.
--
-- Runs the loop, or within `flexhooks.run` belongs to the task that calls it.
---@param given table `app`, and settings for what it leaves out; see
-- docs/server.md
---@return boolean? ok
---@return flexhooks.Error? err kind `config`, `listen`, or `cancelled` where
-- the time was over before all requests were answered
function M.serve(given)
  if runtime.name == "nginx" then
    errors.raise(2, FN .. ": nginx is the server here: answer in "
      .. "content_by_lua* with require(\"flexhooks.nginx\").handle",
      "unsupported")
  end
  local checked = options.check(FN, SPEC, given)
  local stderr = log.stderr()
  local app, err = apps.load(FN, checked.app, checked, { logger = stderr })
  if not app then
    return nil, err
  end
  return run_app(app, stderr)
end

--- The same for the command: what somebody typed outranks the application.
-- Internal.
---@param path string
---@param typed table
---@param logger function where the application has none
---@return boolean? ok
---@return flexhooks.Error? err
function M.command(path, typed, logger)
  local checked = options.check(FN, SPEC, typed)
  local app, err = apps.load(FN, path, {}, { logger = logger,
    typed = checked })
  if not app then
    return nil, err
  end
  return run_app(app, logger)
end

return M
