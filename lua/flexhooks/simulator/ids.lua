--- Identifiers as the service makes them: SIDs, ttids, tokens.
-- @module flexhooks.simulator.ids

local M = {}

-- Crockford's base32, lower case: no i, l, o, u.
local DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"

---@class flexhooks.simulator.Ids
local Ids = { __name = "flexhooks.simulator.ids" }
Ids.__index = Ids

---@param random flexhooks.simulator.Random
---@param now fun(): number Unix seconds
function M.new(random, now)
  return setmetatable({ random = random, now = now }, Ids)
end

--- Two letters and 32 hexadecimal digits.
---@param prefix string
---@return string
function Ids:sid(prefix)
  return prefix .. self.random:hex(32)
end

--- A random UUID (version 4), as delivery tokens are.
---@return string
function Ids:uuid()
  local hex = self.random:hex(32)
  local variant = string.format("%x", self.random:integer(8, 11))
  return table.concat({ hex:sub(1, 8), hex:sub(9, 12), "4" .. hex:sub(14, 16),
    variant .. hex:sub(18, 20), hex:sub(21, 32) }, "-")
end

-- The 16 bytes of a UUIDv7: 48 bits of milliseconds, then random bits around
-- the version (7) and variant (binary 10) marks.
local function uuid_v7(random, seconds)
  local bytes, milliseconds = {}, math.floor(seconds * 1000)
  for i = 6, 1, -1 do
    bytes[i] = milliseconds % 256
    milliseconds = math.floor(milliseconds / 256)
  end
  for i = 7, 16 do
    bytes[i] = random:integer(0, 255)
  end
  bytes[7] = 0x70 + bytes[7] % 16
  bytes[9] = 0x80 + bytes[9] % 64
  return bytes
end

-- 128 bits as 26 digits: two zero bits stand in front.
local function base32(bytes)
  local digits, held, bits = {}, 0, 2
  for i = 1, #bytes do
    held, bits = held * 256 + bytes[i], bits + 8
    while bits >= 5 do
      local unit = 2 ^ (bits - 5)
      local digit = math.floor(held / unit)
      held, bits = held - digit * unit, bits - 5
      digits[#digits + 1] = DIGITS:sub(digit + 1, digit + 1)
    end
  end
  return table.concat(digits)
end

--- A TypeID: the webhook prefix and a UUIDv7 of this moment.
---@return string
function Ids:ttid()
  return "flex_interactionwebhook_" .. base32(uuid_v7(self.random, self.now()))
end

return M
