--- The two rules of duplicates for a queue of one process, with the claims of
-- a transaction kept or released together.
--
-- Everything here is in memory. It is rebuilt after a restart by taking the
-- written claims again in their order, which is why `take` depends on nothing
-- but its arguments.
-- @module flexhooks.queue.embedded.claims

local core = require "flexhooks.core"
local twins = require "flexhooks.dedupe.twins"

local M = {}

local Claims = { __name = "flexhooks.queue.embedded.claims" }
Claims.__index = Claims

--- An empty memory.
---@param rule table window, twin_window (seconds), entries, sources
function M.new(rule)
  return setmetatable({
    tokens = core.recent(rule.window, rule.entries),
    twins = twins.new(rule.twin_window, rule.entries, rule.sources),
    now = 0,
  }, Claims)
end

--- The claims of one transaction, to be kept or released with it. `entries`
-- is what to write down: token, twin and source of each, "" where it has none;
-- `tokens` counts the new ones.
function M.batch()
  return { at = 0, entries = {}, tokens = 0, reports = {} }
end

-- The report is in the batch before it is made: what raises then is released
-- with the batch.
local function match(self, batch, twin, source)
  local report = { source = source, joined = false, opened = false }
  batch.reports[#batch.reports + 1] = report
  report.joined = self.twins:join(twin, source, self.now) or false
  if report.joined then
    return "duplicate"
  end
  report.opened = self.twins:open(twin, source, self.now)
  return "stored"
end

--- Claims one arrival within a batch.
---@param batch table
---@param item table token_key, twin_key, source
---@param now number Unix seconds
---@return "stored"|"duplicate" verdict
function Claims:take(batch, item, now)
  -- A clock that was set back must not make what is new look expired.
  if now > self.now then
    self.now = now
  end
  local token, twin = item.token_key, item.twin_key
  if token then
    if not self.tokens:add(token, self.now) then
      return "duplicate"
    end
    batch.tokens = batch.tokens + 1
  elseif not twin then
    return "stored"
  end
  local entries, source = batch.entries, item.source or ""
  local n = #entries
  entries[n + 1], entries[n + 2], entries[n + 3] = token or "", twin or "",
    source
  batch.at = self.now
  return twin and match(self, batch, twin, source) or "stored"
end

--- The transaction holds: its claims stay.
function Claims:keep(batch)
  for _, report in ipairs(batch.reports) do
    if report.joined and self.twins:is_complete(report.joined) then
      self.twins:remove(report.joined)
    end
  end
end

--- The transaction failed: nothing was claimed.
function Claims:release(batch)
  self.tokens:take_back(batch.tokens)
  for i = #batch.reports, 1, -1 do
    local report = batch.reports[i]
    if report.joined then
      self.twins:leave(report.joined, report.source)
    elseif report.opened then
      self.twins:remove(report.opened)
    end
  end
end

return M
