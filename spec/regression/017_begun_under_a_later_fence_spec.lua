-- The beginning of an event did not reach Redis, and was to be sent again. In
-- the meantime its partition was lost and taken back by the same worker, which
-- then sent it under the new fence, with what it knew from its first time: the
-- attempts that others had made were forgotten.
local flexhooks = require "flexhooks"
local queues = require "spec.support.queues"

local bench = queues.redis()

describe("a partition that was lost and is ours again", function()
  it("has no event begun by who read it before", function()
    flexhooks.run(function()
      local queue = bench.open "partitions=1&prefix=stale"
      assert.is_true(queue:store { queues.item "a" })
      local lost = {}
      local consumer = queue:consumer { wake = function() end, lease = 5,
        lost = function(parts)
          lost[#lost + 1] = parts
        end }
      assert.is_true(consumer:open())
      local stale = consumer:scan(10)
      -- Another had it and tried the event twice; its lease has ended.
      local entry = stale[1].seq:match "/(.*)$"
      bench.server:cli("HSET", "{stale}:leases", "0", "another 2 1")
      bench.server:cli("HSET", "{stale}:fences", "0", "2")
      bench.server:cli("HSET", "{stale}:s:0", entry, "2 0 r")
      assert.is_true(consumer:beat())
      assert.same({ { ["0"] = true } }, lost)
      assert.is_false(consumer:begin(stale[1]))
      local item = consumer:begin(consumer:scan(10)[1])
      assert.same({ 3, 3 }, { item.fence, item.attempt })
      assert.is_true(consumer:close())
    end)
  end)
end)
