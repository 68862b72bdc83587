local queues = require "spec.support.queues"

local bench = queues.redis()
local item, open = queues.item, bench.open

describe("scripts", function()
  it("are what Redis can run, each of them", function()
    for name, text in pairs(require "flexhooks.queue.redis_scripts") do
      local process = require "spec.support.process"
      local _, sha = process.run { "redis-cli", "-p", bench.server.port,
        "SCRIPT", "LOAD", text }
      assert.matches("^%x+\n$", sha, name)
    end
  end)

  it("are loaded again where Redis forgot them", function()
    local queue = open "prefix=f"
    assert.is_true(queue:store { item "a" })
    bench.server:cli("SCRIPT", "FLUSH")
    assert.is_true(queue:store { item "b" })
    assert.equal(2, queue:stats().ready)
  end)

  it("touch no key without the queue's prefix", function()
    local queue = open "prefix=only&partitions=2"
    bench.server:cli("FLUSHALL")
    assert.is_true(queue:store({ item "a" }) or queue:store { item "a" })
    queue:stats()
    for key in bench.server:cli("KEYS", "*"):gmatch "[^\n]+" do
      assert.equal("{only}:", key:sub(1, 7))
    end
  end)
end)
