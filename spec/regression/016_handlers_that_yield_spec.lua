-- A handler that yielded by itself ended its task on the spot: its event was
-- being handled for ever, its interaction stood still, and a worker that was
-- to stop waited for it in vain.
local flexhooks = require "flexhooks"

it("a handler that yields by itself has failed, and its event goes on",
  function()
    local queue, router = flexhooks.queue "memory:", flexhooks.router()
    local worker, seen = nil, {}
    router:on("*", function(event, context)
      seen[#seen + 1] = event.Number .. "/" .. context.attempt
      if #seen == 1 then
        coroutine.yield "to whom?"
      elseif event.Number == "2" then
        worker:stop()
      end
    end)
    for number = 1, 2 do
      assert.is_true(queue:store { { id = "id" .. number, received_at = 1,
        source = "default", event = { EventType = "onX",
          InteractionSid = "KD1", Number = tostring(number) } } })
    end
    worker = flexhooks.worker { queue = queue, router = router,
      backoff = { 0, 0 } }
    assert.is_true(worker:run())
    assert.same({ "1/1", "1/2", "2/1" }, seen)
    assert.same({ handled = 2, retried = 1, dead = 0 }, worker.totals)
    queue:close()
  end)
