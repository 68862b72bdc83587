-- What the demo claims, checked against what three witnesses saw: the
-- simulator (its journal), the handlers (their record) and the receiver (its
-- metrics).
local M = {}

--- Within one interaction of the demo no two events are alike in these.
function M.name_of(event)
  return table.concat({ event.InteractionSid, event.EventType,
    event.ParticipantSid or "", event.ChannelStatus or "" }, " ")
end

-- interaction -> names of its events, in order.
local function by_interaction(entries)
  local map = {}
  for _, entry in ipairs(entries) do
    local sid = entry.event.InteractionSid
    map[sid] = map[sid] or {}
    table.insert(map[sid], M.name_of(entry.event))
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
    local name = M.name_of(entry.event)
    times[name] = (times[name] or 0) + 1
  end
  for _, entry in ipairs(raised) do
    local count = times[M.name_of(entry.event)] or 0
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

--- The sum of a counter over its labels, from Prometheus text.
---@param metrics string
---@param name string without the prefix
---@return number
function M.counter(metrics, name)
  local sum = 0
  for labels, value in ("\n" .. metrics):gmatch("\nflexhooks_" .. name
    .. "(%b{}) (%d+)") do
    sum = sum + (labels ~= "" and tonumber(value) or 0)
  end
  return sum + (tonumber(("\n" .. metrics):match("\nflexhooks_" .. name
    .. " (%d+)")) or 0)
end

local function deliveries_due(journal)
  local due = 0
  for _, entry in ipairs(journal.events) do
    due = due + entry.recipients
  end
  return due
end

local function of_deliveries(seen)
  local due = deliveries_due(seen.journal)
  local accepted = count(seen.journal.deliveries, function(entry)
    return entry.status == 200 and entry.attempts == 1
  end)
  local twins = due - #seen.journal.events
  return {
    { ("%d deliveries, each answered 200 at the first attempt"):format(due),
      accepted == due and #seen.journal.deliveries == due and due > 0 },
    { ("%d of them told of an event that had come through the other webhook")
      :format(twins),
      twins > 0
        and M.counter(seen.metrics, "events_duplicate_total") == twins },
  }
end

local function of_events(seen, expected)
  local raised, handled = seen.journal.events, seen.record
  local least, most = times_handled(raised, handled)
  local failed = count(handled, function(entry)
    return entry.failed
  end)
  return {
    { ("%d events happened"):format(expected), #raised == expected },
    { "each was handled exactly once", least == 1 and most == 1
      and #handled == #raised
      and M.counter(seen.metrics, "events_handled_total") == #raised },
    { "in each interaction, in the order it happened",
      same_order(raised, handled) },
    { "no handler failed", failed == 0
      and M.counter(seen.metrics, "events_failed_total") == 0 },
  }
end

-- Whoever else knocks at the receiver's port meanwhile is counted as well.
local function of_the_rest(seen)
  return {
    { "the forgery was refused with 403 and reached no handler",
      seen.forgery.status == 403 and not seen.forgery.valid
        and seen.forgery.counted >= 1 },
    { "two webhooks were registered, none is left",
      seen.webhooks.listed == 2 and seen.webhooks.left == 0 },
  }
end

--- The claims, each with whether it holds.
---@param seen table `journal`, `record`, `metrics` (text), `forgery`
-- (`status`, `valid`, `counted` refusals), `webhooks` (`listed`, `left`)
---@param expected integer events that the played lives consist of
---@return { [1]: string, [2]: boolean }[]
function M.claims(seen, expected)
  local claims = {}
  for _, part in ipairs { of_events(seen, expected), of_deliveries(seen),
    of_the_rest(seen) } do
    for _, claim in ipairs(part) do
      claims[#claims + 1] = claim
    end
  end
  return claims
end

return M
