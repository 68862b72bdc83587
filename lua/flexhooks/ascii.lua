--- Text of protocols, which is the same in every process. What Lua's own
-- functions make of letters and numbers follows the process's locale: in a
-- Turkish one `I` has no lower case in ASCII, in a German one 2.5 is "2,5".
-- @module flexhooks.ascii

local M = {}

local LOWER, UPPER = {}, {}
for code = ("A"):byte(), ("Z"):byte() do
  local upper, lower = string.char(code), string.char(code + 32)
  LOWER[upper], UPPER[lower] = lower, upper
end

--- With small letters for A to Z.
---@param text string
---@return string
function M.lower(text)
  return text:find "[A-Z]" and text:gsub("[A-Z]", LOWER) or text
end

--- With capitals for a to z.
---@param text string
---@return string
function M.upper(text)
  return text:find "[a-z]" and text:gsub("[a-z]", UPPER) or text
end

--- A finite number with a decimal point.
---@param value number
---@param format string? as string.format has it; without blanks or commas
---@return string
function M.number(value, format)
  return ((format or "%.14g"):format(value):gsub("[^0-9a-z+-]+", "."))
end

return M
