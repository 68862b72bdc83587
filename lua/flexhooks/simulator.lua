--- A stand-in for the Flex API that plays the life of every interaction.
--
-- Runs inside `flexhooks.run`, on a listener of its own:
--
--     flexhooks.run(function()
--       local simulator = assert(require "flexhooks.simulator".new {
--         account_sid = "AC…", auth_token = "…", speed = 50 })
--       local client = flexhooks.client { base_url = simulator.url, … }
--       …
--       simulator:settle(10)
--       simulator:close()
--     end)
-- @module flexhooks.simulator

local accounts = require "flexhooks.simulator.accounts"
local api = require "flexhooks.simulator.api"
local faults = require "flexhooks.simulator.faults"
local core = require "flexhooks.core"
local deliverers = require "flexhooks.simulator.deliverer"
local errors = require "flexhooks.error"
local api_error = require "flexhooks.simulator.api_error"
local runtime = require "flexhooks.runtime.current"
local ids = require "flexhooks.simulator.ids"
local journal = require "flexhooks.simulator.journal"
local lifecycle = require "flexhooks.simulator.lifecycle"
local limiter = require "flexhooks.simulator.limiter"
local loop = require "flexhooks.runtime.loop"
local options = require "flexhooks.util.options"
local payload = require "flexhooks.simulator.payload"
local random = require "flexhooks.simulator.random"
local shared_keys = require "flexhooks.signature.shared_keys"
local states = require "flexhooks.simulator.state"

local M = {}

local function probability()
  return { type = "number", min = 0, max = 1, default = 0 }
end

local OPTIONS = {
  host = { type = "string", default = "127.0.0.1" },
  port = { type = "integer", min = 0, max = 65535, default = 0 },
  account_sid = { type = "string" },
  auth_token = { type = "string" },
  shared_key = { type = "string" },
  shared_key_id = { type = "string" },
  algorithm = { type = "string" },
  api_key = { type = "string" },
  api_secret = { type = "string" },
  client_id = { type = "string" },
  client_secret = { type = "string" },
  instance_sid = { type = "string" },
  scenario = { type = "string", one_of = lifecycle.names(),
    default = "conversation" },
  speed = { type = "number", min = 0.001, max = 1e6, default = 1 },
  seed = { type = { "string", "number" } },
  rate_limit = { type = "number", min = 1 },
  error_shape = { type = "string", one_of = api_error.SHAPES,
    default = "classic" },
  older_names = { type = "boolean", default = false },
  longest_delay = { type = "number", min = 0, default = 5 },
  logger = { type = "function" },
}
for _, list in ipairs { faults.DELIVERY, faults.SERVICE } do
  for _, trouble in ipairs(list) do
    OPTIONS[trouble] = probability()
  end
end

---@class flexhooks.Simulator
---@field port integer the real one
---@field url string base URL for a client
local Simulator = { __name = "flexhooks.simulator" }
Simulator.__index = Simulator

local HEADERS = { "authorization", "content-type", "host" }

-- Pages' addresses stay on the origin that the caller came by.
local function origin(self, host_header)
  if host_header and host_header:match("^[%w%.%-%[%]:]+$") then
    return "http://" .. host_header
  end
  return self.url
end

local function answer(self, request)
  local method, target, body, authorization, content_type, host_header =
    request:read()
  if not method then
    return
  end
  local path, query = target:match("^([^?]*)%??(.*)$")
  local response = self.api:handle {
    method = method,
    path = path,
    query = query,
    body = body or "",
    authorization = authorization,
    content_type = content_type,
    origin = origin(self, host_header),
  }
  request:reply(response.status, response.headers, response.body)
end

-- Replies leave with the run that follows them.
local function serve_requests(self)
  local listener = self.listener
  listener:run()
  local request = listener:next()
  while request do
    answer(self, request)
    listener:run()
    request = listener:next()
  end
end

-- Tasks end with the simulator, so each is remembered while it runs.
local function start_task(self, f, ...)
  local task, ended
  task = runtime.spawn(function(...)
    f(...)
    ended = true
    if task then
      self.tasks[task] = nil
    end
  end, ...)
  if not ended then
    self.tasks[task] = true
  end
end

