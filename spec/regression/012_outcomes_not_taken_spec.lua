-- A worker that had lost a partition while a handler ran counted the event as
-- handled, although the queue had refused that and another handles it again.
local flexhooks = require "flexhooks"
local queues = require "spec.support.queues"

local bench = queues.redis()

describe("an outcome that the queue did not take", function()
  it("is neither counted nor told", function()
    local queue = bench.open "partitions=1&prefix=lost"
    assert.is_true(queue:store { queues.item "a" })
    local router, told, worker = flexhooks.router(), {}, nil
    router:on("*", function()
      bench.server:cli("HSET", "{lost}:leases", "0",
        "another 2 99999999999999")
      worker:stop()
    end)
    worker = flexhooks.worker { queue = queue, router = router,
      on_outcome = function(outcome)
        told[#told + 1] = outcome
      end }
    assert.is_true(worker:run())
    assert.same({}, told)
    assert.same({ handled = 0, retried = 0, dead = 0 }, worker.totals)
    assert.equal(1, queue:stats().running)
  end)
end)
