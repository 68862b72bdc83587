--- A bounded memory of idempotency tokens whose events were handled.
--
-- A ring holds them in the order remembered, which is also the order in which
-- they expire; remembering and looking up take constant time, and the oldest
-- makes room for the newest.
-- @module flexhooks.dedupe.tokens

local M = {}

-- Expired entries dropped with each new one: memory shrinks without a pause.
local SWEEP = 4

local Tokens = { __name = "flexhooks.dedupe.tokens" }
Tokens.__index = Tokens

--- Makes an empty memory.
---@param window number seconds
---@param entries integer
function M.new(window, entries)
  return setmetatable({
    window = window, entries = entries,
    times = {}, keys = {}, key_times = {}, -- by key; by slot of the ring
    first = 1, count = 0,
  }, Tokens)
end

local function drop_first(tokens)
  local slot = tokens.first
  local key = tokens.keys[slot]
  if tokens.times[key] == tokens.key_times[slot] then
    tokens.times[key] = nil
  end
  tokens.keys[slot], tokens.key_times[slot] = false, false
  tokens.first = slot % tokens.entries + 1
  tokens.count = tokens.count - 1
end

--- Was this token remembered within the window?
---@param key string
---@param now number seconds, never going back
---@return boolean
function Tokens:has(key, now)
  local at = self.times[key]
  return at ~= nil and now - at <= self.window
end

--- Remembers a token.
function Tokens:add(key, now)
  for _ = 1, SWEEP do
    local full = self.count == self.entries
    local oldest = self.count > 0 and self.key_times[self.first]
    if not full and (not oldest or now - oldest <= self.window) then
      break
    end
    drop_first(self)
  end
  local slot = (self.first + self.count - 1) % self.entries + 1
  self.keys[slot], self.key_times[slot] = key, now
  self.times[key] = now
  self.count = self.count + 1
end

return M
