--- What a handler is told about a delivery, beside the event itself.
-- @module flexhooks.router.context

local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local runtime = require "flexhooks.runtime.current"
local log = require "flexhooks.log"

local M = {}

-- Seconds that handlers get where nobody said.
local HANDLER_TIMEOUT = 60

---@class flexhooks.Context
---@field id string opaque; the same over re-deliveries, retries and replays
---@field received_at number Unix seconds
---@field attempt integer 1 for the first
---@field source string label of the URL that the event came to
---@field wire_type string the EventType that came
---@field replay boolean was it a dead letter?
---@field possible_replay boolean did the same signed bytes come before, under
--- another idempotency token or without one?
---@field query table<string, any>? GET only: all that the query carried
---@field client table? the client given to the receiver or worker
---@field log fun(level: string, message: string, fields: table?)
---@field state table the handlers' own, one per attempt
---@field deadline number Unix seconds; waiting calls are cut there

local LABELS = {
  "EventType", "InteractionSid", "ChannelSid", "ParticipantSid",
}

local LEVELS = { debug = true, info = true, warn = true, error = true }

-- A level that no logger knows is found by whoever writes the handler, with a
-- logger or without.
local function check_level(level)
  if type(level) == "table" then
    errors.raise(3, "context.log is called with a dot: context.log(level, "
      .. "message, fields)")
  elseif not LEVELS[level] then
    errors.raise(3, "context.log: argument 1 must be debug, info, warn or "
      .. "error, got " .. (type(level) == "string" and "'"
      .. log.escape(level) .. "'" or type(level)))
  end
end

local function silent(level)
  check_level(level)
end

-- A log line names the delivery; of the event it shows type and SIDs alone.
local function log_function(logger, context, event)
  return function(level, message, fields)
    check_level(level)
    local line = { id = context.id, attempt = context.attempt }
    for _, name in ipairs(LABELS) do
      line[name] = event[name]
    end
    if type(fields) ~= "table" then
      fields = { value = fields }
    end
    for name, value in pairs(fields) do
      line[name] = value
    end
    logger(level, message, line)
  end
end

local function log_of(context, event, logger)
  return logger and log_function(logger, context, event) or silent
end

-- Most handlers log nothing and keep nothing: `log` and `state` are made when
-- first asked for, of what the context's own metatable keeps. LuaJIT compiles
-- no code that makes a function, so one for each event would leave the whole
-- way of an event to the interpreter.
local function make(context, name)
  if name == "log" then
    local kept = getmetatable(context)
    context.log = log_of(context, kept.event, kept.logger)
    return context.log
  elseif name == "state" then
    context.state = {}
    return context.state
  end
end

local SILENT = { __index = make }

local function meta_of(event, logger)
  return logger and { __index = make, logger = logger, event = event }
    or SILENT
end

local prefix, owner, count

--- A new id, unique over processes and forks.
---@return string
function M.id()
  local pid = core.pid()
  if owner ~= pid then
    prefix, owner, count = core.hex(core.random(12)), pid, 0
  end
  count = count + 1
  return ("%s%08x"):format(prefix, count)
end

--- Gives a whole context its `log` and its `state`: when first asked for, or
-- at once, where it has a metatable of somebody else's.
---@param context flexhooks.Context
---@param event table
---@param logger function?
---@return flexhooks.Context context the same table
function M.complete(context, event, logger)
  if getmetatable(context) ~= nil then
    context.state = context.state or {}
    context.log = context.log or log_of(context, event, logger)
  else
    setmetatable(context, meta_of(event, logger))
  end
  return context
end

local function is_complete(context)
  local meta = getmetatable(context)
  return type(meta) == "table" and meta.__index == make
end

--- The context of an event's first attempt.
---@param id string
---@param event table with its canonical EventType
---@param source string
---@param wire_type string
---@param possible_replay boolean
---@param seconds number that its handlers have
---@param logger function?
---@return flexhooks.Context
function M.first(id, event, source, wire_type, possible_replay, seconds,
  logger)
  local now = runtime.now()
  return setmetatable({
    id = id, received_at = now, attempt = 1, source = source,
    wire_type = wire_type, replay = false, possible_replay = possible_replay,
    deadline = now + seconds,
  }, meta_of(event, logger))
end

--- The client that handlers get: a function is asked for the event's account,
-- and cut at `due`. Raises what the function raises or returns as an error.
---@param given any a client, a function of an account's SID, or nil
---@param event table
---@param due number of the monotonic clock
---@return any client
function M.client(given, event, due)
  if type(given) ~= "function" then
    return given
  end
  local token = runtime.enter(due)
  local ok, client, err = pcall(given, event.AccountSid)
  runtime.leave(token)
  if not ok then
    error(client, 0)
  elseif client == nil and err ~= nil then
    error(err, 0)
  end
  return client
end

--- Fills in, in place, what `context` lacks.
---@param context table
---@param event table with its canonical EventType
---@param logger function?
---@return flexhooks.Context context the same table
function M.fill(context, event, logger)
  if is_complete(context) then
    return context
  end
  local c = context
  c.id = c.id or M.id()
  c.received_at = c.received_at or runtime.now()
  c.attempt = c.attempt or 1
  c.source = c.source or "default"
  c.wire_type = c.wire_type or event.EventType
  c.replay = c.replay or false
  c.possible_replay = c.possible_replay or false
  c.deadline = c.deadline or runtime.now() + HANDLER_TIMEOUT
  return M.complete(c, event, logger)
end

return M
