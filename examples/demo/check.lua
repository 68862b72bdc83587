-- What the demo claims, checked against what three witnesses saw: the simulator
-- (its journal), the handlers (their record) and the receiver (its metrics).
local M = {}

-- Within one interaction of the demo no two events are alike in these.
local function name_of(event)
  return table.concat({ event.InteractionSid, event.EventType,
    event.ParticipantSid or "", event.ChannelStatus or "" }, " ")
end

-- interaction -> names of its events, in order.
local function by_interaction(entries)
  local map = {}
  for _, entry in ipairs(entries) do
    local sid = entry.event.InteractionSid
    map[sid] = map[sid] or {}
    table.insert(map[sid], name_of(entry.event))
  end
  return map
end

local function same_order(raised, handled)
  for sid, names in pairs(by_interaction(raised)) do
    local seen = by_interaction(handled)[sid] or {}
    if table.concat(names, "\n") ~= table.concat(seen, "\n") then
      return false
    end
  end
  return true
end

-- How often each event was handled: fewest and most.
local function times_handled(raised, handled)
  local times, least, most = {}, math.huge, 0
  for _, entry in ipairs(handled) do
    local name = name_of(entry.event)
    times[name] = (times[name] or 0) + 1
  end
  for _, entry in ipairs(raised) do
    local count = times[name_of(entry.event)] or 0
    least, most = math.min(least, count), math.max(most, count)
  end
  return least, most
end

local function count(list, wanted)
  local n = 0
  for _, entry in ipairs(list) do
    n = n + (wanted(entry) and 1 or 0)
  end
  return n
end

--- Deliveries of an event that both webhooks were told of.
function M.twins(journal)
  return count(journal.events, function(entry)
    return entry.recipients == 2
  end)
end

local function deliveries_due(journal)
  local due = 0
  for _, entry in ipairs(journal.events) do
    due = due + entry.recipients
  end
  return due
end

--- The claims about events: `{ what, holds, … }`.
---@param journal table the simulator's
---@param record table[] the handlers'
---@param wanted table `events` that the played lives consist of
function M.events(journal, record, wanted)
  local least, most = times_handled(journal.events, record)
  local accepted = count(journal.deliveries, function(entry)
    return entry.status == 200 and entry.attempts == 1
  end)
  local failed = count(record, function(entry)
    return entry.failed
  end)
  return {
    { ("%d events happened"):format(wanted.events),
      #journal.events == wanted.events },
    { ("%d deliveries, each answered 200 at the first attempt")
      :format(deliveries_due(journal)),
      accepted == deliveries_due(journal)
        and #journal.deliveries == accepted and accepted > 0 },
    { ("%d events came through both webhooks"):format(M.twins(journal)),
      M.twins(journal) > 0 },
    { "each event was handled exactly once", least == 1 and most == 1
      and #record == #journal.events },
    { "in each interaction, in the order it happened",
      same_order(journal.events, record) },
    { "no handler failed", failed == 0 },
  }
end

return M
