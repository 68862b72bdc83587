--- What happened: the events raised and the deliveries made, newest kept.
-- @module flexhooks.simulator.journal

local log = require "flexhooks.log"

local M = {}

---@class flexhooks.simulator.Journal
local Journal = { __name = "flexhooks.simulator.journal" }
Journal.__index = Journal

---@param now fun(): number Unix seconds
---@param logger fun(level: string, message: string, fields: table)?
---@param kept integer? entries of each kind, 10000
function M.new(now, logger, kept)
  return setmetatable({
    now = now,
    logger = log.wrap(logger),
    kept = kept or 10000,
    events = { first = 1, last = 0 },
    deliveries = { first = 1, last = 0 },
  }, Journal)
end

local function append(self, list, entry)
  entry.at = self.now()
  list.last = list.last + 1
  list[list.last] = entry
  if list.last - list.first >= self.kept then
    list[list.first] = nil
    list.first = list.first + 1
  end
end

--- An event was raised.
---@param account table whose it is
---@param number integer its place in its interaction, from 1
---@param event table<string, string>
---@param recipients integer webhooks it goes to
function Journal:raised(account, number, event, recipients)
  append(self, self.events, { account_sid = account.sid, number = number,
    recipients = recipients, event = event })
  self.logger("info", event.EventType, { interaction = event.InteractionSid,
    channel_type = event.MediaChannelType, webhooks = recipients })
end

local function happy(entry)
  return entry.status ~= nil and entry.status < 300
end

--- A delivery has ended, well or badly.
---@param entry table
function Journal:delivered(entry)
  append(self, self.deliveries, entry)
  self.logger(happy(entry) and "debug" or "warn", "delivered " ..
    entry.event_type, { interaction = entry.interaction_sid,
    webhook = entry.ttid, status = entry.status, error = entry.error,
    attempts = entry.attempts })
end

local function copy(list, keep)
  local entries = {}
  for index = list.first, list.last do
    if keep(list[index]) then
      entries[#entries + 1] = list[index]
    end
  end
  return entries
end

--- The entries of one account, oldest first; of all where none is named.
---@param account_sid string?
---@return table[] events
---@return table[] deliveries
function Journal:read(account_sid)
  local function keep(entry)
    return account_sid == nil or entry.account_sid == account_sid
  end
  return copy(self.events, keep), copy(self.deliveries, keep)
end

return M
