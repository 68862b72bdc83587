--- Keeps an endpoint below its rate: at most so many requests begin in any
-- window of time. Bursts up to the rate go out at once.
-- @module flexhooks.client.rate_limit

local M = {}

local Pacing = { __name = "flexhooks.pacing" }
Pacing.__index = Pacing

-- The receiving side's clock and the network's jitter get two per cent.
local SLACK = 1.02

-- The longest burst, whatever the rate: each start of one is remembered.
local MAX_BURST = 1000

-- More endpoints than any program has; beyond it the idle ones are forgotten.
local MAX_ENDPOINTS = 512

--- Makes a pacer.
---@param rate number|false requests per second and endpoint; false: no limit
---@return table
function M.new(rate)
  local limited = rate and rate < math.huge
  local burst = limited and math.max(1, math.min(math.floor(rate), MAX_BURST))
  return setmetatable({
    burst = burst or 0,
    window = burst and burst / rate * SLACK or 0,
    endpoints = {},
    count = 0,
  }, Pacing)
end

local function forget_idle(self, now)
  for name, starts in pairs(self.endpoints) do
    if starts.last + self.window < now then
      self.endpoints[name] = nil
      self.count = self.count - 1
    end
  end
end

--- Books the next free start of an endpoint.
---@param endpoint string method and path template
---@param now number monotonic seconds
---@return number seconds to wait before the request may begin
function Pacing:reserve(endpoint, now)
  if self.burst == 0 then
    return 0
  end
  local starts = self.endpoints[endpoint]
  if not starts then
    if self.count >= MAX_ENDPOINTS then
      forget_idle(self, now)
    end
    starts = { next = 1 }
    self.endpoints[endpoint] = starts
    self.count = self.count + 1
  end
  -- A ring of the latest starts: the oldest in it bounds the next one.
  local oldest = starts[starts.next]
  local start = math.max(now, oldest and oldest + self.window or now)
  starts[starts.next] = start
  starts.next = starts.next % self.burst + 1
  starts.last = start
  return start - now
end

return M
