--- Claims that all workers of nginx share: `flexhooks.dedupe.memory` over a
-- shared dictionary.
--
-- A claim is an entry under the token itself, or under the instance that twins
-- report. It holds a stamp. An entry may name a watermark (see
-- `flexhooks.dedupe.nginx.settled_watermark`), which says whether its event is
-- handled. An entry that names none is handled, because an event that failed
-- leaves no entry. The claims of a killed worker end when its handlers' time
-- would have been over, so that a re-delivery is handled.
-- @module flexhooks.dedupe.nginx

local errors = require "flexhooks.error"
local twin_counters = require "flexhooks.dedupe.nginx.twin_counters"
local runtime = require "flexhooks.runtime.nginx.runtime"
local settled_watermark = require "flexhooks.dedupe.nginx.settled_watermark"
local shortage = require "flexhooks.runtime.nginx.shortage"

local M = {}

-- Seconds: of a lock that nobody released, and what a pending entry outlives
-- its handlers' deadline by.
local LOCK_EXPIRES, PENDING_SLACK = 2, 5
local SHORTEST_NAP, LONGEST_NAP = 0.002, 0.05

---@class flexhooks.SharedClaims
local Claims = { __name = "flexhooks.dedupe.nginx" }
Claims.__index = Claims

-- Calls `look` until it returns something other than nil. Returns that, or nil
-- and an error when `ends` has come.
local function poll(look, ends)
  local nap = SHORTEST_NAP
  while true do
    local found = look()
    if found ~= nil then
      return found
    elseif ends and runtime.clock() >= ends then
      return nil, errors.new("timeout",
        "another delivery of this event is still being handled")
    end
    local slept, err = runtime.sleep(nap)
    if not slept then
      return nil, err
    end
    nap = math.min(2 * nap, LONGEST_NAP)
  end
end

local function end_of(timeout)
  return timeout and runtime.clock() + timeout
end

local function set(self, ...)
  shortage.seen(self.dict, self.dict:set(...))
end

-- Runs `f(...)` while no other worker does so under the same name. Returns its
-- two results, or nil, nil and an error when the wait was cut. If there is no
-- room for a lock, there is none for claims either.
local function locked(self, name, f, ...)
  local dict, lock = self.dict, "lock:" .. name
  local taken, err = poll(function()
    local added, why = shortage.seen(dict,
      dict:add(lock, true, LOCK_EXPIRES))
    return added or why ~= "exists" or nil
  end)
  if not taken then
    return nil, nil, err
  end
  local first, second = f(...)
  dict:delete(lock)
  return first, second
end

-- A worker's ledger is made after nginx has forked it.
local function ledger_of(self)
  local ledger = self.ledger
  if not ledger or ledger.stuck then
    ledger = settled_watermark.new(self.dict,
      math.max(self.keep, self.twin_keep), self.pending)
    self.ledger = ledger
  end
  return ledger
end

-- "open", "settled", or nil where the entry is not there or counts no more.
local function state_of(self, key, window)
  local stamp, id = self.dict:get(key)
  if not stamp then
    return nil
  end
  local age = runtime.now() - stamp
  if not id or ledger_of(self):has_settled(id, stamp) then
    return age <= window and "settled" or nil
  end
  return age <= self.pending and "open" or nil
end

-- Claims a token that has no entry. If the dictionary has no room for one, the
-- claim has no token, and no duplicate is recognised. LuaJIT compiles no
-- function that makes one which shares its locals: `poll` is for waits.
local function take(self, token)
  local ledger, dict = ledger_of(self), self.dict
  local stamp = ledger:stamp()
  local added, why = shortage.seen(dict,
    dict:add(token, stamp, self.keep, ledger.id))
  if added then
    return ledger:open(stamp, token)
  elseif why ~= "exists" then
    return ledger:open(stamp)
  end
end

-- Claims a token whose entry counts no more.
local function take_stale(self, token)
  if not state_of(self, token, self.window) then
    self.dict:delete(token)
    return take(self, token)
  end
end

