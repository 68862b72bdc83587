--- From what was signed to events: the catalogue's check, and JSON.
-- @module flexhooks.receiver.reading

local events = require "flexhooks.events"
local json = require "flexhooks.json"

local M = {}

---@class flexhooks.Reading
---@field event table? nil where it is no event
---@field wire string? the EventType that came
---@field raw string? of what is no event
---@field wrong string? what is wrong with it, without values
---@field account string? AccountSid, where it has the shape of one

local function malformed(raw, wrong)
  return { raw = raw, wrong = wrong }
end

local ACCOUNT = "^AC" .. ("[0-9a-f]"):rep(32) .. "$"

local function account_of(fields)
  local sid = fields.AccountSid
  return type(sid) == "string" and sid:find(ACCOUNT) and sid or nil
end

local function reading(fields, raw)
  local event, note = events.normalize(fields)
  if event then
    return { event = event, wire = note, account = event.AccountSid }
  end
  local r = malformed(raw, note)
  r.account = account_of(fields)
  return r
end

--- Reads the fields of a form or a query.
---@param fields table fresh; becomes the event
---@param raw string the bytes it came in
---@return flexhooks.Reading[] readings one
function M.of_fields(fields, raw)
  return { reading(fields, raw) }
end

local function of_element(value, position, text)
  local raw = json.encode(value) or text
  if type(value) ~= "table" then
    return malformed(raw, ("element %d is no object"):format(position))
  end
  local r = reading(value, raw)
  if r.wrong then
    r.wrong = ("element %d: %s"):format(position, r.wrong)
  end
  return r
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
---@return flexhooks.Reading[] readings one at least
---@return boolean batch is it an array?
function M.of_json(text, limits)
  local value, wrong = json.decode(text, limits)
  if type(value) ~= "table" then
    wrong = wrong or "the JSON is neither object nor array"
    return { malformed(text, wrong) }, false
  end
  if not json.is_array(text) then
    return { reading(value, text) }, false
  end
  local readings = {}
  for i = 1, size_of(value, text) do
    readings[i] = of_element(value[i], i, text)
  end
  if #readings == 0 then
    return { malformed(text, "the JSON array is empty") }, false
  end
  return readings, true
end

return M
