--- From signed JSON to events.
-- @module flexhooks.receiver.json_body

local events = require "flexhooks.events"
local json = require "flexhooks.json"

local M = {}

-- What is read is an item as a queue stores it; the delivery adds who and
-- when.
---@class flexhooks.Item
---@field event table? nil where it is no event
---@field wire_type string? the EventType that came
---@field raw string? of what is no event
---@field reason string? what is wrong with it, without values
---@field account string? AccountSid, where it has the shape of one

local function malformed(raw, reason)
  return { raw = raw, reason = reason }
end

--- The AccountSid of fields, where it has the shape of one; the event may lack
-- what makes it one.
---@param fields table
---@return string?
function M.account_of(fields)
  local sid = fields.AccountSid
  return type(sid) == "string" and #sid == 34 and sid:find "^AC[0-9a-f]+$"
    and sid or nil
end

local function read(fields, raw)
  local event, note = events.normalize(fields)
  local item = event and { event = event, wire_type = note }
    or malformed(raw, note)
  item.account = M.account_of(fields)
  return item
end

local function of_element(value, position, text)
  local raw = json.encode(value) or text
  if type(value) ~= "table" then
    return malformed(raw, ("element %d is no object"):format(position))
  end
  local item = read(value, raw)
  if item.reason then
    item.reason = ("element %d: %s"):format(position, item.reason)
  end
  return item
end

-- Elements that are null leave holes, and the last ones no trace but the
-- text's.
local function size_of(list, text)
  local size = 0
  for key in pairs(list) do
    size = math.max(size, key)
  end
  return text:find "null[ \t\r\n]*%][ \t\r\n]*$" and size + 1 or size
end

--- Reads a JSON body: an object is one event, an array has one in each
-- element.
---@param text string
---@param limits { depth: integer, name: integer }
---@return flexhooks.Item[] items one at least
---@return boolean batch is it an array?
function M.of_json(text, limits)
  local value, wrong = json.decode(text, limits)
  if type(value) ~= "table" then
    wrong = wrong or "the JSON is neither object nor array"
    return { malformed(text, wrong) }, false
  end
  if not json.is_array(text) then
    return { read(value, text) }, false
  end
  local items = {}
  for i = 1, size_of(value, text) do
    items[i] = of_element(value[i], i, text)
  end
  if #items == 0 then
    return { malformed(text, "the JSON array is empty") }, false
  end
  return items, true
end

return M
