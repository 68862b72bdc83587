--- The application file: what every host is given to run.
--
-- An application is a router, or one flat table with a router and any of the
-- settings below; or the path of a file, or the name of a module, that returns
-- one. A setting is taken from the application; what it leaves out comes from
-- the host's options, else from the environment (`FLEXHOOKS_PUBLIC_URL`,
-- `FLEXHOOKS_QUEUE`, `TWILIO_AUTH_TOKEN`, `FLEXHOOKS_SHARED_KEYS`). An option
-- that was typed for the command outranks them all.
-- @module flexhooks.app

local errors = require "flexhooks.error"
local options = require "flexhooks.util.options"
local router = require "flexhooks.router"
local tables = require "flexhooks.util.tables"

local M = {}

local RECEIVER = { "auth_token", "shared_keys", "shared_keys_file",
  "public_url", "sources", "methods", "client", "account_sid",
  "handler_timeout", "dedupe", "logger", "on_reject" }

local WORKER = { "client", "concurrency", "max_attempts", "backoff",
  "handler_timeout", "on_exhausted", "grace", "lease", "logger" }

-- Limits of the receiver, and those of a listener with the names that it has
-- for them.
local RECEIVER_LIMITS = { body = true, params = true, name = true,
  value = true, depth = true }
local LISTENER_LIMITS = {
  body = "body", line = "line", header = "header", headers = "header_count",
  header_bytes = "header_bytes", header_time = "header_time",
  body_time = "body_time", body_rate = "body_rate", idle_time = "idle_time",
  connections = "connections", per_address = "per_address",
}

-- What a listener counts, and the most of it; the rest are seconds and rates,
-- or the receiver's to check.
local MOST = { line = 2 ^ 30, header = 2 ^ 30, header_bytes = 2 ^ 30,
  headers = 2 ^ 30, connections = 1000000, per_address = 1000000 }

local function count_complaint(name, value)
  local least, most = name == "connections" and 1 or 0, MOST[name]
  if most and (value % 1 ~= 0 or value < least or value > most) then
    return (".%s must be a whole number from %d to %d"):format(name, least,
      most)
  end
end

local function is_limit(name)
  return RECEIVER_LIMITS[name] or LISTENER_LIMITS[name]
end

local function limits_complaint(limits)
  local known = {}
  for _, set in ipairs { RECEIVER_LIMITS, LISTENER_LIMITS } do
    for name in pairs(set) do
      known[name] = true
    end
  end
  for name, value in pairs(limits) do
    if not is_limit(name) then
      return "has an unknown limit '" .. tostring(name) .. "'"
        .. options.suggestion(name, known)
    elseif type(value) ~= "number" or value ~= value or value < 0 then
      return "." .. name .. " must be a number of 0 or more"
    end
    local wrong = count_complaint(name, value)
    if wrong then
      return wrong
    end
  end
end

--- The rules of the settings, for hosts that take them as options.
M.SETTINGS = {
  router = { type = "table", check = function(value)
    if not router.is(value) then
      return "must be a flexhooks.router"
    end
  end },
  client = { type = { "table", "function" } },
  auth_token = { type = { "string", "table", "function", "boolean" },
    check = function(value)
      return value == true and "must be a token, or false" or nil
    end },
  shared_keys = { type = { "table", "function" } },
  shared_keys_file = { type = "string" },
  public_url = { type = "string" },
  sources = { type = "table" },
  methods = { type = "table" },
  account_sid = { type = "string" },
  handler_timeout = { type = "number", min = 0.001, max = 86400 },
  limits = { type = "table", check = limits_complaint },
  dedupe = { type = { "table", "boolean" } },
  logger = { type = "function" },
  on_reject = { type = "function" },
  queue = { type = { "string", "table" } },
  host = { type = "string" },
  port = { type = "integer", min = 0, max = 65535 },
  fd = { type = "integer", min = 0, max = 2 ^ 31 - 1 },
  admin = { type = { "string", "boolean" }, check = function(value)
    return value == true and "must be host:port, or false" or nil
  end },
  concurrency = { type = "integer", min = 1, max = 10000 },
  worker = { type = "boolean" },
  max_attempts = { type = "integer", min = 1 },
  backoff = { type = "table" },
  on_exhausted = { type = "string", one_of = { "skip", "park" } },
  lease = { type = "number", min = 0.2, max = 604800 },
  grace = { type = "number", min = 0 },
  signals = { type = "boolean" },
  on_ready = { type = "function" },
}

