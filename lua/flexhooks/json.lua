--- JSON, strictly: what is decoded follows RFC 8259 to the letter, what is
-- encoded can be read back as it was.
--
-- Decoding is done in C, by the reader that also checks (`src/json_reader.c`):
-- lua-cjson would let trailing NULs, control bytes, broken UTF-8 and infinite
-- numbers through, leaks where Lua runs out of memory, and ends the process
-- where the C library does. Encoding is done here, since it keeps 14 digits of
-- a number (0.1 + 0.2 would come back as 0.3).
-- @module flexhooks.json

local ascii = require "flexhooks.util.ascii"
local core = require "flexhooks.core"

local M = {}

local DEPTH = 64
local NAME = 127
local MAX_DEPTH = 1000
local MAX_NAME = 2 ^ 31 - 1
local EXACT = 2 ^ 53 -- below this a double holds every whole number

--- What encodes as `null`; decoding never gives it.
M.null = core.json_null

local number_type = rawget(math, "type") -- nil where there are no integers

local function is_negative_zero(number)
  return number == 0 and 1 / number < 0
end

--- Decodes `text`. Raises only where there is no memory. `null` becomes nil,
-- also within tables. On Lua 5.4 a whole number is an integer if 64 bits hold
-- it, and with a point or an exponent only below 2^53; every other number is
-- the nearest float. On LuaJIT all numbers are floats: beyond 2^53 a whole
-- number loses its last digits.
---@param text string
---@param limits { depth: integer?, name: integer?, keep_null: boolean? }?
--- nesting, default 64, and bytes of an object's name, default 127;
--- `keep_null` leaves `json.null` where a null within a table was
---@return any value nil where it failed
---@return string? message what is wrong, without any of the text
function M.decode(text, limits)
  if type(text) ~= "string" then
    return nil, "the text is missing"
  elseif not limits then
    return core.json_decode(text, DEPTH, NAME)
  end
  return core.json_decode(text, limits.depth or DEPTH, limits.name or NAME,
    limits.keep_null)
end

--- Is `text` an array?
---@param text string
---@return boolean
function M.is_array(text)
  return text:find "^[ \t\r\n]*%[" ~= nil
end

local Array = core.json_array

--- Marks `list` as an array, so that it encodes as `[]` if it is empty. What
-- was decoded from an array has the mark already, also after it passed a
-- queue. An empty table without the mark encodes as `{}`.
---@param list table
---@return table list the same, with a metatable of ours
function M.array(list)
  return setmetatable(list, Array)
end

local function refuse(message)
  error({ message = message }, 0)
end

local ESCAPES = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f",
  ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
}

local function escape(c)
  return ESCAPES[c] or ("\\u%04x"):format(c:byte())
end

local function encode_string(s)
  return '"' .. s:gsub('[%z\1-\31\127"\\]', escape) .. '"'
end

-- The digits that read back as the same number. A float beyond 2^53 gets a
-- point, because its last digits may be those of another whole number.
local function encode_number(number)
  if number - number ~= 0 then
    refuse "a number is not finite"
  end
  if number_type and number_type(number) == "integer" then
    return ("%d"):format(number)
  end
  if number % 1 == 0 and math.abs(number) < EXACT
    and not is_negative_zero(number) then
    return ("%.0f"):format(number)
  end
  local digits = ascii.shortest(number)
  return digits:find "^%-?%d%d+$" and digits .. ".0" or digits
end

-- The number of elements where `value` is a list, nil where it is an object.
-- As lua-cjson does, a list may have holes, but not be mostly holes.
local function list_size(value)
  local count, last, names = 0, 0, false
  for key in next, value do
    if type(key) == "number" and key >= 1 and key % 1 == 0 then
      count, last = count + 1, math.max(last, key)
    elseif type(key) == "string" then
      names = true
    else
      refuse("a table has a key that is a " .. type(key))
    end
  end
  if count == 0 then
    return getmetatable(value) == Array and not names and 0 or nil
  end
  if names then
    refuse "a table is both a list and an object"
  end
  if last > 10 and last > 2 * count then
    refuse "a list is mostly holes"
  end
  return last
end

local encode_value

local function encode_list(value, size, open, depth)
  local parts = {}
  for i = 1, size do
    parts[i] = encode_value(rawget(value, i), open, depth)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

-- Names are sorted: equal tables encode alike.
local function encode_object(value, open, depth)
  local names, parts = {}, {}
  for name in next, value do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    parts[i] = encode_string(name) .. ":"
      .. encode_value(rawget(value, name), open, depth)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function encode_table(value, open, depth)
  if open[value] then
    refuse "a table contains itself"
  end
  if depth == MAX_DEPTH then
    refuse "it is nested too deeply"
  end
  open[value] = true
  local size = list_size(value)
  local text
  if size then
    text = encode_list(value, size, open, depth + 1)
  else
    text = encode_object(value, open, depth + 1)
  end
  open[value] = nil
  return text
end

function encode_value(value, open, depth)
  local kind = type(value)
  if kind == "string" then
    return encode_string(value)
  elseif kind == "number" then
    return encode_number(value)
  elseif kind == "boolean" then
    return tostring(value)
  elseif kind == "table" then
    return encode_table(value, open, depth)
  elseif value == nil or value == M.null then
    return "null"
  end
  refuse("a " .. kind .. " cannot be encoded")
end

--- Encodes `value`. Never raises. Numbers keep every digit they need, names
-- are sorted, an empty table is an object unless it has the mark of `array`.
-- Metatables are not asked.
---@param value any
---@return string? text nil where it failed
---@return string? message what cannot be encoded: numbers that are not finite,
--- lists that are mostly holes, tables within themselves, bytes that are not
--- UTF-8, functions
function M.encode(value)
  local encoded, text = pcall(encode_value, value, {}, 0)
  if not encoded then
    return nil, type(text) == "table" and text.message or tostring(text)
  end
  local good, wrong = core.json_check(text, MAX_DEPTH, MAX_NAME)
  if not good then
    return nil, wrong
  end
  return text
end

return M