local function on_event(self, interaction, event)
  local account = self.accounts.known[interaction.account_sid]
  local recipients = self.world:recipients(interaction, event.EventType)
  local number = interaction.events
  self.journal:raised(account, number, event, #recipients)
  local sent = self.options.older_names and payload.older(event) or event
  for place, webhook in ipairs(recipients) do
    self.courier:take {
      account = account,
      webhook = webhook,
      event = sent,
      number = number,
      key = table.concat({ interaction.ordinal, number, place }, "/"),
    }
  end
end

local function play(self, interaction, name)
  local life = lifecycle.new(name, self.world, interaction)
  local wait = life:wait()
  while wait and runtime.sleep(wait / self.options.speed) do
    life:step()
    wait = life:wait()
  end
end

local function begin(self, interaction, name)
  name = name or self.options.scenario
  if self.chaos:strikes("fail", tostring(interaction.ordinal)) then
    name = "failed"
  end
  start_task(self, play, self, interaction, name)
end

-- Whoever is invited comes after a second.
local function invited(self, invite)
  start_task(self, function()
    local waited = runtime.sleep(1 / self.options.speed)
    if waited and not states.ended(invite.channel) then
      self.world:join(invite.channel, "agent", { task_sid = invite.task_sid })
    end
  end)
end

local function entropy()
  return core.hex(core.random(16))
end

local function build(self)
  local given = self.options
  -- Identifiers are new on every run, whatever the seed: receivers remember.
  local identifiers = ids.new(random.new(entropy()), runtime.now)
  self.chaos = faults.new(given.seed or entropy(), given, given.longest_delay)
  self.accounts = accounts.new(given, identifiers, runtime.now)
  self.journal = journal.new(runtime.now, given.logger)
  self.world = states.new(identifiers, function(...)
    on_event(self, ...)
  end)
  self.courier = deliverers.new {
    transport = runtime.transport {},
    chaos = self.chaos,
    ids = identifiers,
    journal = self.journal,
    speed = given.speed,
    shared_key = self.shared_key,
    spawn = function(...)
      start_task(self, ...)
    end,
  }
  self.api = api.new {
    world = self.world,
    accounts = self.accounts,
    chaos = self.chaos,
    ids = identifiers,
    limiter = limiter.new(given.rate_limit, runtime.now),
    now = runtime.now,
    shape = given.error_shape,
    shared_key = self.shared_key,
    begin = function(...)
      begin(self, ...)
    end,
    invited = function(...)
      invited(self, ...)
    end,
    journal = function(account_sid)
      local events, deliveries = self.journal:read(account_sid)
      return events, deliveries, not self:idle()
    end,
  }
end

local function listen(self)
  local module = require "flexhooks.core.listener"
  local listener, kind, message = module.new {
    host = self.options.host,
    port = self.options.port,
    headers = HEADERS,
  }
  if not listener then
    return nil, errors.new(kind, message)
  end
  self.listener = listener
  self.port = listener:port()
  self.url = "http://" .. self.options.host .. ":" .. self.port
  self.source = loop.add_source {
    fd = listener:fd(),
    interest = "r",
    run = function()
      serve_requests(self)
    end,
    timeout = function()
      return listener:timeout()
    end,
  }
  return self
end

-- The shared key of the options, with its id.
local function read_shared_key(given)
  local keys, wrong = shared_keys.of_options(given)
  if wrong then
    errors.raise(3, "simulator: " .. wrong)
  end
  local id, key = next(keys)
  return id and { id = id, secret = key.secret, algorithm = key.algorithm }
end

--- Starts a simulator.
---@param given table? `host`, `port` (0: any), credentials (`account_sid`,
-- `auth_token`, `api_key`, `api_secret`, `client_id`, `client_secret`; without
-- an account the first token seen for one is taken), `shared_key_id`,
-- `shared_key` and `algorithm`, which sign in place of the token,
-- `instance_sid`,
-- `scenario`, `speed`, `seed`, `rate_limit`, `error_shape`, `older_names`,
-- `longest_delay` in seconds, `logger`, and chances from 0 to 1: `drop`,
-- `missign`, `duplicate`, `reorder`, `delay`, `throttle`, `outage`, `fail`
---@return flexhooks.Simulator? simulator
---@return flexhooks.Error? err kind `listen`
function M.new(given)
  local self = setmetatable({
    options = options.check("simulator", OPTIONS, given),
    tasks = {},
  }, Simulator)
  if self.options.account_sid and not self.options.auth_token then
    errors.raise(2, "simulator: option 'account_sid' needs 'auth_token', "
      .. "which signs the events", "config")
  end
  self.shared_key = read_shared_key(self.options)
  build(self)
  return listen(self)
end

--- Has every life ended and every delivery been made?
---@return boolean
function Simulator:idle()
  return next(self.tasks) == nil and self.courier:idle()
end

--- Waits until the simulator is idle.
---@param timeout number? seconds, 30
---@return boolean idle
function Simulator:settle(timeout)
  local deadline = runtime.clock() + (timeout or 30)
  while not self:idle() and runtime.clock() < deadline do
    runtime.sleep(0.01)
  end
  return self:idle()
end

--- Every event raised and every delivery made so far.
---@return table[] events `{ event, number, recipients, at }`
---@return table[] deliveries `{ ttid, event_type, status, error, attempts }`
-- and more
function Simulator:history()
  return self.journal:read()
end

--- Runs a simulator until SIGTERM or SIGINT: the command's body.
---@param given table options of `new`
---@param on_ready fun(simulator: flexhooks.Simulator)
---@return true? done
---@return flexhooks.Error? err
function M.serve(given, on_ready)
  return loop.run(function()
    local stop = runtime.event()
    local signals = loop.poller():signals("TERM", "INT")
    local source = loop.add_source {
      fd = signals:fd(),
      interest = "r",
      run = function()
        if signals:next() then
          stop:set()
        end
      end,
    }
    local self, err = M.new(given)
    if self then
      on_ready(self)
      stop:wait()
      self:close()
    end
    source:remove()
    signals:close()
    return self and true, err
  end)
end

--- Stops listening, ends every life and every delivery. Idempotent.
function Simulator:close()
  if self.closed then
    return
  end
  self.closed = true
  if self.source then
    self.source:remove()
    self.listener:close()
  end
  self.courier:close()
  local tasks = self.tasks
  self.tasks = {}
  for task in pairs(tasks) do
    task:cancel()
  end
end

return M
