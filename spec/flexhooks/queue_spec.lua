local flexhooks = require "flexhooks"

local function raised(f, ...)
  local args = { ... }
  local ok, err = pcall(function()
    local value = f((table.unpack or unpack)(args))
    return value
  end)
  assert.is_false(ok)
  return err
end

describe("flexhooks.queue", function()
  it("does nothing before its first use", function()
    assert.equal("flexhooks.queue (sqlite:/no/such/folder/q.db)",
      tostring(flexhooks.queue "sqlite:/no/such/folder/q.db"))
    assert.equal("flexhooks.queue (redis://nowhere.invalid:6379/0)",
      tostring(flexhooks.queue "redis://:secret@nowhere.invalid"))
  end)

  it("names what is wrong with its arguments, where they stand", function()
    for _, case in ipairs { { nil, "argument 1" }, { 5, "argument 1" },
      { "kafka:x", "sqlite:" }, { "memory:", "max_events", { max_event = 1 } },
      { "memory:", "at least 1", { max_events = 0 } },
      { "sqlite:x", "one of full", { synchronous = "extra" } },
      { "redis://h", "partitions", { partition = 1 } } } do
      local err = raised(flexhooks.queue, case[1], case[3])
      assert.equal("argument", err.kind)
      assert.matches("queue_spec.lua", err.message)
      assert.matches(case[2], err.message, 1, true)
    end
    local queue = flexhooks.queue "memory:"
    for _, case in ipairs { { "get" }, { "get", 5 }, { "replay" },
      { "discard", true }, { "replay", { typ = "x" } },
      { "dead_letters", { limit = 0 } }, { "dead_letters", 5 } } do
      local err = raised(queue[case[1]], queue, case[2])
      assert.equal("argument", err.kind)
      assert.matches("queue_spec.lua", err.message)
      assert.matches("queue:" .. case[1], err.message, 1, true)
    end
  end)

  it("names the colon where a method was called without it", function()
    local queue = flexhooks.queue "memory:"
    for _, name in ipairs { "stats", "dead_letters", "get", "replay",
      "discard", "close" } do
      for _, self in ipairs { false, "x", {}, queue.backend } do
        local err = raised(queue[name], self, "id")
        assert.equal("argument", err.kind)
        assert.matches("queue_spec.lua", err.message)
        assert.matches("queue:" .. name .. "(", err.message, 1, true)
      end
    end
  end)

  it("counts, hands out and waits as documented", function()
    local queue = flexhooks.queue "memory:"
    assert.is_true(queue:store { { id = "a", received_at = 1, source = "s",
      event = { EventType = "onX", InteractionSid = "KD1" } } })
    local stats = queue:stats()
    assert.same({ 1, 0, 0, 0 },
      { stats.ready, stats.running, stats.delayed, stats.dead })
    assert.is_true(stats.oldest_age > 1e9)
    assert.same({ { partition = 0 } }, stats.partitions)
    local list, cursor = queue:waiting(nil, 10)
    assert.same({ "a", "queued", "s", 1 }, { list[1].id, list[1].state,
      list[1].source, list[1].received_at })
    assert.same({}, (queue:waiting(cursor, 10)))
    assert.same({}, queue:dead_letters())
    assert.equal(0, queue:replay { reason = "exhausted" })
    assert.is_true(queue:close())
    assert.is_true(queue:close())
    local ok, err = queue:stats()
    assert.is_nil(ok)
    assert.equal("closed", err.kind)
  end)
end)
