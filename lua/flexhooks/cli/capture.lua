--- Captured events, read from a file to be sent again.
--
-- A line is an event in JSON; or an object with the event in `event` (or its
-- form in `raw`) and the Unix time of its arrival in `received_at`, or an
-- array of them, as the queue's commands print; or a body as it came,
-- `EventType=…&AccountSid=…`.
-- @module flexhooks.cli.capture

local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local json = require "flexhooks.json"
local tables = require "flexhooks.util.tables"

local M = {}

-- Fields of a form; of a repeated name, a list.
local function of_form(text)
  local fields = core.decode_form(text)
  if not fields or #fields == 0 then
    return nil, "is no form"
  end
  local event = {}
  for _, field in ipairs(fields) do
    local name, value = field[1], field[2]
    local known = event[name]
    if known == nil then
      event[name] = value
    elseif type(known) == "table" then
      known[#known + 1] = value
    else
      event[name] = { known, value }
    end
  end
  return event
end

local function complaint(event)
  if type(event.EventType) ~= "string" then
    return "has no EventType"
  end
  for name, value in pairs(event) do
    for place, one in pairs(type(value) == "table" and value or { value }) do
      if type(one) == "table" or type(place) ~= "number" then
        return "cannot be sent as a form: " .. tostring(name) .. " is not text"
      end
    end
  end
end

local function of_value(value)
  if type(value) ~= "table" then
    return nil, "is no event"
  elseif type(value.event) == "table" then
    return value.event, value.received_at
  elseif type(value.raw) == "string" then
    local event, wrong = of_form(value.raw)
    return event, event and value.received_at or wrong
  end
  return value
end

-- { event, time } of each of these, or nil and what is wrong with one.
local function checked(values, read)
  local list = {}
  for i, value in ipairs(values) do
    local event, at = read(value)
    local wrong = at
    if event then
      wrong = complaint(event)
    end
    if wrong then
      return nil, wrong
    end
    list[i] = { event, type(at) == "number" and at or nil }
  end
  return list
end

-- The events of a line: one, or those of a JSON array.
local function read_line(line)
  if not line:find "^%s*[{%[]" then
    return checked({ line }, of_form)
  end
  local value, why = json.decode(line)
  if value == nil then
    return nil, "is not JSON: " .. tostring(why)
  end
  local values = json.is_array(line) and value or { value }
  if not tables.is_list(values) then -- there was a null
    return nil, "is no event"
  end
  return checked(values, of_value)
end

-- Times count from the first one; an event without a time comes with the one
-- before it.
local function add(items, event, at, first)
  local last = items[#items]
  local offset = at and first and math.max(0, at - first) or 0
  items[#items + 1] = { event = event,
    at = math.max(offset, last and last.at or 0) }
  return first or at
end

local function read_all(file, name)
  local items, number, first = {}, 0, nil
  for line in file:lines() do
    number = number + 1
    if line:find "%S" then
      local list, wrong = read_line((line:gsub("\r$", "")))
      if not list then
        return nil, errors.new("config",
          ("%s, line %d %s"):format(name, number, wrong))
      end
      for _, found in ipairs(list) do
        first = add(items, found[1], found[2], first)
      end
    end
  end
  if #items == 0 then
    return nil, errors.new("config", name .. " holds no events")
  end
  return items
end

--- Reads a file; nothing of it is used where one line is wrong.
---@param path string "-" for standard input
---@return table[]? items `{ at = seconds since the first, event = fields }`
---@return flexhooks.Error? err kind `config`
function M.read(path)
  if path == "-" then
    return read_all(io.stdin, "standard input")
  end
  local file, why = io.open(path, "rb")
  if not file then
    return nil, errors.new("config", "cannot read the events: " .. why)
  elseif not file:read(0) and file:seek "cur" ~= file:seek "end" then
    file:close()
    return nil, errors.new("config", path .. " is not a file")
  end
  file:seek "set"
  local items, err = read_all(file, path)
  file:close()
  return items, err
end

--- The same items by interaction: each interaction's in their order.
---@param items table[]
---@return table[][]
function M.by_interaction(items)
  local lists, of = {}, {}
  for _, item in ipairs(items) do
    local sid = item.event.InteractionSid or false
    if not of[sid] then
      of[sid] = {}
      lists[#lists + 1] = of[sid]
    end
    table.insert(of[sid], item)
  end
  return lists
end

return M
