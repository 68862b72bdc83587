--- What this worker has claimed and settled, told to all workers.
--
-- A claim's entry in the shared dictionary holds its stamp and, as the entry's
-- flags, the ledger that it stands in. Success does not touch it again: an
-- entry of the ledger itself says before which stamp all claims are settled,
-- and is renewed by a timer. So an event costs one operation on the dictionary
-- and not two, and nothing of a killed worker counts as handled which it did
-- not say to be.
-- @module flexhooks.dedupe.nginx.settled_watermark

local core = require "flexhooks.core"
local runtime = require "flexhooks.runtime.nginx.runtime"
local later = require "flexhooks.runtime.nginx.later"
local shortage = require "flexhooks.runtime.nginx.shortage"

local M = {}

-- Seconds from a settled claim to its publication: so long a duplicate that
-- comes to another worker waits, and so much is forgotten with a killed one.
local INTERVAL = 0.02

-- Seconds between stamps, which never repeat; ngx.now stands still for a turn.
local TICK = 1e-6

---@class flexhooks.nginx.Ledger
---@field id integer flags of the entries that stand in it
---@field stuck boolean a claim stays open past its time: later ones cannot be
--- published and should stand in another ledger
local Ledger = { __name = "flexhooks.dedupe.nginx.settled_watermark" }
Ledger.__index = Ledger

local function key_of(id)
  return ("ledger:%d"):format(id)
end

-- Everything before this stamp is settled.
local function settled_before(self)
  local oldest = self.open_claims.next
  return oldest.stamp or self.last + TICK
end

local function publish(self)
  local dict = self.dict
  shortage.seen(dict, dict:set(self.key, settled_before(self), self.keep))
end

--- The stamp of a claim that is about to be made.
---@return number
function Ledger:stamp()
  local now = runtime.now()
  if now <= self.last then
    now = self.last + TICK
  end
  self.last = now
  return now
end

--- Enters a claim.
---@param stamp number the last one; nothing has waited since
---@param token string?
---@return table claim
function Ledger:open(stamp, token)
  local ends = self.open_claims
  local claim = { token = token, twin = nil, stamp = stamp, ledger = self,
    previous = ends.previous, next = ends }
  ends.previous.next = claim
  ends.previous = claim
  return claim
end

--- Ends a claim. Returns whether it will be published as settled; where an
-- older one is still open, whoever waits has to be told otherwise.
---@param claim table
---@return boolean
function Ledger:close(claim)
  local previous, following = claim.previous, claim.next
  previous.next, following.previous = following, previous
  if previous ~= self.open_claims then
    self.stuck = runtime.now() - self.open_claims.next.stamp > self.pending
    return false
  end
  self.publishing:schedule()
  return true
end

--- Is the claim with this stamp in that ledger, of whatever worker, settled?
---@param id integer
---@param stamp number
---@return boolean
function Ledger:has_settled(id, stamp)
  if id == self.id then
    return stamp < settled_before(self)
  end
  local before = self.dict:get(key_of(id))
  return before ~= nil and stamp < before
end

--- Makes a ledger of this worker.
---@param dict table ngx.shared.NAME
---@param keep number seconds for which its claims count
---@param pending number seconds that a claim may be open
---@return flexhooks.nginx.Ledger
function M.new(dict, keep, pending)
  local ends = {} -- of the list of open claims, oldest first
  ends.next, ends.previous = ends, ends
  local self = setmetatable({
    dict = dict, keep = keep, pending = pending, last = 0,
    open_claims = ends, publishing = nil, stuck = false,
  }, Ledger)
  self.publishing = later.new(INTERVAL, publish, self)
  repeat
    self.id = tonumber(core.hex(core.random(4)), 16) % 0x7fffffff + 1
    self.key = key_of(self.id)
  until shortage.seen(dict, dict:add(self.key, 0, keep))
    or not dict:get(self.key)
  return self
end

return M
