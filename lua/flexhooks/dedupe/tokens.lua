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
    times = {}, keys = {}, -- when, by key; which, by slot of the ring
    first = 1, count = 0,
  }, Tokens)
end

local function drop_first(tokens)
  local slot = tokens.first
  tokens.times[tokens.keys[slot]] = nil
  tokens.keys[slot] = false
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
  local times = self.times
  if self.count == self.entries then
    drop_first(self)
  end
  for _ = 1, SWEEP do
    local oldest = times[self.keys[self.first]]
    if not oldest or now - oldest <= self.window then
      break
    end
    drop_first(self)
  end
  -- A key is in one slot alone; what is older than an expired one is, too.
  while times[key] do
    drop_first(self)
  end
  self.keys[(self.first + self.count - 1) % self.entries + 1] = key
  times[key] = now
  self.count = self.count + 1
end

return M
