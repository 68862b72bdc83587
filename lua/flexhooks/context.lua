--- What a handler is told about a delivery, beside the event itself.
-- @module flexhooks.context

local core = require "flexhooks.core"
local host = require "flexhooks.host"

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
---@field query table<string, any>? GET only: all that the query carried
---@field client table? the client given to the receiver or worker
---@field log fun(level: string, message: string, fields: table?)
---@field state table the handlers' own, one per attempt
---@field deadline number Unix seconds; waiting calls are cut there

local LABELS = {
  "EventType", "InteractionSid", "ChannelSid", "ParticipantSid",
}

local function silent() end

-- A log line names the delivery; of the event it shows type and SIDs alone.
local function log_function(logger, context, event)
  return function(level, message, fields)
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

-- Most handlers log nothing: `log` is made when it is first asked for, of what
-- the context's own metatable keeps. LuaJIT compiles no code that makes a
-- function, so one for each event would leave the whole way of an event to the
-- interpreter.
local function make_log(context, name)
  if name == "log" then
    local kept = getmetatable(context)
    context.log = log_function(kept.logger, context, kept.event)
    return context.log
  end
end

local function add_log(context, event, logger)
  local meta = getmetatable(context)
  if meta == nil and logger then
    setmetatable(context, { __index = make_log, logger = logger,
      event = event })
  elseif type(meta) == "table" and meta.__index == make_log then
    return -- filled in before
  elseif context.log == nil then
    context.log = logger and log_function(logger, context, event) or silent
  end
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

--- Fills in, in place, what `context` lacks.
---@param context table
---@param event table with its canonical EventType
---@param logger function?
---@return flexhooks.Context context the same table
function M.fill(context, event, logger)
  local c = context
  c.id = c.id or M.id()
  c.received_at = c.received_at or host.now()
  c.attempt = c.attempt or 1
  c.source = c.source or "default"
  c.wire_type = c.wire_type or event.EventType
  c.replay = c.replay or false
  c.state = c.state or {}
  c.deadline = c.deadline or host.now() + HANDLER_TIMEOUT
  if rawget(c, "log") == nil then
    add_log(c, event, logger)
  end
  return c
end

return M