-- Waits until a token that has an entry can be claimed, or is known to be
-- handled. Returns the claim, or nil, err, kind as `claim` does.
local function await_token(self, token, timeout)
  local claim, err = poll(function()
    local state = state_of(self, token, self.window)
    if state == "settled" then
      return false
    elseif not state then
      return take(self, token) or locked(self, token, take_stale, self, token)
    end
  end, end_of(timeout))
  if claim then
    return claim
  end
  return nil, err, claim == false and "token" or nil
end

-- Joins an instance or opens one for `claim`. Returns its key, and whether it
-- was opened.
local function report(self, claim, twin, source)
  local key = "twin:" .. twin
  local form = twin_counters.parse(self.dict:get(key))
  local number, opened = twin_counters.report(form, source, function(number)
    return state_of(self, key .. ":" .. number, self.twin_window) ~= nil
  end)
  local instance = ("%s:%d"):format(key, number)
  if opened then
    set(self, instance, claim.stamp, self.twin_keep, claim.ledger.id)
  end
  set(self, key, twin_counters.spell(form), self.twin_keep)
  return instance, opened
end

-- Waits until an instance is handled (true) or was given up (false).
local function await_instance(self, instance, ends)
  return poll(function()
    local state = state_of(self, instance, self.twin_keep)
    if state ~= "open" then
      return state == "settled"
    end
  end, ends)
end

-- The claim made anew, as of now: its handlers' time begins after the wait.
local function renewed(self, claim)
  local ledger = ledger_of(self)
  local fresh = ledger:open(ledger:stamp(), claim.token)
  if fresh.token then
    set(self, fresh.token, fresh.stamp, self.keep, ledger.id)
  end
  claim.ledger:close(claim)
  return fresh
end

-- Joins or opens instances until one is the claim's own or is known to be
-- handled. Returns the claim, or nil, err, kind as `claim` does.
local function claim_twin(self, claim, twin, source, ends)
  local instance, opened, err =
    locked(self, twin, report, self, claim, twin, source)
  if opened then
    claim.twin = instance
    return claim
  end
  local handled
  if instance then
    handled, err = await_instance(self, instance, ends)
  end
  if handled == false then
    return claim_twin(self, renewed(self, claim), twin, source, ends)
  end
  self:settle(claim, handled or false)
  return nil, err, handled and "twin" or nil
end

--- Claims an event; see `flexhooks.dedupe`.
---@param token string?
---@param twin string?
---@param source string?
---@param timeout number? seconds
---@return table? claim
---@return flexhooks.Error? err
---@return "token"|"twin"|nil kind
function Claims:claim(token, twin, source, timeout)
  local claim = token and take(self, token)
  if token and not claim then
    local err, kind
    claim, err, kind = await_token(self, token, timeout)
    if not claim then
      return nil, err, kind
    end
  end
  if not twin then
    return claim
  elseif not claim then
    local ledger = ledger_of(self)
    claim = ledger:open(ledger:stamp())
  end
  return claim_twin(self, claim, twin, twin_counters.escape(source),
    end_of(timeout))
end

-- Says in the entries themselves that they are settled.
local function mark(self, claim)
  if claim.token then
    set(self, claim.token, claim.stamp, self.keep)
  end
  if claim.twin then
    set(self, claim.twin, claim.stamp, self.twin_keep)
  end
end

local function forget(self, claim)
  if claim.token then
    self.dict:delete(claim.token)
  end
  if claim.twin then
    self.dict:delete(claim.twin)
  end
end

--- Ends a claim, once.
---@param claim table
---@param handled boolean
function Claims:settle(claim, handled)
  if not handled then
    forget(self, claim) -- before its ledger says that it is settled
  end
  if not claim.ledger:close(claim) and handled then
    mark(self, claim)
  end
end

--- Makes the claims of a shared dictionary.
---@param dict table ngx.shared.NAME
---@param rule table as `flexhooks.dedupe.new` takes
---@param handler_timeout number seconds
---@return flexhooks.SharedClaims
function M.new(dict, rule, handler_timeout)
  local pending = handler_timeout + PENDING_SLACK
  return setmetatable({
    dict = dict, pending = pending, ledger = nil,
    window = rule.window, keep = rule.window + pending,
    twin_window = rule.twin_window, twin_keep = rule.twin_window + pending,
  }, Claims)
end

return M
