local flexhooks = require "flexhooks"
local process = require "spec.support.process"

local queue, consumer, woken

local function item(id)
  return { id = id, received_at = 1, source = "default",
    event = { EventType = "onX", InteractionSid = "KD1" } }
end

before_each(function()
  queue, woken = flexhooks.queue "memory:", 0
  consumer = queue:consumer { wake = function()
    woken = woken + 1
  end }
  assert.is_true(consumer:open())
end)

local FAILURE = { attempt = 1, at = 1, kind = "handler", message = "no" }

describe("a consumer", function()
  it("is the only one of its queue", function()
    local other = queue:consumer { wake = function() end }
    local ok, err = other:open()
    assert.is_nil(ok)
    assert.equal("queue", err.kind)
    assert.is_true(consumer:close())
    assert.is_true(other:open())
  end)

  it("reads on from where it was, and is told of more", function()
    assert.is_true(queue:store { item "a", item "b", item "c" })
    assert.equal(1, woken)
    local refs = consumer:scan(2)
    assert.same({ 1, 2 }, { refs[1].seq, refs[2].seq })
    assert.equal(1, #consumer:scan(2))
    assert.same({}, consumer:scan(2))
  end)

  it("says what became of an event, as often as it likes", function()
    assert.is_true(queue:store { item "a", item "b", item "c" })
    local refs = consumer:scan(10)
    for _, ref in ipairs(refs) do
      assert.equal(1, consumer:begin(ref).attempt)
    end
    assert.equal(3, queue:stats().running)
    for _ = 1, 2 do
      assert.is_true(consumer:finish(refs[1]))
    end
    assert.is_true(consumer:retry(refs[2], 50, FAILURE))
    assert.is_true(consumer:bury(refs[3], FAILURE, "exhausted", false))
    assert.is_false(consumer:bury(refs[3], FAILURE, "exhausted", false))
    assert.is_false(consumer:begin(refs[3]))
    assert.is_false(consumer:retry(refs[1], 0, FAILURE))
    local stats = queue:stats()
    assert.same({ 0, 0, 1, 1 },
      { stats.ready, stats.running, stats.delayed, stats.dead })
  end)

  it("finds what is delayed and what is parked", function()
    assert.is_true(queue:store { item "a", item "b" })
    local refs = consumer:scan(10)
    consumer:begin(refs[1])
    consumer:retry(refs[1], 50, FAILURE)
    consumer:begin(refs[2])
    consumer:bury(refs[2], FAILURE, "exhausted", true)
    consumer:close()
    consumer = queue:consumer { wake = function() end }
    consumer:open()
    refs = consumer:scan(10)
    assert.is_true(refs[1].delay > 40 and refs[1].delay <= 50)
    assert.is_true(refs[2].parked)
    assert.same({}, consumer:recheck { refs[2] })
    local urgent
    function consumer.wake(now)
      urgent = urgent or now
    end
    assert.is_true(queue:replay "b")
    assert.is_true(urgent)
    assert.same({ refs[2] }, consumer:recheck { refs[2] })
  end)

  for _, kind in ipairs { "memory:", "sqlite:" } do
    it("finds the ones to go on among many parked ones, " .. kind, function()
      local many = flexhooks.queue(kind == "memory:" and kind
        or kind .. process.folder() .. "/q.db")
      local door = many:consumer { wake = function() end }
      assert.is_true(door:open())
      local items, refs = {}, nil
      for n = 1, 1201 do
        items[n] = item("i" .. n)
      end
      assert.is_true(many:store(items))
      flexhooks.run(function()
        refs = door:scan(2000)
        flexhooks.map(refs, 500, function(ref)
          assert(door:begin(ref))
          assert(door:bury(ref, FAILURE, "exhausted", true))
        end)
      end)
      assert.same({}, door:recheck(refs))
      assert.is_true(many:replay "i600")
      assert.is_true(many:discard "i1201")
      assert.same({ refs[600], refs[1201] }, door:recheck(refs))
      many:close()
    end)
  end

  it("keeps the first failures and the last", function()
    assert.is_true(queue:store { item "a" })
    local ref = consumer:scan(1)[1]
    for attempt = 1, 30 do
      assert.equal(attempt, consumer:begin(ref).attempt)
      consumer:retry(ref, 0, { attempt = attempt, message = "no" })
    end
    local failures = consumer:begin(ref).errors
    assert.equal(10, #failures)
    assert.same({ 1, 22, 30 }, { failures[1].attempt, failures[2].attempt,
      failures[10].attempt })
  end)

  it("owns what it has for ever", function()
    assert.is_true(consumer:beat())
    assert.is_nil(consumer:beat_every())
    assert.is_nil(consumer:lease_left({}))
  end)
end)
