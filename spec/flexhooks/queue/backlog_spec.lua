-- A backlog that no worker could hold in memory: what it keeps is bounded, and
-- memory stays flat while it is worked off.
local flexhooks = require "flexhooks"
local process = require "spec.support.process"

local EVENTS = os.getenv "TORTURE" and 1000000 or 20000
local AT_ONCE = 1000

local function fill(queue)
  for from = 1, EVENTS, AT_ONCE do
    local items = {}
    for n = from, from + AT_ONCE - 1 do
      items[#items + 1] = { id = "e" .. n, received_at = 1, source = "s",
        event = { EventType = "onX", InteractionSid = "KD" .. n % 700,
          Number = n } }
    end
    assert.is_true(queue:store(items))
  end
end

local function kilobytes()
  collectgarbage()
  collectgarbage()
  return collectgarbage "count"
end

describe("a backlog of " .. EVENTS .. " events", function()
  it("is worked off in flat memory", function()
    local queue = flexhooks.queue("sqlite:" .. process.folder() .. "/q.db")
    fill(queue)
    local router, handled, last, samples = flexhooks.router(), 0, {}, {}
    local worker
    router:on("*", function(event)
      assert((last[event.InteractionSid] or 0) < event.Number, "order")
      last[event.InteractionSid] = event.Number
      handled = handled + 1
      if handled % (EVENTS / 10) == 0 then
        samples[#samples + 1] = kilobytes()
      end
      if handled == EVENTS then
        worker:stop()
      end
    end)
    worker = flexhooks.worker { queue = queue, router = router }
    assert.is_true(worker:run())
    assert.equal(0, queue:stats().ready)
    queue:close()
    local least, most = math.huge, 0
    for i = 2, #samples do
      least, most = math.min(least, samples[i]), math.max(most, samples[i])
    end
    print(("   %d events: from %.0f to %.0f KiB"):format(EVENTS, least, most))
    assert.is_true(most < 1.5 * least + 1024)
  end)
end)
