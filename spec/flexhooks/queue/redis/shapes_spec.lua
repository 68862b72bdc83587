local flexhooks = require "flexhooks"
local process = require "spec.support.process"
local queues = require "spec.support.queues"
local redis = require "spec.support.redis"
local redis_proxy = require "spec.support.redis_proxy"
local shapes = require "flexhooks.queue.redis.shapes"

local item = queues.item
local proxy, queue, consumer, ref
local prefix = 0 -- each queue has its own

-- What a broken proxy or a foreign server may send instead.
local ANSWERS = {
  ok = "+OK\r\n", zero = ":0\r\n", one = ":1\r\n", seven = ":7\r\n",
  minus = ":-2\r\n", null = "$-1\r\n", no_array = "*-1\r\n",
  empty = "*0\r\n", nested = "*1\r\n*1\r\n*0\r\n", text = "$3\r\nabc\r\n",
  float = "$3\r\n1.5\r\n", nothing = "$0\r\n\r\n",
  err = "-ERR no such thing\r\n", inner = "*2\r\n:1\r\n-ERR inner\r\n",
  short = "*1\r\n:1\r\n", long = "*3\r\n:1\r\n:1\r\n:1\r\n",
  strings = "*2\r\n$1\r\n1\r\n$1\r\n1\r\n", nulls = "*2\r\n$-1\r\n$-1\r\n",
  entry = "*1\r\n*2\r\n$3\r\n1-1\r\n*0\r\n",
}

setup(function()
  proxy = redis_proxy.start(redis.start())
end)

local function open()
  prefix = prefix + 1
  return flexhooks.queue(proxy:url("partitions=2&timeout=2&prefix=" .. prefix))
end

-- A queue with an event that was begun, one that waits, and a dead letter.
local function prepare()
  proxy:mend()
  queue = open()
  assert.is_true(queue:store {
    item "a", item("b", { event = { EventType = "onX",
      InteractionSid = "KD2" } }),
    item("c", { event = false, raw = "{", reason = "malformed" }) })
  consumer = queue:consumer { wake = function() end, lost = function() end,
    lease = 60 }
  assert.is_true(consumer:open())
  ref = consumer:scan(1)[1]
  assert.is_table(consumer:begin(ref))
end

local function close()
  proxy:mend()
  assert.is_true(consumer:close())
  queue:close()
end

local failure = { attempt = 1, at = 1, kind = "x", message = "x" }

-- Scripts and commands, the answers that each may well have, and the call that
-- leads to it.
local CALLS = {
  { "store", "", function()
    return queue:store { item "x", item "y" }
  end },
  { "begin", "", function()
    -- As a repeated step of the same attempt.
    ref.attempts = 0
    return consumer:begin(ref)
  end },
  { "finish", "short", function()
    return consumer:finish(ref)
  end },
  { "retry", "zero one", function()
    return consumer:retry(ref, 0, failure)
  end },
  { "bury", "zero one", function()
    return consumer:bury(ref, failure, "refused", false)
  end },
  { "beat", "short long", function()
    return consumer:beat()
  end },
  { "scan", "empty", function()
    consumer.parts[ref.part].drained = false
    return consumer:scan(10)
  end },
  { "parked", "short", function()
    return consumer:recheck { ref }
  end },
  { "release", "one", function()
    return consumer:give_back({}, false)
  end },
  { "stats", "", function()
    return queue:stats()
  end },
  { "letters", "empty", function()
    return queue:dead_letters()
  end },
  { "letter", "null no_array", function()
    return queue:get "c"
  end },
  { "XRANGE", "empty", function()
    return queue:get "b"
  end },
  { "HGET", "null no_array", function()
    return queue:get "a"
  end },
  { "peek", "empty", function()
    return queue:waiting(nil, 10)
  end },
  { "follow", "", function()
    return queue:follow()
  end },
  { "replay", "zero one", function()
    return queue:replay "c"
  end },
  { "discard", "zero one", function()
    return queue:discard "c"
  end },
  { "EXISTS", "zero one", function()
    return queue:exists()
  end },
  { "XREAD", "null no_array empty", function()
    return consumer:read_wake(queue.backend.io)
  end },
  { "setup", "", function()
    return open():stats()
  end },
  { "LOAD", "", function()
    return open():stats()
  end },
  { "INFO", "", function()
    return open():stats()
  end },
  { "CONFIG", "", function()
    return open():stats()
  end },
  { "SELECT", "ok", function()
    return open():stats()
  end },
}

describe("an answer that a command does not have", function()
  for _, call in ipairs(CALLS) do
    it("is a failure of " .. call[1], function()
      for name, bytes in pairs(ANSWERS) do
        if not (" " .. call[2] .. " "):find(" " .. name .. " ", 1, true) then
          flexhooks.run(function()
            prepare()
            proxy:break_answers(call[1], bytes)
            local value, err = call[3]()
            assert.is_nil(value, call[1] .. " took " .. name)
            assert.equal("queue", err.kind, name .. ": " .. tostring(err))
            close()
          end)
        end
      end
    end)
  end

  it("ends the connection: no later answer is trusted", function()
    flexhooks.run(function()
      prepare()
      assert.is_table(queue:stats())
      proxy:break_answers("stats", "*0\r\n")
      local first = flexhooks.spawn(queue.stats, queue)
      local second = flexhooks.spawn(queue.exists, queue)
      local _, err = first:wait()
      assert.equal("protocol", err.reason)
      assert.matches("an answer that no Redis gives", err.message)
      _, err = second:wait()
      assert.equal("protocol", err.reason)
      proxy:mend()
      assert.is_table(queue:stats())
      close()
    end)
  end)

  it("does not end a worker", function()
    queue = open()
    local router, seen, breaks = flexhooks.router(), {}, { "begin", "finish",
      "beat", "scan", "XREAD", "retry" }
    router:on("*", function(_, context)
      seen[context.id] = (seen[context.id] or 0) + 1
      if context.attempt == 1 then
        return nil, "not yet"
      end
    end)
    local worker = flexhooks.worker { queue = queue, router = router,
      backoff = { 0, 0 }, lease = 2 }
    flexhooks.run(function()
      local running = flexhooks.spawn(worker.run, worker)
      for i, name in ipairs(breaks) do
        for _, bytes in ipairs { "+OK\r\n", "*1\r\n:7\r\n", "$-1\r\n" } do
          proxy:mend()
          process.eventually(function()
            flexhooks.sleep(0.01)
            return queue:store { item("w" .. i .. bytes) }
          end)
          proxy:break_answers(name, bytes)
          flexhooks.sleep(0.1)
        end
      end
      proxy:mend()
      process.eventually(function()
        flexhooks.sleep(0.01)
        local stats = queue:stats()
        return stats and stats.ready + stats.running + stats.delayed == 0
      end)
      worker:stop()
      assert.is_true(running:wait())
    end)
    local count = 0
    for _ in pairs(seen) do
      count = count + 1
    end
    assert.equal(3 * #breaks, count)
    queue:close()
  end)
end)

describe("a shape", function()
  it("is known for each script", function()
    local scripts = require "flexhooks.queue.redis.scripts"
    for name in pairs(scripts) do
      assert.is_function(shapes.of_script(name, 1), name)
      assert.is_false(shapes.of_script(name, 1) { {} }, name)
    end
  end)
end)