---@class flexhooks.App
---@field settings table<string, any> the merged settings
local App = { __name = "flexhooks.app" }
App.__index = App

local function config(message, fields)
  return errors.new("config", message, fields)
end

-- "handlers/app.lua" and "app.lua" are files, "handlers.app" is a module.
local function is_path(name)
  return name:find("/", 1, true) ~= nil or name:find "%.lua$" ~= nil
end

local function traced(raised)
  if errors.is(raised) then
    return raised
  end
  return { text = tostring(raised), traceback = debug.traceback("", 2) }
end

-- What the file or module returned; whatever it raised becomes an error that
-- names it.
local function run(name, f, ...)
  local ok, value = xpcall(f, traced, ...)
  if ok then
    return value
  elseif errors.is(value) then
    return nil, config(name .. ": " .. value.message, { cause = value })
  end
  return nil, config("cannot load the application " .. name .. ": "
    .. value.text, { details = value.traceback })
end

-- Modules that stand beside the file are found after all others.
local function add_folder(path)
  local folder = path:match "^(.*)/[^/]*$"
  local template = folder and folder .. "/?.lua"
  if template and not (";" .. package.path .. ";"):find(";" .. template .. ";",
      1, true) then
    package.path = package.path .. ";" .. template
  end
end

local function load_file(path)
  local chunk, wrong = loadfile(path)
  if not chunk then
    return nil, config("cannot load the application: " .. wrong)
  end
  add_folder(path)
  return run(path, chunk, path)
end

local function load_module(name)
  local value, err = run(name, require, name)
  -- What require says of a missing module is a list of places; its first line
  -- is what happened.
  if err and err.message:find "module '.-' not found" then
    err.message = err.message:match "^[^\n]*"
  end
  return value, err
end

-- The application's table, and the name that messages have for it.
local function fetch(fn, app)
  if type(app) ~= "string" then
    return app, fn .. ": the application"
  end
  local value, err
  if is_path(app) then
    value, err = load_file(app)
  else
    value, err = load_module(app)
  end
  if err then
    return nil, err
  end
  local kind = type(value)
  if kind ~= "table" then
    return nil, config(("%s returned %s; an application returns a router, or "
      .. "a table with one"):format(app, kind == "nil" and "nothing" or kind))
  end
  return value, app
end

local ENVIRONMENT = {
  public_url = "FLEXHOOKS_PUBLIC_URL", queue = "FLEXHOOKS_QUEUE",
  auth_token = "TWILIO_AUTH_TOKEN",
}

