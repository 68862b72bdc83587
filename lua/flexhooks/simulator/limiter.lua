--- Requests per second, counted for each endpoint and account.
-- @module flexhooks.simulator.limiter

local M = {}

---@class flexhooks.simulator.Limiter
local Limiter = { __name = "flexhooks.simulator.limiter" }
Limiter.__index = Limiter

---@param rate number? requests a second; no limit where absent
---@param now fun(): number seconds
function M.new(rate, now)
  return setmetatable({ rate = rate, now = now, second = nil, counts = {} },
    Limiter)
end

--- Counts one request; may it pass?
---@param key string
---@return boolean
function Limiter:take(key)
  if not self.rate then
    return true
  end
  local second = math.floor(self.now())
  if second ~= self.second then
    self.second, self.counts = second, {}
  end
  self.counts[key] = (self.counts[key] or 0) + 1
  return self.counts[key] <= self.rate
end

return M
