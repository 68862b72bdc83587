--- What a request carries, decoded: forms, queries, Basic credentials.
-- @module flexhooks.simulator.form

local M = {}

local function unescape(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

---@class flexhooks.simulator.Form
---@field private values table<string, string[]>
local Form = { __name = "flexhooks.simulator.form" }
Form.__index = Form

--- Decodes `name=value&…`; a repeated name keeps all its values.
---@param text string?
---@return flexhooks.simulator.Form
function M.parse(text)
  local values = {}
  for pair in (text or ""):gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=(.*)$")
    name = unescape(name or pair)
    values[name] = values[name] or {}
    table.insert(values[name], unescape(value or ""))
  end
  return setmetatable({ values = values }, Form)
end

--- The first value of the first of `names` that was sent, or nil.
---@return string?
function Form:get(...)
  local list = self:all(...)
  return list and list[1]
end

--- Every value of the first of `names` that was sent, or nil.
---@return string[]?
function Form:all(...)
  for _, name in ipairs { ... } do
    if self.values[name] then
      return self.values[name]
    end
  end
end

local BASE64 =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function base64_decode(text)
  local bytes, held, bits = {}, 0, 0
  for c in text:gsub("=+$", ""):gmatch(".") do
    local digit = BASE64:find(c, 1, true)
    if not digit then
      return nil
    end
    held, bits = held * 64 + digit - 1, bits + 6
    if bits >= 8 then
      local unit = 2 ^ (bits - 8)
      local byte = math.floor(held / unit)
      held, bits = held - byte * unit, bits - 8
      bytes[#bytes + 1] = string.char(byte)
    end
  end
  return table.concat(bytes)
end

--- User and password of an Authorization value, or nil.
---@param authorization string?
---@return string? user
---@return string? password
function M.basic(authorization)
  local encoded = (authorization or ""):match("^[Bb]asic +(%S+)$")
  local pair = encoded and base64_decode(encoded)
  return (pair or ""):match("^([^:]+):(.*)$")
end

return M
