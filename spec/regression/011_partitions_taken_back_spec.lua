-- A worker that stood still lost a partition to one that stood still after it,
-- and took it back with its first beat. The answer to a scan that it had sent
-- for its first time as owner then moved the cursor of its second: events
-- before it were left out, and those after them handled first.
local flexhooks = require "flexhooks"
local queues = require "spec.support.queues"

local bench = queues.redis()
local item, open = queues.item, bench.open

local function ids_of(consumer, refs)
  local ids = {}
  for i, ref in ipairs(refs) do
    ids[i] = consumer:begin(ref).id
  end
  return ids
end

describe("a partition that was lost and taken back", function()
  it("is read from its start, whatever was asked before", function()
    flexhooks.run(function()
      local queue = open "partitions=1&prefix=back"
      assert.is_true(queue:store { item "a", item "b", item "c" })
      local lost = {}
      local consumer = queue:consumer { wake = function() end, lease = 5,
        lost = function(parts)
          lost = parts
        end }
      assert.is_true(consumer:open())
      assert.equal(1, #consumer:scan(1))
      -- Another had it meanwhile, and its lease has ended too.
      bench.server:cli("HSET", "{back}:leases", "0", "another 2 1")
      bench.server:cli("HSET", "{back}:fences", "0", "2")
      local beat = flexhooks.spawn(consumer.beat, consumer)
      local scan = flexhooks.spawn(consumer.scan, consumer, 10)
      assert.is_true(beat:wait())
      assert.is_true(lost["0"])
      assert.same({}, (scan:wait()))
      assert.same({ "a", "b", "c" }, ids_of(consumer, consumer:scan(10)))
      assert.is_true(consumer:close())
    end)
  end)
end)
