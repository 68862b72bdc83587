--- The two rules of duplicates for a queue of one process, with the claims of
-- a transaction kept or released together.
--
-- Everything here is in memory. It is rebuilt after a restart by taking the
-- written claims again in their order, which is why `take` depends on nothing
-- but its arguments.
-- @module flexhooks.queue.claims

local core = require "flexhooks.core"
local twins = require "flexhooks.dedupe.twins"

local M = {}

local Claims = { __name = "flexhooks.queue.claims" }
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

--- The claims of one transaction: not yet anybody's.
function M.batch()
  return { entries = {}, tokens = {} }
end

local function match(self, entry)
  local instance = self.twins:join(entry.twin, entry.source, self.now)
  entry.joined = instance
  if instance then
    return "duplicate"
  end
  entry.opened = self.twins:open(entry.twin, entry.source, self.now)
  return "stored"
end

--- Claims one arrival within a batch.
---@param batch table
---@param item table token_key, twin_key, source
---@param now number Unix seconds
---@return "stored"|"duplicate" verdict
function Claims:take(batch, item, now)
  -- A clock that was set back must not make what is new look expired.
  self.now = math.max(self.now, now)
  local token = item.token_key
  if token and (batch.tokens[token] or self.tokens:has(token, self.now)) then
    return "duplicate"
  end
  if not token and not item.twin_key then
    return "stored"
  end
  local entry = { at = self.now, token = token, twin = item.twin_key,
    source = item.source or "" }
  batch.entries[#batch.entries + 1] = entry
  if token then
    batch.tokens[token] = true
  end
  return entry.twin and match(self, entry) or "stored"
end

--- The transaction holds: its claims stay.
function Claims:keep(batch)
  for _, entry in ipairs(batch.entries) do
    if entry.token then
      self.tokens:add(entry.token, entry.at)
    end
    if entry.joined and self.twins:is_complete(entry.joined) then
      self.twins:remove(entry.joined)
    end
  end
end

--- The transaction failed: nothing was claimed.
function Claims:release(batch)
  for i = #batch.entries, 1, -1 do
    local entry = batch.entries[i]
    if entry.joined then
      self.twins:leave(entry.joined, entry.source)
    elseif entry.opened then
      self.twins:remove(entry.opened)
    end
  end
end

return M
