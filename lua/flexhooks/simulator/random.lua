--- A seeded random sequence, the same on every Lua.
--
-- L'Ecuyer's combination of two multiplicative generators: every product stays
-- below 2^53, so doubles and integers give the same numbers. The sequence
-- decides what the simulator breaks; it is not for secrets.
-- @module flexhooks.simulator.random

local ascii = require "flexhooks.util.ascii"

local M = {}

local M1, A1 = 2147483563, 40014
local M2, A2 = 2147483399, 40692

---@class flexhooks.simulator.Random
---@field private first integer state in 1 .. M1 - 1
---@field private second integer state in 1 .. M2 - 1
local Random = { __name = "flexhooks.simulator.random" }
Random.__index = Random

-- A state in 1 .. modulus - 1 that depends on every byte of `text`.
local function digest(text, modulus, factor)
  local h = 7
  for i = 1, #text do
    h = (h * factor + text:byte(i) + 1) % modulus
  end
  return h % (modulus - 1) + 1
end

--- A sequence that is a function of `seed` alone.
---@param seed string|number
---@return flexhooks.simulator.Random
function M.new(seed)
  local text = type(seed) == "number" and ascii.number(seed, "%.17g")
    or tostring(seed)
  local self = setmetatable({
    seed = text,
    first = digest(text, M1, 65599),
    second = digest(text, M2, 131071),
  }, Random)
  -- Near seeds begin near each other; a few steps part them.
  for _ = 1, 8 do
    self:next()
  end
  return self
end

--- The next number in [0, 1).
---@return number
function Random:next()
  self.first = self.first * A1 % M1
  self.second = self.second * A2 % M2
  return (self.first - self.second) % (M1 - 1) / (M1 - 1)
end

--- A whole number from `low` to `high`, both included.
---@return integer
function Random:integer(low, high)
  return low + math.floor(self:next() * (high - low + 1))
end

--- True with the given probability.
---@param probability number 0 to 1
---@return boolean
function Random:chance(probability)
  return self:next() < probability
end

--- `n` lower-case hexadecimal digits.
---@param n integer
---@return string
function Random:hex(n)
  local digits = {}
  for i = 1, n do
    digits[i] = string.format("%x", self:integer(0, 15))
  end
  return table.concat(digits)
end

--- A sequence of its own for one purpose: it depends on this one's seed and on
-- `key`, never on what was drawn before, so timing cannot change it.
---@param key string
---@return flexhooks.simulator.Random
function Random:fork(key)
  return M.new(self.seed .. "/" .. key)
end

return M
