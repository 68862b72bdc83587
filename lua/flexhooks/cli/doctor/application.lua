--- What the doctor looks at in an application: its handlers against what the
-- webhooks bring, and its queue.
-- @module flexhooks.cli.doctor.application

local errors = require "flexhooks.error"
local events = require "flexhooks.events"
local subscriptions = require "flexhooks.cli.doctor.webhooks"

local M = {}

local OLD = 300 -- seconds that an event may wait

-- The names of `a` that `b` lacks, sorted.
local function missing(a, b)
  local list = {}
  for name in pairs(a) do
    if not b[name] then
      list[#list + 1] = name
    end
  end
  table.sort(list)
  return list
end

local function handled_by(router)
  local handled = {}
  for _, name in ipairs(router:subscribed()) do
    for _, each in ipairs(name == "*" and events.names() or { name }) do
      handled[each] = true
    end
  end
  return handled
end

--- Compares what webhooks bring with what a router handles.
---@param report table
---@param router flexhooks.Router
---@param webhooks table[] that point at this receiver
function M.check_handlers(report, router, webhooks)
  local brought = subscriptions.subscriptions(webhooks)
  local handled = handled_by(router)
  local unhandled, unbrought = missing(brought, handled),
    missing(handled, brought)
  if #unhandled > 0 then
    report:add("handlers", "warn", "no handler has "
      .. table.concat(unhandled, ", "), "handle it, or subscribe to less: "
      .. "flexhooks plan hooks.lua --app shows both")
  end
  if #unbrought > 0 then
    report:add("handlers", "warn", "no webhook brings "
      .. table.concat(unbrought, ", ") .. ", which is handled",
      "add it to the webhook's events")
  end
  if #unhandled + #unbrought == 0 then
    report:add("handlers", "pass", "all that is subscribed to is handled")
  end
end

local function look_into(queue)
  local there, err = queue:exists()
  if not there then
    return nil, err
  end
  return queue:stats()
end

local function stats_of(queue)
  local ok, stats, err = pcall(look_into, queue)
  if not ok then
    stats, err = nil, stats
  end
  pcall(queue.close, queue)
  return stats, err
end

--- Looks into the application's queue.
---@param report table
---@param queue flexhooks.Queue
function M.check_queue(report, queue)
  local stats, err = stats_of(queue)
  if errors.is(err) and err.kind == "not_found" then
    report:add("queue", "pass", "is not there yet: flexhooks serve makes it")
    return
  elseif not stats then
    report:add("queue", "fail", errors.is(err) and err.message
      or tostring(err), "is the queue's URL right, and is its server or "
      .. "owner running?")
    return
  end
  local dead, oldest = stats.dead or 0, stats.oldest_age or 0
  local text = ("%d ready, %d running, %d delayed, %d dead"):format(
    stats.ready or 0, stats.running or 0, stats.delayed or 0, dead)
  if oldest > OLD then
    report:add("queue", "warn",
      text .. ("; the oldest waits for %.0f s"):format(oldest),
      "is a worker running, and is it fast enough?")
  elseif dead > 0 then
    report:add("queue", "warn", text, "flexhooks queue dead shows them")
  else
    report:add("queue", "pass", text)
  end
end

return M
