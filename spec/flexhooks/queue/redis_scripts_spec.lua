local flexhooks = require "flexhooks"
local redis = require "spec.support.redis"

local server

setup(function()
  server = redis.start()
end)

local function item(id, line)
  return { id = id, received_at = flexhooks.now(), source = "default",
    event = { EventType = "onX", InteractionSid = "KD" .. (line or 1) } }
end

local queues = {}

local function open(query, options, of)
  local queue = flexhooks.queue((of or server):url(query), options)
  queues[#queues + 1] = queue
  return queue
end

after_each(function()
  for _, queue in ipairs(queues) do
    queue:close()
  end
  queues = {}
end)

describe("scripts", function()
  it("are what Redis can run, each of them", function()
    for name, text in pairs(require "flexhooks.queue.redis_scripts") do
      local process = require "spec.support.process"
      local _, sha = process.run { "redis-cli", "-p", server.port, "SCRIPT",
        "LOAD", text }
      assert.matches("^%x+\n$", sha, name)
    end
  end)

  it("are loaded again where Redis forgot them", function()
    local queue = open "prefix=f"
    assert.is_true(queue:store { item "a" })
    server:cli("SCRIPT", "FLUSH")
    assert.is_true(queue:store { item "b" })
    assert.equal(2, queue:stats().ready)
  end)

  it("touch no key without the queue's prefix", function()
    local queue = open "prefix=only&partitions=2"
    server:cli("FLUSHALL")
    assert.is_true(queue:store({ item "a" }) or queue:store { item "a" })
    queue:stats()
    for key in server:cli("KEYS", "*"):gmatch "[^\n]+" do
      assert.equal("{only}:", key:sub(1, 7))
    end
  end)
end)
