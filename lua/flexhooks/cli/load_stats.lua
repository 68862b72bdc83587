--- What a number of requests came to: statuses, failures, latencies.
-- @module flexhooks.cli.load_stats

local tables = require "flexhooks.util.tables"

local M = {}

---@class flexhooks.cli.Tally
---@field sent integer
---@field good integer answered 2xx
local Tally = { __name = "flexhooks.cli.load_stats" }
Tally.__index = Tally

---@param now number seconds, monotonic
---@return flexhooks.cli.Tally
function M.new(now)
  return setmetatable({ sent = 0, good = 0, begun = now, statuses = {},
    errors = {}, latencies = {} }, Tally)
end

local function count(of, key)
  of[key] = (of[key] or 0) + 1
end

--- Adds a request that has ended.
---@param seconds number how long it took
---@param response { status: integer }?
---@param err flexhooks.Error?
function Tally:add(seconds, response, err)
  self.sent = self.sent + 1
  if not response then
    count(self.errors, err.kind)
    return
  end
  count(self.statuses, tostring(response.status))
  self.latencies[#self.latencies + 1] = seconds
  if response.status >= 200 and response.status < 300 then
    self.good = self.good + 1
  end
end

-- The smallest latency that a share `q` of all does not exceed.
local function quantile(sorted, q)
  return sorted[math.max(1, math.ceil(q * #sorted))]
end

--- Everything, for a program.
---@param now number
---@return table summary seconds throughout
function Tally:summary(now)
  local seconds = now - self.begun
  local sorted = {}
  for i, latency in ipairs(self.latencies) do
    sorted[i] = latency
  end
  table.sort(sorted)
  return {
    sent = self.sent, good = self.good, seconds = seconds,
    rate = seconds > 0 and self.sent / seconds or 0,
    statuses = self.statuses, errors = self.errors,
    latency = #sorted > 0 and { p50 = quantile(sorted, 0.5),
      p99 = quantile(sorted, 0.99), max = sorted[#sorted] } or nil,
  }
end

local function counts(of, list)
  for _, name in ipairs(tables.sorted_keys(of)) do
    list[#list + 1] = name .. " × " .. of[name]
  end
end

--- One line for a person.
---@param now number
---@return string
function Tally:line(now)
  local s = self:summary(now)
  local outcomes = {}
  counts(s.statuses, outcomes)
  counts(s.errors, outcomes)
  local text = ("%d sent in %.1f s (%.0f/s): %s"):format(s.sent, s.seconds,
    s.rate, #outcomes > 0 and table.concat(outcomes, ", ") or "nothing")
  if s.latency then
    text = text .. ("; p50 %.1f ms, p99 %.1f ms, max %.1f ms"):format(
      s.latency.p50 * 1000, s.latency.p99 * 1000, s.latency.max * 1000)
  end
  return text
end

--- The short form that is redrawn while it runs.
---@param now number
---@return string
function Tally:progress(now)
  local seconds = now - self.begun
  return ("%d sent, %.0f/s, %d not 2xx"):format(self.sent,
    seconds > 0 and self.sent / seconds or 0, self.sent - self.good)
end

return M
