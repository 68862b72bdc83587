--- Which deliveries report an event that was, or is being, handled.
--
-- Two rules. A re-delivery carries the idempotency token of an earlier one,
-- which counts together with the hash of what was signed, since the token is
-- not. Twins are the reports of one event by several webhooks, told apart by
-- their signed URLs; see `flexhooks.dedupe.twins`.
--
-- An event is claimed before it is handled and settled after. While it is
-- being handled, its duplicates wait for the outcome: they are done where it
-- succeeded, and try again where it failed. Between looking and claiming
-- nothing waits, so a claim is atomic. Where it raises for want of memory,
-- nothing is claimed, and no report counts.
-- @module flexhooks.dedupe.memory

local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local runtime = require "flexhooks.runtime.current"
local twins = require "flexhooks.dedupe.twins"

local M = {}

local NONE = {}

---@class flexhooks.Dedupe
local Dedupe = { __name = "flexhooks.dedupe.memory" }
Dedupe.__index = Dedupe

--- Makes an empty memory of this process.
---@param rule { window: number, entries: integer, twin_window: number,
--- sources: integer, clock: (fun(): number)? } seconds, counts
---@return flexhooks.Dedupe
function M.new(rule)
  return setmetatable({
    clock = rule.clock, -- where it is not the monotonic one
    tokens = core.recent(rule.window, rule.entries),
    twins = twins.new(rule.twin_window, rule.entries, rule.sources),
    pending = {}, -- token -> the claim whose outcome decides: the token's own,
    -- or that of a twin which waits; true where the token is its own claim
    claims = {}, -- twins' instance -> its claim, while it is being handled
  }, Dedupe)
end

-- What a report that has joined an instance is: a duplicate, or one that waits
-- for a claim.
local function follow(self, token, instance, now)
  local claim = self.claims[instance]
  if not claim then
    if token then
      self.tokens:add(token, now)
    end
    if self.twins:is_complete(instance) then
      self.twins:remove(instance)
    end
    return "duplicate", "twin"
  end
  if token then
    claim.joined = claim.joined or {}
    claim.joined[token] = true
    self.pending[token] = claim
  end
  return "wait", claim
end

-- A report of an instance that is there: a duplicate, or the claim to wait
-- for.
local function join(self, token, twin, source, now)
  local instance = self.twins:join(twin, source, now)
  if not instance then
    return nil
  end
  local ok, verdict, claim = pcall(follow, self, token, instance, now)
  if not ok then
    self.twins:leave(instance, source)
    error(verdict, 0)
  end
  return verdict, claim
end

-- The claim of a token that is being handled, for those who wait for it.
local function awaited(self, token)
  local claim = self.pending[token]
  if claim == true then
    claim = { token = token }
    self.pending[token] = claim
  end
  return claim
end

local function take(self, token, instance)
  local claim = { token = token, instance = instance }
  self.claims[instance] = claim
  if token then
    self.pending[token] = claim
  end
  return claim
end

local function open(self, token, twin, source, now)
  local instance = self.twins:open(twin, source, now)
  local ok, claim = pcall(take, self, token, instance)
  if not ok then
    self.claims[instance] = nil
    self.twins:remove(instance)
    error(claim, 0)
  end
  return claim
end

-- "claimed", claim | "wait", claim of another, is it a twin's | "duplicate",
-- kind. A token alone is its own claim until somebody waits: hardly one is
-- waited for, and each would cost a table.
local function try(self, token, twin, source)
  local now = self.clock and self.clock()
  if token then
    if self.tokens:has(token, now) then
      return "duplicate", "token"
    elseif self.pending[token] then
      return "wait", awaited(self, token)
    elseif not twin then
      self.pending[token] = true
      return "claimed", token
    end
  elseif not twin then
    return "claimed", {}
  end
  now = now or runtime.clock()
  local verdict, claim = join(self, token, twin, source, now)
  if verdict then
    return verdict, claim, true
  end
  return "claimed", open(self, token, twin, source, now)
end

-- Waits for another delivery's outcome. Returns true where it succeeded, false
-- where it failed, nil and an error where the wait was cut.
local function await(claim, ends)
  claim.event = claim.event or runtime.event()
  local _, err = claim.event:wait(ends and math.max(0, ends - runtime.clock()))
  if claim.settled == nil then
    return nil, errors.is(err) and err or errors.new("timeout",
      "another delivery of this event is still being handled")
  end
  return claim.settled
end

-- A twin whose wait was cut has reported nothing.
local function give_up(self, token, claim, source)
  if claim.instance then
    self.twins:leave(claim.instance, source)
  end
  if token then
    self.pending[token] = nil
    claim.joined[token] = nil
  end
end

--- Claims an event, after verification and before it is handled. May wait.
---@param token string? key of a re-delivery; nil where no token came
---@param twin string? key of the canonical form; nil: no twin is possible
---@param source string? label of the webhook that reports it
---@param timeout number? seconds to wait for another delivery's outcome
---@return any claim to be settled; nil for a duplicate of a handled event
---@return flexhooks.Error? err the wait for the other delivery was cut
---@return "token"|"twin"|nil kind of duplicate
function Dedupe:claim(token, twin, source, timeout)
  local ends
  while true do
    local verdict, claim, joined = try(self, token, twin, source)
    if verdict == "claimed" then
      return claim
    elseif verdict == "duplicate" then
      return nil, nil, claim
    end
    ends = ends or timeout and runtime.clock() + timeout
    local handled, err = await(claim, ends)
    if handled == nil and joined then
      give_up(self, token, claim, source)
    end
    if handled ~= false then
      return nil, err, handled and (joined and "twin" or "token") or nil
    end
  end
end

-- Settles an instance, and tells those who wait. It takes no memory.
local function settle_instance(self, claim, handled)
  local instance = claim.instance
  if instance then
    self.claims[instance] = nil
    if not handled or self.twins:is_complete(instance) then
      self.twins:remove(instance)
    end
  end
  claim.settled = handled
  if claim.event then
    claim.event:set(true)
  end
end

-- Settles a claim with several tokens, an instance, or waiting deliveries. A
-- token is forgotten if there is no memory for it, and no delivery waits for
-- it.
local function settle_awaited(self, claim, handled, now)
  settle_instance(self, claim, handled)
  local token = claim.token
  if token then
    self.pending[token] = nil
  end
  for joined in pairs(claim.joined or NONE) do
    self.pending[joined] = nil
  end
  if handled and token then
    self.tokens:add(token, now)
  end
  for joined in pairs(handled and claim.joined or NONE) do
    self.tokens:add(joined, now)
  end
end

--- Ends a claim, once. One that failed is released: the event may come again.
---@param claim any
---@param handled boolean
function Dedupe:settle(claim, handled)
  local own, now = self.pending[claim], self.clock and self.clock()
  if own ~= true then
    settle_awaited(self, own or claim, handled, now)
    return
  end
  self.pending[claim] = nil
  if handled then
    self.tokens:add(claim, now)
  end
end

return M
