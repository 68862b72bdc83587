--- The statuses that a caller of `flexhooks.http` wants.
--
-- `expect` is a class ("2xx"), a status (200) or a list of these.
-- @module flexhooks.http.expect

local ascii = require "flexhooks.util.ascii"
local tables = require "flexhooks.util.tables"

local M = {}

local WANTED = 'must be a class of statuses such as "2xx", a status from 200 '
  .. "to 599, or a list of them"

local function is_one(value)
  if type(value) == "string" then
    return value:find "^[2-5]xx$" ~= nil
  end
  return type(value) == "number" and value % 1 == 0 and value >= 200
    and value <= 599
end

--- Returns what is wrong with a value of the option, or nil.
---@param value any
---@return string? complaint
function M.complaint(value)
  if type(value) ~= "table" then
    return not is_one(value) and WANTED or nil
  elseif #value == 0 or not tables.is_list(value) then
    return WANTED .. ", and a list has one element at least and no holes"
  end
  for i, element in ipairs(value) do
    if not is_one(element) then
      return WANTED .. ": element " .. i .. " is none"
    end
  end
end

local function fits(one, status)
  if type(one) == "number" then
    return one == status
  end
  return tonumber(one:sub(1, 1)) == math.floor(status / 100)
end

--- Returns whether a status is one of those wanted.
---@param wanted string|integer|(string|integer)[] checked
---@param status integer
---@return boolean
function M.has(wanted, status)
  if type(wanted) ~= "table" then
    return fits(wanted, status)
  end
  for _, one in ipairs(wanted) do
    if fits(one, status) then
      return true
    end
  end
  return false
end

--- Returns the statuses that are wanted, as a message shows them.
---@param wanted string|integer|(string|integer)[] checked
---@return string
function M.text(wanted)
  local texts = {}
  for i, one in ipairs(type(wanted) == "table" and wanted or { wanted }) do
    texts[i] = type(one) == "number" and ascii.digits(one) or one
  end
  return table.concat(texts, ", ")
end

return M
