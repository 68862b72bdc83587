--- The events that a command was told to send: one made up, a scenario's, or
-- captured ones.
-- @module flexhooks.cli.event_source

local errors = require "flexhooks.error"
local capture = require "flexhooks.cli.capture"
local scenario = require "flexhooks.cli.scenario"
local settings = require "flexhooks.cli.settings"
local testing = require "flexhooks.testing"

local M = {}

--- Adds the arguments that name events to a parser.
function M.configure(parser)
  parser:argument("event", "The event's name, unless --scenario or --events "
    .. "is given."):args("?")
  parser:argument("fields", "Fields of the event, or of all.")
    :argname("Field=value"):args("*")
  parser:option("--scenario", "Send the events of an interaction's life.")
    :choices(scenario.names())
  parser:option("--events", "Send the captured events in a file, one a line, "
    .. "signed anew; - for standard input."):argname("FILE")
end

local function parse_fields(words)
  local fields = {}
  for _, word in ipairs(words) do
    local name, value = word:match("^([^=]+)=(.*)$")
    if not name then
      return nil, errors.new("argument",
        "'" .. word .. "' is not of the form Field=value")
    end
    fields[name] = value
  end
  return fields
end

-- Without an event's name the first word is a field.
local function sort_words(given)
  local words = {}
  for _, word in ipairs(given.fields) do
    words[#words + 1] = word
  end
  local event = given.event
  local elsewhere = given.scenario or given.events
  if event and elsewhere then
    table.insert(words, 1, event)
    event = nil
  end
  if given.scenario and given.events or not event and not elsewhere then
    return nil, nil, errors.new("argument", "name one of an event, a "
      .. "--scenario, or a file of --events")
  end
  local fields, err = parse_fields(words)
  return fields, event, err
end

local function with_fields(items, fields)
  for _, item in ipairs(items) do
    for name, value in pairs(fields) do
      item.event[name] = value
    end
  end
  return items
end

---@class flexhooks.cli.EventSource
---@field count integer how many lists
---@field lists fun(index: integer): table[] the items of one, `{ at, event }`
---@field single boolean one event alone

local function captured(given, fields)
  local items, err = capture.read(given.events)
  if not items then
    return nil, err
  end
  with_fields(items, fields)
  local lists = (given.concurrency or 1) > 1
    and capture.by_interaction(items) or { items }
  return { count = (given.count or 1) * #lists, single = false,
    lists = function(index)
      return lists[(index - 1) % #lists + 1]
    end }
end

local function played(given, fields)
  local account = { sid = settings.env "TWILIO_ACCOUNT_SID",
    instance_sid = settings.env "FLEX_INSTANCE_SID" }
  return { count = given.count or 1, single = false,
    lists = function()
      return with_fields(scenario.play(given.scenario, account), fields)
    end }
end

local function made_up(given, event, fields)
  fields.AccountSid = fields.AccountSid or settings.env "TWILIO_ACCOUNT_SID"
  testing.event(event, fields) -- raises where the name is wrong
  return { count = given.count or 1, single = given.count == nil,
    lists = function()
      return { { at = 0, event = testing.event(event, fields) } }
    end }
end

--- What the arguments ask for.
---@param given table the parsed arguments
---@return flexhooks.cli.EventSource?
---@return flexhooks.Error? err
function M.read(given)
  local fields, event, err = sort_words(given)
  if not fields then
    return nil, err
  elseif given.events then
    return captured(given, fields)
  elseif given.scenario then
    return played(given, fields)
  end
  return made_up(given, event, fields)
end

return M