local function environment(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

-- Two names for one setting: a place that has either has both.
local TWIN = { shared_keys = "shared_keys_file",
  shared_keys_file = "shared_keys" }

-- The setting from the first place that has it, or its twin.
local function first_of(places, name)
  local twin = TWIN[name]
  for _, place in ipairs(places) do
    if place[name] ~= nil or twin and place[twin] ~= nil then
      return place[name]
    end
  end
end

local function merge(typed, app, given)
  local settings = {}
  for name in pairs(M.SETTINGS) do
    local value = first_of({ typed, app, given }, name)
    if value == nil and ENVIRONMENT[name] then
      value = environment(ENVIRONMENT[name])
    end
    settings[name] = value
  end
  return settings
end

-- A client of the environment's account, where it has credentials.
local function default_client(settings)
  local token = environment "TWILIO_AUTH_TOKEN"
  local key = environment "TWILIO_API_KEY" and environment "TWILIO_API_SECRET"
  if not environment "TWILIO_ACCOUNT_SID" or not (token or key) then
    return nil
  end
  return run("the client of the environment",
    require("flexhooks.client").new, { logger = settings.logger })
end

local function open_queue(queue, logger)
  if type(queue) ~= "string" then
    return queue
  end
  return run("queue", require("flexhooks.queue").new, queue,
    { logger = logger })
end

local function complete(settings, name, logger)
  local err
  if settings.client == nil then
    settings.client, err = default_client(settings)
  end
  if settings.queue and not err then
    settings.queue, err = open_queue(settings.queue,
      settings.logger or logger)
  end
  if not err and not settings.router and not settings.queue then
    err = config(name .. " has no router: set `router`, or return one")
  end
  return err
end

--- Loads an application and merges its settings.
-- Raises for a setting that is unknown or of the wrong type.
---@param fn string the public function, for messages
---@param app string|table|nil a path, a module's name, a router or a table
---@param given table the host's own settings, checked: for what the
-- application leaves out
---@param more { level: integer?, logger: function?, typed: table? }? `level`:
-- levels above the caller, for what is raised; `logger`: the host's own, where
-- nobody gave one; `typed`: settings that come before the application's
---@return flexhooks.App?
---@return flexhooks.Error? err of kind `config`
function M.load(fn, app, given, more)
  more = more or {}
  local value, name = fetch(fn, app == nil and {} or app)
  if value == nil then
    return nil, name
  end
  if router.is(value) then
    value = { router = value }
  end
  value = options.check(name, M.SETTINGS, value, (more.level or 1) + 1)
  local settings = merge(more.typed or {}, value, given)
  local named = type(settings.queue) == "string"
  local err = complete(settings, name, more.logger)
  if err then
    return nil, err
  end
  return setmetatable({ settings = settings, name = name,
    queue = named and settings.queue or nil }, App)
end

--- Closes the queue, where it was given as a URL. One that the application
-- made is the application's.
function App:close()
  if self.queue then
    self.queue:close()
  end
end

local function pick(settings, names, more)
  local picked = {}
  for _, name in ipairs(names) do
    picked[name] = settings[name]
  end
  return tables.merged(picked, more)
end

--- The receiver of the application; configuration that cannot work is an
-- error.
---@param more table? settings that only the host knows: `logger`, `metrics`
---@return flexhooks.Receiver?
---@return flexhooks.Error? err
function App:receiver(more)
  local settings = self.settings
  local given = pick(settings, RECEIVER, more)
  if settings.queue then
    given.queue = settings.queue
  else
    given.router = settings.router
  end
  given.limits = {}
  for name, value in pairs(settings.limits or {}) do
    if RECEIVER_LIMITS[name] then
      given.limits[name] = value
    end
  end
  return run(self.name, require("flexhooks.receiver").new, given)
end

--- A worker of the application's queue.
---@param more table? settings that only the host knows
---@return flexhooks.Worker?
---@return flexhooks.Error? err
function App:worker(more)
  local settings = self.settings
  if not settings.queue then
    return nil, config(self.name .. " has no queue: set `queue`, or "
      .. "FLEXHOOKS_QUEUE, to a queue or its URL")
  elseif not settings.router then
    return nil, config(self.name .. " has no router: set `router`")
  end
  local given = pick(settings, WORKER, more)
  given.queue, given.router = settings.queue, settings.router
  return run(self.name, require("flexhooks.worker").new, given)
end

--- The limits of a listener, under the names that it has for them.
---@return table<string, number>
function App:listener_limits()
  local limits = {}
  for name, value in pairs(self.settings.limits or {}) do
    if LISTENER_LIMITS[name] then
      limits[LISTENER_LIMITS[name]] = value
    end
  end
  return limits
end

return M
