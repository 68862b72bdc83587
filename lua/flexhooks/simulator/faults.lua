--- What goes wrong, decided from a seed.
--
-- Each decision is a function of the seed and of what is decided about (the
-- interaction, the event, the webhook, counted from one), never of the clock
-- or of other decisions: the same traffic meets the same trouble on every run.
-- @module flexhooks.simulator.faults

local random = require "flexhooks.simulator.random"

local M = {}

---@class flexhooks.simulator.Chaos
local Chaos = { __name = "flexhooks.simulator.faults" }
Chaos.__index = Chaos

--- The troubles a delivery can meet, in the order they are decided.
M.DELIVERY = { "drop", "missign", "duplicate", "reorder", "delay" }

--- Troubles of the API: 429, 503 with a page of HTML, a channel that fails.
M.SERVICE = { "throttle", "outage", "fail" }

---@param seed string|number
---@param chances table<string, number> trouble -> probability, 0 where absent
---@param longest number? seconds, the longest delay of a delivery; 5
function M.new(seed, chances, longest)
  return setmetatable({
    random = random.new(seed),
    chances = chances,
    longest = longest or 5,
  }, Chaos)
end

--- The plan for one delivery.
---@param key string what identifies the delivery
---@return table plan trouble -> true; `delay` in seconds
function Chaos:delivery(key)
  local draw, plan = self.random:fork(key), {}
  for _, trouble in ipairs(M.DELIVERY) do
    -- Every number is drawn, whatever came before, so that raising one chance
    -- leaves the decisions about the others alone.
    local hit, size = draw:chance(self.chances[trouble] or 0), draw:next()
    if hit then
      plan[trouble] = trouble == "delay" and size * self.longest or true
    end
  end
  return plan
end

--- Does `trouble` befall the thing that `key` identifies?
---@return boolean
function Chaos:strikes(trouble, key)
  local chance = self.chances[trouble] or 0
  return chance > 0 and self.random:fork(trouble .. "/" .. key):chance(chance)
end

return M
