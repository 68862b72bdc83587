local flexhooks = require "flexhooks"
local process = require "spec.support.process"
local queues = require "spec.support.queues"
local scripts = require "flexhooks.queue.redis.worker_scripts"

local bench = queues.redis()
local item, open = queues.item, bench.open

local queue, fence, entry

local function call(name, ...)
  return assert(queue:call(name, { ... }))
end

-- An event in the one partition, which "me" leases.
before_each(function()
  bench.server:cli "FLUSHALL"
  local whole = open("prefix=w&partitions=1")
  assert.is_true(whole:store { item "a" })
  queue = whole.backend
  fence = call("beat", "me", 60000)[3]
  entry = call("scan", 10, 0, "0-0")[2]
end)

describe("the scripts of a worker", function()
  it("are what Redis can run, each of them", function()
    for name, text in pairs(scripts) do
      assert.matches("^%x+$", bench.server:cli("SCRIPT", "LOAD", text), name)
    end
  end)

  it("do nothing for who does not hold the partition", function()
    for _, other in ipairs { { "you", fence }, { "me", fence + 1 } } do
      local name, wrong = other[1], other[2]
      assert.same({ -1 }, call("begin", name, 0, wrong, entry, 0))
      assert.same({ -1 }, call("finish", name, 0, wrong, entry))
      assert.equal(-1, call("retry", 0, name, wrong, entry, 1, 1, "[]"))
      assert.equal(-1, call("bury", 0, name, wrong, entry, 1, "a", "x", "[]",
        0))
      call("release", name, 0, 0, wrong)
    end
    assert.same({ 0, entry }, { tonumber(call("scan", 10, 0, "0-0")[1]),
      call("scan", 10, 0, "0-0")[2] })
    assert.equal("a", require("flexhooks.queue.item_codec").decode(
      call("begin", "me", 0, fence, entry, 0)[1][1]).id)
  end)

  it("tell the failures before, and count a step that is repeated once",
    function()
      for _ = 1, 2 do
        local reply = call("begin", "me", 0, fence, entry, 0)[1]
        assert.same({ 1, "", 0 }, { reply[2], reply[3], reply[4] })
      end
      assert.equal(1, call("retry", 0, "me", fence, entry, 1, 0, "[1]"))
      local reply = call("begin", "me", 0, fence, entry, 1)[1]
      assert.same({ 2, "[1]", 0 }, { reply[2], reply[3], reply[4] })
      assert.same({ 1 }, call("finish", "me", 0, fence, entry))
      assert.same({ 0 }, call("begin", "me", 0, fence, entry, 2))
      assert.same({ 1 }, call("finish", "me", 0, fence, entry))
    end)

  it("give a partition to one at a time, each time with a new fence",
    function()
      assert.same({ 0 }, call("beat", "you", 60000))
      call("release", "me", 1, 0, fence)
      local reply = call("beat", "you", 60000)
      assert.equal(1, reply[1])
      assert.is_true(tonumber(reply[3]) > tonumber(fence))
    end)

  it("tell of what an owner left behind that it waits, not that it runs",
    function()
      call("begin", "me", 0, fence, entry, 0)
      local whole = queue:stats()
      assert.same({ 0, 1 }, { whole.ready, whole.running })
      call("release", "me", 1, 0, fence)
      for _ = 1, 2 do -- with no owner, and under the next one
        local stats = queue:stats()
        assert.same({ 1, 0 }, { stats.ready, stats.running })
        fence = call("beat", "you", 60000)[3]
      end
      assert.equal(1, call("scan", 10, 0, "0-0")[4])
      call("begin", "you", 0, fence, entry, 1)
      assert.equal(1, queue:stats().running)
    end)

  it("leave a replay one, whoever has its partition", function()
    call("begin", "me", 0, fence, entry, 0)
    call("bury", 0, "me", fence, entry, 1, "a", "exhausted", "[]", 1)
    assert.is_true(queue:replay "a")
    assert.equal(1, call("begin", "me", 0, fence, entry, 0)[1][4])
    call("release", "me", 1, 0, fence)
    fence = call("beat", "you", 60000)[3]
    assert.equal(0, queue:stats().running)
    assert.equal(1, call("begin", "you", 0, fence, entry, 1)[1][4])
  end)

  it("let fences grow where somebody emptied the database", function()
    call("release", "me", 0, 0, fence)
    local second = call("beat", "me", 60000)[3]
    bench.server:cli "FLUSHALL"
    process.eventually(function()
      return flexhooks.now() * 1000 > tonumber(second) + 1
    end)
    assert.is_true(tonumber(call("beat", "me", 60000)[3]) > tonumber(second))
  end)

  it("go on where Redis is full", function()
    assert.is_true(open("prefix=w&partitions=1"):store { item "b" })
    bench.server:cli("CONFIG", "SET", "maxmemory", "1")
    finally(function()
      bench.server:cli("CONFIG", "SET", "maxmemory", "0")
    end)
    assert.equal(2, open("prefix=w&partitions=1"):stats().ready)
    assert.same({ 1, 0, fence }, call("beat", "me", 60000))
    assert.equal(1, call("begin", "me", 0, fence, entry, 0)[1][2])
    assert.equal(1, call("retry", 0, "me", fence, entry, 1, 0, "[1]"))
    assert.equal(1, call("bury", 0, "me", fence, entry, 1, "a", "x", "[1]", 0))
    local other = call("scan", 10, 0, entry)[2]
    assert.same({ 1 }, call("finish", "me", 0, fence, other))
    assert.equal(0, #call("scan", 10, 0, "0-0"))
    local _, err = open("prefix=w&partitions=1"):store { item "c" }
    assert.equal("oom", err.reason)
  end)
end)
