local flexhooks = require "flexhooks"
local queues = require "spec.support.queues"

local unpack = table.unpack or unpack

local bench = queues.redis()
local item, open = queues.item, bench.open

describe("scripts", function()
  it("are what Redis can run, each of them", function()
    for name, text in pairs(require "flexhooks.queue.redis.scripts") do
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

  it("claim tokens for a while, and forget them then", function()
    local queue = open("prefix=t&token_window=3").backend
    local bodies = {}
    local function store(...)
      local args = { 1, 60 }
      for _, token in ipairs { ... } do
        for _, value in ipairs { "KD1", "{}", "id", token, "", "s", "" } do
          args[#args + 1] = value
        end
      end
      bodies[#bodies + 1] = assert(queue:call("store", args))
      return bodies[#bodies]
    end
    local function count()
      return tonumber(bench.server:cli("ZCARD", "{t}:tokens"))
    end
    assert.is_true(queue:ready())
    assert.same({ 1, 1, 0, 1 }, store("a", "b", "a", ""))
    assert.same({ 0, 1 }, store("b", "c"))
    assert.equal(3, count())
    flexhooks.sleep(3.01)
    -- One that is over counts anew, wherever it stands.
    assert.same({ 1, 0 }, store("b", "b"))
    assert.same({ 0, 1 }, store("b", "d"))
    assert.same({ 1 }, store "e")
    assert.equal(3, count())
    local many = {}
    for n = 1, 2500 do
      many[n] = "many " .. n % 2400
    end
    local verdicts = store(unpack(many))
    for n = 1, 2500 do
      assert.equal(n <= 2400 and 1 or 0, verdicts[n])
    end
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
