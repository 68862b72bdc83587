--- flexhooks work: runs an application's handlers on what a queue holds.
-- @module flexhooks.cli.work

local log = require "flexhooks.cli.log"
local metrics = require "flexhooks.metrics"
local output = require "flexhooks.cli.output"
local settings = require "flexhooks.cli.settings"

local M = {}

M.summary = "Handle the events of a queue, without receiving any."
M.example = [[
FLEXHOOKS_QUEUE=redis://127.0.0.1:6379/0 flexhooks work app.lua \
  --admin 127.0.0.1:9181]]

local PROGRESS = 0.5 -- seconds between two states of the progress line
local BACKLOG = 100 -- events from which on it is shown

--- Adds the command's arguments to its parser.
function M.configure(parser)
  parser:argument("app", "The application file: it returns a router or a "
    .. "table of settings.")
  parser:option("--queue", "The queue's URL. Default: the application's, or "
    .. "$FLEXHOOKS_QUEUE."):argname("URL")
  parser:option("--concurrency", "Interactions handled at once.")
    :argname("N"):convert(settings.number "--concurrency")
  parser:option("--grace", "Seconds to finish what runs when stopped.")
    :argname("SECONDS"):convert(settings.number "--grace")
  parser:option("--admin", "Address of /healthz and /metrics.")
    :argname("HOST:PORT")
  log.configure(parser)
end

-- What /healthz and /metrics tell, on the address that was given: that of the
-- application is for a server, which may run beside us.
local function open_admin(worker, state, address)
  state.metrics:watch(worker.queue)
  state.metrics:gauge("in_flight", function()
    return worker.active
  end)
  local ok, err = require("flexhooks.server.admin").open(state, address)
  if ok then
    worker:log("info", "administrative address",
      { admin = state.admin_address })
  end
  return ok, err
end

-- The first signal stops, a second one stops at once.
local function watch_signals(worker, state)
  local loop = require "flexhooks.runtime.loop"
  local signals = loop.poller():signals("TERM", "INT")
  local source = loop.add_source {
    fd = signals:fd(), interest = "r",
    run = function()
      while signals:next() do
        worker:stop(state.stopping and 0 or nil)
        state.stopping = true
      end
    end,
  }
  return function()
    source:remove()
    signals:close()
  end
end

-- Standard error with a line that says how far the work is; what is logged
-- takes its place.
local Screen = {}
Screen.__index = Screen

function Screen:wipe()
  if self.shown then
    self.shown = false
    io.stderr:write("\r\27[K")
  end
end

function Screen:write(text)
  self:wipe()
  return io.stderr:write(text)
end

function Screen:show(text)
  self.shown = true
  io.stderr:write("\r", text, "\27[K")
end

-- "1234 handled, 567 left, 890/s" on one line of a terminal, while there is a
-- backlog.
local function show_progress(worker, screen)
  local flexhooks = require "flexhooks"
  local before = 0
  while worker.running do
    local ended = not flexhooks.sleep(PROGRESS)
    local stats = not ended and worker.queue:stats()
    local handled = worker.totals.handled
    local left = stats and stats.ready + stats.running + stats.delayed or 0
    if left >= BACKLOG then
      screen:show(("%d handled, %d left, %.0f/s"):format(handled, left,
        (handled - before) / PROGRESS))
    else
      screen:wipe()
    end
    before = handled
    if ended then
      return
    end
  end
end

local function work(worker, state, address)
  local flexhooks = require "flexhooks"
  if address then
    local opened, err = open_admin(worker, state, address)
    if not opened then
      return nil, err
    end
  end
  local done = watch_signals(worker, state)
  local progress = output.is_terminal(io.stderr)
    and flexhooks.spawn(show_progress, worker, state.screen)
  local ok, err = worker:run()
  if progress then
    progress:cancel()
  end
  done()
  if address then
    state.admin:close()
  end
  return ok, err
end

local function load(given, screen)
  local url, err = settings.typed_queue(given)
  if err then
    return nil, err
  end
  local logger = log.new(given, screen)
  local app
  app, err = require("flexhooks.app").load("flexhooks work", given.app,
    { logger = logger }, { logger = logger, typed = { queue = url,
      concurrency = given.concurrency, grace = given.grace } })
  local queue = app and app.settings.queue
  err = err or queue and settings.unshared(queue.backend.name)
  if err then
    return nil, err
  end
  return app
end

--- Runs the command.
---@param given table the parsed arguments
---@return true? done
---@return flexhooks.Error? err
function M.run(given)
  local screen = setmetatable({ shown = false }, Screen)
  local app, err = load(given, screen)
  if not app then
    return nil, err
  end
  local state = { metrics = metrics.new(), stopping = false, screen = screen }
  local worker
  worker, err = app:worker {
    on_outcome = given.admin and state.metrics:outcomes() or nil,
  }
  if not worker then
    return nil, err
  end
  local ok
  ok, err = require("flexhooks").run(work, worker, state, given.admin)
  worker.queue:close()
  return ok, err
end

return M
