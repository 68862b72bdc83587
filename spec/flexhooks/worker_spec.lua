-- What a worker does with each kind of queue is in
-- spec/support/queue_contract.
local errors = require "flexhooks.error"
local flexhooks = require "flexhooks"
local process = require "spec.support.process"
local rude = require "spec.support.rude"

local function item(n, line)
  return { id = "id" .. n, received_at = 1, source = "default",
    event = { EventType = "onX", InteractionSid = "KD" .. (line or n) } }
end

local queue, router

before_each(function()
  queue, router = flexhooks.queue "memory:", flexhooks.router()
end)

describe("flexhooks.worker", function()
  it("names what is wrong with its options, where they stand", function()
    for name, value in pairs { queue = 5, router = {}, concurrency = 0,
      max_attempts = 0.5, backoff = { 5, 1 }, handler_timeout = 0,
      on_exhausted = "drop", lease = "x", conurrency = 5, grace = -1 } do
      local given = { queue = queue, router = router }
      given[name] = value
      local ok, err = pcall(function()
        local worker = flexhooks.worker(given)
        return worker
      end)
      assert.is_false(ok, name)
      assert.equal("argument", err.kind)
      assert.matches("worker_spec.lua", err.message)
      assert.matches(name, err.message, 1, true)
    end
    for _, lease in ipairs { 0.1, math.huge, 0 / 0 } do
      assert.is_false(pcall(flexhooks.worker, { queue = queue, router = router,
        lease = lease }))
    end
    for _, backoff in ipairs { { 0 / 0, 1 }, { 1, 0 / 0 },
      { 0 / 0, 0 / 0 } } do
      assert.is_false(pcall(flexhooks.worker, { queue = queue, router = router,
        backoff = backoff }))
    end
    assert.is_table(flexhooks.worker { queue = "memory:", router = router })
    for url, wanted in pairs { x = "the queue's URL must begin",
      ["redis://h/x"] = "the database must be a number",
      ["memory:x"] = "and nothing else" } do
      local ok, err = pcall(function()
        local worker = flexhooks.worker { queue = url, router = router }
        return worker
      end)
      assert.is_false(ok)
      assert.matches("worker_spec.lua:%d+: flexhooks.worker: option 'queue': ",
        err.message)
      assert.matches(wanted, err.message, 1, true)
    end
  end)

  it("names the colon where a method was called without it", function()
    local worker = flexhooks.worker { queue = queue, router = router }
    for _, name in ipairs { "run", "stop" } do
      local ok, err = pcall(function()
        local done = worker[name](nil)
        return done
      end)
      assert.is_false(ok)
      assert.equal("argument", err.kind)
      assert.matches("worker_spec.lua", err.message)
      assert.matches("worker:" .. name .. "(", err.message, 1, true)
    end
  end)

  it("runs outside of every task as well, until a handler stops it",
    function()
      local worker, seen = nil, 0
      router:on("*", function()
        seen = seen + 1
        if seen == 3 then
          worker:stop()
        end
      end)
      assert.is_true(queue:store { item(1), item(2), item(3) })
      worker = flexhooks.worker { queue = queue, router = router }
      assert.is_true(worker:run())
      assert.equal(3, seen)
      assert.is_true(queue:store { item(4) })
      seen = 2
      assert.is_true(worker:run())
      assert.equal(3, seen)
    end)

  it("looks at what is parked when a letter was decided about, or a second is "
    .. "over", function()
    local looks = 0
    router:on("*", function(_, context)
      if context.id == "id1" and not context.replay then
        error "no"
      end
    end)
    local worker = flexhooks.worker { queue = queue, router = router,
      max_attempts = 1, on_exhausted = "park" }
    flexhooks.run(function()
      local running = flexhooks.spawn(worker.run, worker)
      assert.is_true(queue:store { item(1, 1), item(2, 1) })
      while queue:stats().dead == 0 do
        flexhooks.sleep(0.005)
      end
      local recheck = worker.consumer.recheck
      function worker.consumer.recheck(...)
        looks = looks + 1
        return recheck(...)
      end
      local began = flexhooks.clock()
      for n = 3, 50 do
        assert.is_true(queue:store { item(n) })
        flexhooks.sleep(0)
      end
      while worker.totals.handled < 48 do
        flexhooks.sleep(0.005)
      end
      assert.is_true(looks <= 1 + flexhooks.clock() - began)
      assert.is_true(queue:replay "id1")
      while worker.totals.handled < 50 do
        flexhooks.sleep(0.005)
      end
      worker:stop()
      assert.is_true(running:wait())
    end)
  end)

  it("knows nothing of what was parked when it ran before", function()
    local order, healed = {}, false
    router:on("*", function(_, context)
      if not healed then
        error "not yet"
      end
      order[#order + 1] = context.id .. context.attempt
      flexhooks.sleep(0.01)
    end)
    local worker = flexhooks.worker { queue = queue, router = router,
      max_attempts = 1, on_exhausted = "park" }
    local function run_until(done)
      flexhooks.run(function()
        local running = flexhooks.spawn(worker.run, worker)
        repeat
          flexhooks.sleep(0.005)
        until done(queue:stats())
        worker:stop()
        assert.is_true(running:wait())
      end)
    end
    assert.is_true(queue:store { item(1, 1), item(2, 1) })
    run_until(function(stats)
      return stats.dead == 1
    end)
    healed = true
    assert.is_true(queue:replay "id1")
    run_until(function(stats)
      return stats.ready + stats.running + stats.delayed == 0
    end)
    assert.same({ "id11", "id21" }, order)
    assert.equal(0, queue:stats().dead)
  end)

  it("does not depend on its logger", function()
    flexhooks.run(function()
      local worker = flexhooks.worker { queue = queue, router = router,
        logger = error }
      local handled
      router:on("*", function(_, context)
        handled = true
        context.log("info", "here")
        worker:stop()
      end)
      assert.is_true(queue:store { item(1) })
      assert.is_true(worker:run())
      assert.is_true(handled)
    end)
    assert.equal(0, queue:stats().ready)
  end)

  it("runs once at a time", function()
    flexhooks.run(function()
      local worker = flexhooks.worker { queue = queue, router = router }
      local running = flexhooks.spawn(worker.run, worker)
      flexhooks.sleep(0.01)
      local ok, err = pcall(worker.run, worker)
      assert.is_false(ok)
      assert.equal("argument", err.kind)
      worker:stop()
      assert.is_true(running:wait())
    end)
  end)

  it("stops at once where it is told so before it runs", function()
    flexhooks.run(function()
      local worker = flexhooks.worker { queue = queue, router = router }
      local running = flexhooks.spawn(worker.run, worker)
      worker:stop()
      assert.is_true(running:wait())
    end)
  end)

  it("writes down what has ended when it is told to stop at once", function()
    local path = "sqlite:" .. process.folder() .. "/q.db"
    local stored = flexhooks.queue(path)
    flexhooks.run(function()
      assert.is_true(stored:store { item(1), item(2) })
      local outcomes = {}
      local worker
      worker = flexhooks.worker { queue = stored, router = router,
        concurrency = 1, on_outcome = function(outcome)
          outcomes[#outcomes + 1] = outcome
        end }
      router:on("*", function()
        worker:stop(0)
      end)
      assert.is_true(worker:run())
      assert.same({ "handled" }, outcomes)
      assert.equal(1, worker.totals.handled)
      assert.equal(1, stored:stats().ready)
    end)
    stored:close()
  end)

  it("waits no longer where it is told a second time", function()
    router:on("*", function()
      flexhooks.sleep(60)
    end)
    assert.is_true(queue:store { item(1) })
    local worker = flexhooks.worker { queue = queue, router = router,
      grace = 40 }
    flexhooks.run(function()
      for _ = 1, 2 do -- its own grace is what it was
        local running = flexhooks.spawn(worker.run, worker)
        while queue:stats().running == 0 do
          flexhooks.sleep(0.005)
        end
        worker:stop()
        assert.equal("timeout", select(2, running:wait(0.1)).kind)
        worker:stop(0)
        assert.is_true(running:wait(20))
      end
    end)
  end)

  it("ends with its task", function()
    local ended
    router:on("*", function()
      ended = select(2, flexhooks.sleep(60))
    end)
    assert.is_true(queue:store { item(1) })
    flexhooks.run(function()
      local worker = flexhooks.worker { queue = queue, router = router }
      local running = flexhooks.spawn(worker.run, worker)
      while queue:stats().running == 0 do
        flexhooks.sleep(0.005)
      end
      running:cancel()
    end)
    assert.equal("cancelled", ended.kind)
    assert.equal(1, queue:stats().ready)
  end)

  -- Where few interactions have a long backlog, the worker looks for others
  -- in it.
  it("begins with what it has found, and looks on meanwhile", function()
    local items = {}
    for n = 1, 5000 do
      items[n] = item(n, 1)
    end
    assert.is_true(queue:store(items))
    local worker, known
    router:on("*", function()
      known = worker.lanes.known
      worker:stop()
    end)
    worker = flexhooks.worker { queue = queue, router = router }
    assert.is_true(worker:run())
    assert.is_true(known < 1000, known .. " were read before")
  end)

  it("tells what became of each attempt", function()
    local said, logged = {}, {}
    router:on("*", { InteractionSid = "KD1" }, function() end)
    router:on("*", { InteractionSid = "KD2" }, function(_, context)
      context.log("info", "hello", { more = 1 })
      error "no luck"
    end)
    assert.is_true(queue:store { item(1), item(2) })
    flexhooks.run(function()
      local worker
      worker = flexhooks.worker { queue = queue, router = router,
        max_attempts = 2, backoff = { 0, 0 },
        logger = function(level, message, fields)
          logged[#logged + 1] = level .. " " .. message .. " "
            .. tostring(fields.InteractionSid)
        end,
        on_outcome = function(outcome, event, context, seconds, reason)
          said[#said + 1] = outcome .. " " .. event.InteractionSid .. " "
            .. context.attempt .. " " .. tostring(reason)
          assert.is_true(seconds >= 0)
          if #said == 3 then
            worker:stop()
          end
        end }
      assert.is_true(worker:run())
      assert.same({ handled = 1, retried = 1, dead = 1 }, worker.totals)
    end)
    table.sort(said)
    assert.same({ "dead KD2 2 exhausted", "handled KD1 1 nil",
      "retried KD2 1 nil" }, said)
    local text = table.concat(logged, "\n")
    assert.matches("info hello KD2", text)
    assert.matches("warn an attempt failed KD2", text)
    assert.matches("error event sent to the dead letters KD2", text)
  end)

  it("waits as long as a service asks for that was not available", function()
    local server, delays = rude.start(), {}
    router:on("*", function()
      return flexhooks.http(server.url .. "/busy", { expect = "2xx" })
    end)
    assert.is_true(queue:store { item(1) })
    flexhooks.run(function()
      local worker
      worker = flexhooks.worker { queue = queue, router = router,
        max_attempts = 2, backoff = { 0, 0 },
        on_outcome = function(outcome)
          delays[#delays + 1] = outcome
          worker:stop()
        end }
      assert.is_true(worker:run())
    end)
    assert.same({ "retried" }, delays)
    local stats = queue:stats()
    assert.equal(1, stats.delayed)
    assert.equal(0, stats.ready)
  end)

  it("warns once of a handler that does not look at an answer's status",
    function()
      local server, warnings, handled = rude.start(), {}, 0
      router:on("*", function()
        return flexhooks.http(server.url .. "/500")
      end)
      assert.is_true(queue:store { item(1), item(2), item(3) })
      flexhooks.run(function()
        local worker
        worker = flexhooks.worker { queue = queue, router = router,
          logger = function(level, message, fields)
            if level == "warn" then
              warnings[#warnings + 1] = { message, fields }
            end
          end,
          on_outcome = function()
            handled = handled + 1
            if handled == 3 then
              worker:stop()
            end
          end }
        assert.is_true(worker:run())
      end)
      assert.equal(1, #warnings)
      assert.matches('give the call expect = "2xx"', warnings[1][1], 1, true)
      assert.equal(500, warnings[1][2].status)
      assert.matches("worker_spec.lua:%d+$", warnings[1][2].handler)
    end)

  it("buries what its handlers could not even be given", function()
    local body = '{"v":9,"id":"future","event":{"EventType":"onX"}}'
    assert.is_true(queue:store { item(1) })
    queue.backend.storage.rows[1].body = body
    flexhooks.run(function()
      local worker = flexhooks.worker { queue = queue, router = router }
      local running = flexhooks.spawn(worker.run, worker)
      while queue:stats().dead == 0 do
        flexhooks.sleep(0.002)
      end
      worker:stop()
      running:wait()
    end)
    local letter = queue:get "future"
    assert.same({ "unknown_version", body }, { letter.reason, letter.raw })
  end)

  it("says that it could not renew what it owns", function()
    local make, said, worker = queue.consumer, {}, nil
    function queue:consumer(settings)
      local consumer = make(self, settings)
      consumer.beat_every = function()
        return 0
      end
      consumer.beat = function()
        worker:stop()
        return nil, errors.new("queue", "away")
      end
      return consumer
    end
    worker = flexhooks.worker { queue = queue, router = router,
      logger = function(level, message, fields)
        said[#said + 1] = fields.error and level .. ": " .. message .. ": "
          .. fields.error
      end }
    assert.is_true(worker:run())
    assert.same({ "warn: the leases were not renewed: queue: away" }, said)
  end)

  it("goes on where an attempt broke outside of its handlers", function()
    local make, seen, logged, worker = queue.consumer, {}, {}, nil
    function queue:consumer(settings)
      local consumer = make(self, settings)
      local begin = consumer.begin
      function consumer.begin(...)
        consumer.begin = begin
        begin(...)
        error "broken"
      end
      return consumer
    end
    router:on("*", function(event, context)
      seen[#seen + 1] = event.InteractionSid .. "/" .. context.attempt
      if #seen == 2 then
        worker:stop()
      end
    end)
    assert.is_true(queue:store { item(1, 1), item(2, 1) })
    worker = flexhooks.worker { queue = queue, router = router,
      backoff = { 0, 0 }, logger = function(_, message)
        logged[message] = true
      end }
    assert.is_true(worker:run())
    assert.same({ "KD1/2", "KD1/1" }, seen)
    assert.is_true(logged["an attempt broke"])
  end)

  -- It must not look alive and do nothing, and hold what others could do.
  it("ends with an error where its own work breaks, and leaves its queue",
    function()
      local logged
      for _, broken in ipairs { "turn", "fill", "start", "rest", "recheck" } do
        local worker = flexhooks.worker { queue = queue, router = router,
          logger = function(_, message)
            logged = message
          end }
        worker[broken] = function()
          error("not enough memory", 0)
        end
        flexhooks.run(function()
          local ok, err = worker:run()
          assert.is_nil(ok)
          assert.equal("handler", err.kind)
          assert.matches("not enough memory", err.message)
          assert.equal("the worker broke", logged)
        end)
        worker[broken] = nil
        flexhooks.run(function()
          local running = flexhooks.spawn(worker.run, worker)
          flexhooks.sleep(0)
          worker:stop(0)
          assert.is_true(running:wait())
        end)
      end
    end)

  it("ends with an error where it cannot keep what it owns", function()
    local worker = flexhooks.worker { queue = queue, router = router }
    function worker.renew()
      error("not enough memory", 0)
    end
    flexhooks.run(function()
      local running = flexhooks.spawn(worker.run, worker)
      flexhooks.sleep(0)
      function worker.consumer.beat_every()
        return 0
      end
      flexhooks.spawn(worker.keep_leases, worker)
      local ok, err = running:wait(10)
      assert.is_nil(ok)
      assert.matches("not enough memory", err.message)
    end)
  end)

  it("ends with an error where an event cannot keep its place", function()
    local worker = flexhooks.worker { queue = queue, router = router }
    function worker.log(_, _, message)
      if message == "an attempt broke" then
        error("not enough memory", 0)
      end
    end
    flexhooks.run(function()
      local running = flexhooks.spawn(worker.run, worker)
      flexhooks.sleep(0)
      function worker.consumer.begin()
        error "broken"
      end
      assert.is_true(queue:store { item(1) })
      local ok, err = running:wait(10)
      assert.is_nil(ok)
      assert.matches("not enough memory", err.message)
      assert.equal(0, worker.active)
    end)
    assert.equal(1, queue:stats().ready)
  end)

  it("sends a step again until the queue takes it", function()
    local failures, seen = 3, 0
    router:on("*", function()
      seen = seen + 1
    end)
    assert.is_true(queue:store { item(1) })
    local storage = queue.backend.storage
    local delete = storage.delete
    storage.delete = function(...)
      if failures > 0 then
        failures = failures - 1
        error("the disk is full", 0)
      end
      return delete(...)
    end
    flexhooks.run(function()
      local worker = flexhooks.worker { queue = queue, router = router }
      local running = flexhooks.spawn(worker.run, worker)
      while queue:stats().ready + queue:stats().running > 0 do
        flexhooks.sleep(0.01)
      end
      worker:stop()
      running:wait()
    end)
    assert.same({ 0, 1 }, { failures, seen })
  end)
end)
