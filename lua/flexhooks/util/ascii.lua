--- Text of protocols, which is the same in every process. What Lua's own
-- functions make of letters and numbers follows the process's locale: in a
-- Turkish one `I` has no lower case in ASCII, in a German one 2.5 is "2,5".
-- @module flexhooks.util.ascii

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

--- Text without the blanks around it. A pattern that ends in `[ \t]*$` takes a
-- time that grows with the square of the blanks within: a header of some
-- kilobytes would hold up everybody.
---@param text string
---@param blanks string? what counts as one, as in a pattern's set; spaces and
-- tabs where absent
---@return string
function M.trimmed(text, blanks)
  local other = "[^" .. (blanks or " \t") .. "]"
  local first = text:find(other)
  return first and text:match(".*" .. other, first) or ""
end

--- A finite number with a decimal point.
---@param value number
---@param format string? as string.format has it; without blanks or commas
---@return string
function M.number(value, format)
  return ((format or "%.14g"):format(value):gsub("[^0-9a-z+-]+", "."))
end

--- The fewest digits, 14 or more, that read back as the same finite number.
---@param value number
---@return string
function M.shortest(value)
  for digits = 14, 16 do
    local text = M.number(value, "%." .. digits .. "g")
    if tonumber(text) == value then
      return text
    end
  end
  return M.number(value, "%.17g")
end

local number_type = rawget(math, "type") -- nil where there are no integers
local PLAIN = 1e21 -- from here on a whole number has an exponent

--- A number as forms, queries and headers carry it: all its digits, and no
-- point where it is whole, whatever this Lua calls it.
---@param value number
---@return string? text nil where it is not finite
function M.digits(value)
  if number_type and number_type(value) == "integer" then
    return ("%d"):format(value)
  elseif value - value ~= 0 then
    return nil
  elseif value % 1 == 0 and math.abs(value) < PLAIN then
    return (("%.0f"):format(value):gsub("^%-0$", "0"))
  end
  return M.shortest(value)
end

--- A plain value as forms, queries and headers carry it.
---@param value any
---@return string? text nil where it is no string, boolean or finite number
function M.text(value)
  local kind = type(value)
  if kind == "number" then
    return M.digits(value)
  end
  return kind == "string" and value or kind == "boolean" and tostring(value)
    or nil
end

return M
