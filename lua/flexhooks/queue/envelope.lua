--- What is written down for one event: a line of JSON with a version.
--
-- lua-cjson rounds numbers to 14 digits, so it encodes only what has none,
-- which is nearly every event; the rest is our own encoder's. Bytes that are
-- not UTF-8 pass unchanged both ways.
-- @module flexhooks.queue.envelope

local cjson = require("cjson").new()
cjson.decode_max_depth(130)

local M = {}

local VERSION = 1

local MAX_DEPTH = 120
local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\" }
for byte = 0, 31 do
  ESCAPES[string.char(byte)] = string.format("\\u%04x", byte)
end
-- LuaJIT's patterns take NUL in a set only as %z, and 5.4's only as itself.
local SPECIAL = string.find("\0", "[%z]") and '[%z\1-\31"\\]'
  or '[\0-\31"\\]'

local is_integer = math.type and function(n)
  return math.type(n) == "integer"
end or function(n)
  return n % 1 == 0 and n > -2 ^ 53 and n < 2 ^ 53
end

local encode

local function encode_number(n)
  assert(n == n and n ~= math.huge and n ~= -math.huge, "not a JSON number")
  return string.format(is_integer(n) and "%d" or "%.17g", n)
end

local function encode_table(t, depth)
  assert(depth < MAX_DEPTH, "nested too deeply")
  local parts = {}
  if t[1] ~= nil then
    for i, value in ipairs(t) do
      parts[i] = encode(value, depth + 1)
    end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for name, value in pairs(t) do
    parts[#parts + 1] = encode(tostring(name)) .. ":"
      .. encode(value, depth + 1)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

function encode(value, depth)
  local kind = type(value)
  if kind == "string" then
    if value:find(SPECIAL) then
      value = value:gsub(SPECIAL, ESCAPES)
    end
    return '"' .. value .. '"'
  elseif kind == "table" then
    return encode_table(value, depth or 0)
  elseif kind == "number" then
    return encode_number(value)
  elseif kind == "boolean" then
    return tostring(value)
  elseif value == cjson.null then
    return "null"
  end
  error("a " .. kind .. " cannot be stored")
end

-- cjson makes every number a float on 5.4 and every null a light userdata.
local function restore(value)
  if type(value) == "table" then
    for name, field in pairs(value) do
      value[name] = restore(field)
    end
  elseif type(value) == "number" then
    return math.tointeger and math.tointeger(value) or value
  elseif value == cjson.null then
    return nil
  end
  return value
end

--- Any plain value as JSON; raises for what cannot be stored.
function M.encode_value(value)
  return encode(value)
end

--- A value from `encode_value`'s bytes, or nil where they are not JSON.
function M.decode_value(bytes)
  local ok, value = pcall(cjson.decode, bytes)
  if ok then
    return restore(value)
  end
end

local function has_only_strings(event)
  for _, value in pairs(event) do
    if type(value) ~= "string" then
      return false
    end
  end
  return next(event) ~= nil
end

local function encode_event(event)
  return has_only_strings(event) and cjson.encode(event) or encode(event)
end

local FIELDS = { "id", "received_at", "source", "wire_type", "raw", "reason",
  "query", "replay" }

--- The bytes of an item.
---@param item table id, event or raw with reason, source, received_at,
-- wire_type, query, replay
---@return string
function M.encode(item)
  local parts = { '{"v":' .. VERSION }
  for i = 1, #FIELDS do
    local name = FIELDS[i]
    local value = item[name]
    if value ~= nil then
      parts[#parts + 1] = ',"' .. name .. '":' .. encode(value)
    end
  end
  if item.event then
    parts[#parts + 1] = ',"event":' .. encode_event(item.event)
  end
  parts[#parts + 1] = "}"
  return table.concat(parts)
end

--- The item of these bytes. What cannot be read (another version's, a damaged
-- one) comes back as an item with `raw` and a `reason`, so that it ends among
-- the dead letters and not nowhere.
---@param bytes string
---@return table item
function M.decode(bytes)
  local item = M.decode_value(bytes)
  if type(item) ~= "table" or (item.event == nil and item.raw == nil) then
    return { raw = bytes, reason = "damaged" }
  end
  if item.v ~= VERSION then
    return { id = item.id, raw = bytes, reason = "unknown_version",
      received_at = tonumber(item.received_at) }
  end
  item.v = nil
  return item
end

return M
