local prelude = require "flexhooks.queue.redis.prelude"
local queues = require "spec.support.queues"

local unpack = table.unpack or unpack

local bench = queues.redis()

local function run(code, ...)
  return bench.server:cli("EVAL", prelude .. code, "1", "{p}:", ...)
end

describe("what scripts begin with", function()
  it("keeps a line in its partition, and spreads them all", function()
    bench.server:cli("HSET", "{p}:meta", "partitions", "8")
    local lines, seen, count = {}, {}, 0
    for n = 1, 60 do
      lines[n] = "KD" .. n
    end
    local parts = run("local r = {} for i, line in ipairs(ARGV) do "
      .. "r[i] = partition(line) end return table.concat(r, ' ')",
      unpack(lines))
    for part in parts:gmatch "%d+" do
      count = count + (seen[part] and 0 or 1)
      seen[part] = true
    end
    assert.equal(8, count)
    for n = 1, 60, 20 do
      assert.equal(parts:match(("%d+ "):rep(n - 1) .. "(%d+)"),
        run("return partition(ARGV[1])", lines[n]))
    end
  end)

  it("knows a lease by its owner and its fence", function()
    bench.server:cli("HSET", "{p}:leases", "3", "me 7 99999")
    for _, case in ipairs { { "3", "me", "7", "1" }, { "3", "me", "8", "" },
      { "3", "you", "7", "" }, { "4", "me", "7", "" } } do
      assert.equal(case[4], run("return ours(ARGV[1], ARGV[2], ARGV[3])",
        case[1], case[2], case[3]))
    end
  end)

  it("notes no more of an event than follows it", function()
    run("note('stored', ARGV[1])", '{"id":"a","event":{"EventType":"onX",'
      .. '"InteractionSid":"KD1","Secret":"hunter2"}}')
    run("note('dead', ARGV[1])", "{")
    local log = bench.server:cli("XRANGE", "{p}:log", "-", "+")
    assert.matches("s\nstored\ni\na\nt\nonX\nl\nKD1\n", log)
    assert.is_nil(log:find("hunter2", 1, true))
    assert.is_true(tonumber(bench.server:cli("TTL", "{p}:log")) > 0)
  end)
end)
