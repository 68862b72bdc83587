-- A backlog that no worker could hold in memory: what it keeps is bounded, and
-- memory stays flat while it is worked off.
local flexhooks = require "flexhooks"
local process = require "spec.support.process"
local redis = require "spec.support.redis"
local torture = require "spec.support.torture"

local EVENTS = torture.long and 1000000 or 20000
local AT_ONCE = 1000
local LINES = 700

local function fill(queue, what)
  for from = 1, EVENTS, AT_ONCE do
    local items = {}
    for n = from, from + AT_ONCE - 1 do
      items[#items + 1] = { id = "e" .. n, received_at = 1, source = "s",
        event = { EventType = "onX", InteractionSid = "KD" .. n % LINES,
          Number = n } }
    end
    assert.is_true(queue:store(items))
    torture.progress(what .. ", stored", from + AT_ONCE - 1, EVENTS)
  end
end

-- KiB that Lua holds, and that the process does.
local function kilobytes()
  collectgarbage()
  collectgarbage()
  local status = process.read "/proc/self/status"
  return { lua = collectgarbage "count",
    process = tonumber(status:match "VmRSS:%s*(%d+)") }
end

-- Handles everything; returns what memory was at each tenth of the way.
local function work_off(queue, what)
  local router, handled, last, samples = flexhooks.router(), 0, {}, {}
  local worker
  router:on("*", function(event)
    assert((last[event.InteractionSid] or 0) < event.Number, "order")
    last[event.InteractionSid] = event.Number
    handled = handled + 1
    if handled % (EVENTS / 10) == 0 then
      samples[#samples + 1] = kilobytes()
    end
    torture.progress(what .. ", handled", handled, EVENTS)
    if handled == EVENTS then
      worker:stop()
    end
  end)
  worker = flexhooks.worker { queue = queue, router = router }
  assert.is_true(worker:run())
  assert.equal(0, queue:stats().ready)
  return samples
end

-- The first tenth is for caches to fill.
local function assert_flat(samples, what, name, slack)
  local least, most = math.huge, 0
  for i = 2, #samples do
    least = math.min(least, samples[i][name])
    most = math.max(most, samples[i][name])
  end
  torture.say(("%s: %s has %.0f to %.0f KiB"):format(what, name, least, most))
  assert.is_true(most < 1.5 * least + slack)
end

local function try(queue, name)
  local what = ("%d events in %s"):format(EVENTS, name)
  fill(queue, what)
  local samples = work_off(queue, what)
  queue:close()
  assert_flat(samples, what, "lua", 1024)
  assert_flat(samples, what, "process", 8192)
end

describe("a backlog of " .. EVENTS .. " events", function()
  it("is worked off in flat memory from SQLite", function()
    try(flexhooks.queue("sqlite:" .. process.folder() .. "/q.db"), "SQLite")
  end)

  it("is worked off in flat memory from Redis", function()
    try(flexhooks.queue(redis.start():url()), "Redis")
  end)
end)
