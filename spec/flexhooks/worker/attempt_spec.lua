-- What becomes of whole queues of events is in spec/support/queue_contract.
local attempt = require "flexhooks.worker.attempt"
local errors = require "flexhooks.error"
local flexhooks = require "flexhooks"
local schedulers = require "flexhooks.worker.scheduler"

local REF = { seq = 1, line = "KD1", attempts = 0 }

local taken, worker, item, handler

-- A worker on one event; `taken` holds the steps that its queue has taken.
before_each(function()
  taken = {}
  item = { id = "a", attempt = 1, errors = {},
    event = { EventType = "onX", InteractionSid = "KD1" } }
  handler = function() end
  local function take(name, result)
    return function(_, _, ...)
      taken[#taken + 1] = { name, ... }
      return result or item
    end
  end
  local router = flexhooks.router()
  router:on("*", function(...)
    return handler(...)
  end)
  worker = {
    consumer = { begin = take "begin", finish = take("finish", true),
      retry = take("retry", true), bury = take("bury", true),
      lease_left = function() end },
    lanes = schedulers.new(), parked = {}, router = router,
    backoff = { 1, 300 },
    totals = { handled = 0, retried = 0, dead = 0 }, max_attempts = 3,
    handler_timeout = 60, on_exhausted = "skip", log = function() end,
  }
end)

local function run()
  worker.lanes:add(REF)
  worker.lanes:take(0)
  local outcome
  worker.on_outcome = function(name)
    outcome = name
  end
  attempt.run(worker, REF)
  return outcome
end

local function fail(fields)
  handler = function()
    return nil, errors.new("handler", "no", fields)
  end
end

describe("an attempt", function()
  it("ends an event that was handled", function()
    assert.equal("handled", run())
    assert.same({ { "begin" }, { "finish" } }, taken)
    assert.equal(0, worker.lanes.known)
  end)

  it("is followed by another one, later each time and never together",
    function()
      fail()
      for number, range in pairs { { 0.5, 1 }, { 1, 2 } } do
        item.attempt, taken = number, {}
        assert.equal("retried", run())
        local delay = taken[2][2]
        assert.is_true(delay >= range[1] and delay <= range[2])
        worker.lanes = schedulers.new()
      end
      fail { retry_after = 7 }
      assert.equal("retried", run())
      assert.equal(7, taken[4][2])
    end)

  it("is the last one where the handler or the count says so", function()
    fail { retry = false }
    assert.equal("dead", run())
    assert.equal("refused", taken[2][3])
    fail()
    item.attempt, taken = 3, {}
    assert.equal("dead", run())
    assert.equal("exhausted", taken[2][3])
    item.attempt, taken = 4, {}
    handler = error
    assert.equal("dead", run())
    assert.same({ 3, "the process ended during the attempt" },
      { taken[2][2].attempt, taken[2][2].message })
    item.attempt, item.errors, taken = 6, { { attempt = 5 } }, {}
    assert.equal("dead", run())
    assert.same({ 5, "max_attempts is 3 now" },
      { taken[2][2].attempt, taken[2][2].message })
    item.event, taken = nil, {}
    assert.equal("dead", run())
    assert.equal("malformed", taken[2][3])
  end)

  it("keeps of a failure what fits", function()
    handler = function()
      error(("x"):rep(100000))
    end
    run()
    local failure = taken[2][3]
    assert.is_true(#failure.message <= 1024 and #failure.traceback <= 4096)
    assert.matches("attempt_spec.lua", failure.traceback)
  end)

  it("gives handlers a log that names the event, whatever it is passed",
    function()
      local lines = {}
      worker.logger = function(level, message, fields)
        lines[#lines + 1] = { level, message, fields }
      end
      item.event = { EventType = "onX", InteractionSid = "KD1",
        ChannelSid = "UO1", ParticipantSid = "UT1", Body = "secret" }
      handler = function(_, context)
        context.log("info", "one", { more = true })
        context.log("warn", "two", "text")
        context.log("error", "three")
      end
      assert.equal("handled", run())
      local labels = { id = "a", attempt = 1, EventType = "onX",
        InteractionSid = "KD1", ChannelSid = "UO1", ParticipantSid = "UT1" }
      assert.same({ "error", "three", labels }, lines[3])
      labels.value = "text"
      assert.same({ "warn", "two", labels }, lines[2])
      labels.value, labels.more = nil, true
      assert.same({ "info", "one", labels }, lines[1])
    end)

  it("gives handlers the client, asked of a function by account", function()
    local got
    handler = function(_, context)
      got = context.client
    end
    item.event.AccountSid = "AC1"
    worker.client = { name = "one" }
    assert.equal("handled", run())
    assert.equal(worker.client, got)
    worker.client = function(account)
      flexhooks.sleep(0)
      return { account = account }
    end
    assert.equal("handled", run())
    assert.same({ account = "AC1" }, got)
    worker.client = function() end
    assert.equal("handled", run())
    assert.is_nil(got)
  end)

  it("fails where the client cannot be had", function()
    for wanted, client in pairs {
      ["no database"] = function() return nil, "no database" end,
      ["attempt_spec.lua:%d+: oh"] = function() error "oh" end,
      ["deadline"] = function() return flexhooks.sleep(60) end,
    } do
      worker.client, worker.handler_timeout, taken = client, 0.05, {}
      handler = error
      assert.equal("retried", run())
      assert.matches(wanted, taken[2][3].message)
      worker.lanes = schedulers.new()
    end
    assert.is_true(flexhooks.sleep(0.1))
  end)

  it("is repeated when its client wants, as far as that is a time", function()
    for wish, longest in pairs { [60] = 60, [-1] = 0, [math.huge] = 86400,
      soon = 1, [0] = 0, [false] = 1 } do
      worker.client = function()
        return nil, errors.new("http", "busy", { retry_after = wish })
      end
      taken = {}
      assert.equal("retried", run())
      assert.is_true(taken[2][2] <= longest and taken[2][2] >= longest / 2)
      worker.lanes = schedulers.new()
    end
    worker.client = function()
      error { message = "busy", retry_after = 0 / 0 }
    end
    taken = {}
    assert.equal("retried", run())
    assert.is_true(taken[2][2] >= 0.5)
  end)

  it("does not depend on who is told its outcome", function()
    local logged
    worker.log = function(_, _, message, fields)
      logged = message .. " " .. fields.error
    end
    worker.on_outcome = function()
      error "oh"
    end
    worker.lanes:add(REF)
    worker.lanes:take(0)
    attempt.run(worker, REF)
    assert.same({ { "begin" }, { "finish" } }, taken)
    assert.matches("^on_outcome raised .*oh$", logged)
  end)

  it("sends a step until the queue takes it", function()
    local tries = 0
    worker.consumer.finish = function()
      tries = tries + 1
      if tries == 1 then
        return nil, errors.new("queue", "away")
      end
      return true
    end
    assert.equal("handled", run())
    assert.equal(2, tries)
  end)

  it("does not insist on a beginning when the worker stops", function()
    worker.stopping = true
    worker.consumer.begin = function()
      return nil, errors.new("queue", "away")
    end
    assert.is_nil(run())
    assert.same({}, taken)
    assert.equal(0, worker.lanes.known)
  end)

  it("runs nothing that has begun when the worker was stopped at once",
    function()
      function worker.consumer.begin()
        worker.abandoned = true
        return item
      end
      handler = function()
        taken[1] = "run"
      end
      assert.is_nil(run())
      assert.same({}, taken)
    end)

  it("has no outcome where the event is another worker's now", function()
    worker.consumer.finish = function()
      return false
    end
    assert.is_nil(run())
    assert.equal(0, worker.totals.handled)
    item = false
    assert.is_nil(run())
    assert.equal(0, worker.lanes.known)
  end)
end)
