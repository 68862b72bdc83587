-- What every queue must do, whatever it is made of. `make(options)` gives a
-- new and empty one; the caller closes nothing.
local assert = require "luassert"
local busted = require "busted"
local torture = require "spec.support.torture"

local describe, it = busted.describe, busted.it

local unpack = table.unpack or unpack

local KD = "KD%032x"

return function(make)
  -- Required here, so that nothing of it outlives the file that calls.
  local errors = require "flexhooks.error"
  local flexhooks = require "flexhooks"

  local function event(line, fields)
    local e = { EventType = "onParticipantJoined",
      AccountSid = "AC" .. ("0"):rep(32),
      InteractionSid = KD:format(line or 1) }
    for name, value in pairs(fields or {}) do
      e[name] = value
    end
    return e
  end

  local serial = 0

  local function item(line, fields, extra)
    serial = serial + 1
    local made = { id = "id-" .. serial, event = event(line, fields),
      source = "default", received_at = flexhooks.now(),
      wire_type = "onParticipantJoined" }
    for name, value in pairs(extra or {}) do
      made[name] = value
    end
    return made
  end

  local function fail(fields)
    return nil, errors.new("handler", "no luck", fields)
  end

  local queue, router, worker

  busted.before_each(function()
    queue = make()
    router = flexhooks.router()
  end)

  busted.after_each(function()
    queue:close()
    queue, router, worker = nil, nil, nil
  end)

  local function store(...)
    local ok, verdicts = queue:store({ ... })
    assert.is_true(ok, tostring(verdicts))
    return verdicts
  end

  local function on(f)
    router:on("*", f)
  end

  local function idle()
    local stats = assert.truthy(queue:stats())
    return stats.ready + stats.running + stats.delayed == 0
  end

  local function eventually(f)
    local ends = flexhooks.clock() + 60
    while not f() do
      assert.is_true(flexhooks.clock() < ends, "waited 60 s in vain")
      flexhooks.sleep(0.005)
    end
  end

  -- Runs a worker until `done` says so (until nothing is left, where absent).
  local function work(options, done)
    local given = { queue = queue, router = router, backoff = { 0.005, 0.02 },
      handler_timeout = 5 }
    for name, value in pairs(options or {}) do
      given[name] = value
    end
    flexhooks.run(function()
      worker = flexhooks.worker(given)
      local running = flexhooks.spawn(worker.run, worker)
      eventually(done or idle)
      worker:stop()
      assert.is_true(running:wait())
    end)
  end

  describe("follow", function()
    -- "state id" of each step since the look before.
    local cursor

    local function look()
      local steps, after = queue:follow(cursor)
      local said = {}
      cursor = after
      for i, step in ipairs(assert(steps, tostring(after))) do
        said[i] = step.state .. " " .. step.id
        assert.is_true(math.abs(step.at - flexhooks.now()) < 60)
        assert.equal("onParticipantJoined", step.type)
        assert.equal(KD:format(1), step.interaction)
      end
      return said
    end

    busted.before_each(function()
      cursor = nil
    end)

    it("tells what happens from the first look on", function()
      store(item(1))
      assert.is_true(queue:exists())
      assert.same({}, look())
      local first, second = item(1), item(1)
      store(first)
      store(second)
      assert.same({ "stored " .. first.id, "stored " .. second.id }, look())
      assert.same({}, look())
    end)

    it("tells of attempts, letters and replays", function()
      local one = item(1)
      look()
      store(one)
      on(function(_, context)
        if context.attempt < 2 then
          return fail()
        end
        return fail { retry = false }
      end)
      work()
      assert.is_true(queue:replay(one.id))
      router = flexhooks.router()
      on(function() end)
      work()
      local said = {}
      for i, step in ipairs(look()) do
        said[i] = step:match "^%a+"
      end
      assert.same({ "stored", "started", "retried", "started", "dead",
        "replayed", "started", "handled" }, said)
    end)

    it("tells of letters that were discarded", function()
      store(item(1, nil, { id = "x" }))
      on(function()
        return fail { retry = false }
      end)
      work()
      look()
      assert.is_true(queue:discard "x")
      assert.same({ "discarded x" }, look())
    end)
  end)

  describe("store", function()
    it("keeps events until they are handled", function()
      assert.same({ "stored", "stored" }, store(item(1), item(2)))
      local stats = queue:stats()
      assert.same({ 2, 0, 0, 0 },
        { stats.ready, stats.running, stats.delayed, stats.dead })
      assert.equal("2", tostring(stats.ready)) -- a whole number on 5.4 too
      assert.is_true(stats.oldest_age >= 0 and stats.oldest_age < 60)
      local seen = 0
      on(function()
        seen = seen + 1
      end)
      work()
      assert.equal(2, seen)
      assert.equal(0, queue:stats().ready)
    end)

    it("hands out what came in, byte for byte", function()
      local bytes = {}
      for byte = 0, 255 do
        bytes[#bytes + 1] = string.char(byte)
      end
      bytes = table.concat(bytes)
      local given = item(1, { Extra = bytes, ["it's"] = "''\\\"",
        ErrorCode = 30001, List = { "a", "b" } }, { source = "s",
        query = { a = "b" }, wire_type = "onOther", received_at = 1234.5,
        possible_replay = true })
      store(given)
      local context
      on(function(e, c)
        assert.same(given.event, e)
        context = c
      end)
      work()
      assert.same({ given.id, 1234.5, 1, "s", "onOther", false, "b" },
        { context.id, context.received_at, context.attempt, context.source,
          context.wire_type, context.replay, context.query.a })
      assert.is_true(context.possible_replay)
    end)

    it("takes a token once, in one call and over several", function()
      local function with(token)
        return item(1, nil, { token_key = token })
      end
      assert.same({ "stored", "duplicate", "stored" },
        store(with "a", with "a", with "b"))
      assert.same({ "duplicate", "stored", "stored", "duplicate" },
        store(with "b", with "b\0c'", with "c", with "b\0c'"))
    end)

    it("matches twins by their sources", function()
      local function from(source, twin)
        return item(1, nil, { source = source, twin_key = twin or "t" })
      end
      local rule = { twin_window = 30, sources = 2 }
      local ok, verdicts = queue:store({ from "g", from "g", from "i",
        from("i", "u"), from "i" }, rule)
      assert.is_true(ok)
      assert.same({ "stored", "stored", "duplicate", "stored", "duplicate" },
        verdicts)
      ok, verdicts = queue:store({ from("g", "u"), from "g" }, rule)
      assert.is_true(ok)
      assert.same({ "duplicate", "stored" }, verdicts)
    end)

    it("keeps what is no event as a dead letter", function()
      store(item(1, nil, { raw = "{\0'", reason = "malformed" }))
      local raw = item(1)
      raw.event, raw.raw, raw.reason = nil, "\255{", "malformed"
      assert.same({ "stored", "stored" }, store(raw, item(2)))
      local letters = queue:dead_letters()
      assert.equal(1, #letters)
      assert.same({ raw.id, "\255{", "malformed", 0 }, { letters[1].id,
        letters[1].raw, letters[1].reason, letters[1].attempts })
      local done, err = queue:replay(raw.id)
      assert.is_nil(done)
      assert.equal("queue", err.kind)
      assert.is_true(queue:discard(raw.id))
      assert.equal(0, queue:stats().dead)
    end)

    it("tells each that submits, once, what became of its items", function()
      local told = {}
      local function submit(name, ...)
        queue:submit { name = name, items = { ... }, done = function(mine)
          assert.is_true(not mine.err)
          local verdicts = {}
          for i, one in ipairs(mine.items) do
            verdicts[i] = one.verdict
          end
          told[#told + 1] = mine.name .. " " .. table.concat(verdicts, " ")
        end }
      end
      local function with(token)
        return item(1, nil, { token_key = token })
      end
      flexhooks.run(function()
        submit("a", with "x", with "y", with "x")
        submit("b", with "y")
        submit("c")
        submit("d", with "z")
        eventually(function()
          return #told == 4
        end)
        flexhooks.sleep(0.01)
      end)
      assert.same({ "a stored stored duplicate", "b duplicate", "c ",
        "d stored" }, told)
      assert.equal(3, queue:stats().ready)
    end)

    it("keeps nobody's answer for another's failure", function()
      local logged, told = {}, 0
      flexhooks.loop { logger = function(_, _, fields)
        logged[#logged + 1] = fields.traceback
      end }
      flexhooks.run(function()
        for n = 1, 3 do
          queue:submit { items = { item(n) }, done = function()
            told = told + 1
            error("told " .. n, 0)
          end }
        end
        eventually(function()
          return told == 3
        end)
      end)
      assert.equal(3, #logged)
      assert.matches("told 1", logged[1])
      assert.equal(3, queue:stats().ready)
    end)

    it("tells of a failure as well", function()
      local other = make()
      other:close()
      local err
      flexhooks.run(function()
        other:submit { items = { item(1) }, done = function(mine)
          err = mine.err
        end }
        eventually(function()
          return err
        end)
      end)
      assert.equal("closed", err.kind)
    end)

    it("takes calls of many tasks at once", function()
      flexhooks.run(function()
        flexhooks.map({ 1, 2, 3, 4, 5, 6, 7, 8, 9 }, 9, function(n)
          store(item(n), item(n))
          return true
        end)
      end)
      assert.equal(18, queue:stats().ready)
    end)
  end)

  describe("a worker", function()
    it("keeps each interaction's order, side by side", function()
      local items = {}
      for n = 1, 60 do
        items[n] = item(n % 6, { N = n })
      end
      assert.is_true(queue:store(items))
      local last, running, most = {}, 0, 0
      on(function(e)
        running = running + 1
        most = math.max(most, running)
        assert.is_true((last[e.InteractionSid] or 0) < e.N)
        last[e.InteractionSid] = e.N
        flexhooks.sleep(0.001)
        running = running - 1
      end)
      work { concurrency = 3 }
      assert.equal(60, worker.totals.handled)
      assert.equal(3, most)
    end)

    it("retries without holding up other interactions", function()
      store(item(1, { N = 1 }), item(1, { N = 2 }), item(2, { N = 3 }),
        item(3, { N = 4 }))
      local order, attempts = {}, {}
      on(function(e, context)
        if e.N == 1 then
          attempts[#attempts + 1] = context.attempt
          if context.attempt < 3 or #order < 2 then
            return fail()
          end
        end
        order[#order + 1] = e.N
      end)
      work { backoff = { 0.05, 0.05 }, max_attempts = 1000 }
      assert.is_true(#attempts >= 3)
      for i, attempt in ipairs(attempts) do
        assert.equal(i, attempt)
      end
      table.sort(order, function(a, b)
        return (a > 2 and 0 or a) < (b > 2 and 0 or b)
      end)
      assert.same({ 1, 2 }, { order[3], order[4] })
    end)

    it("sends the exhausted to the dead letters, with their errors", function()
      store(item(1, { N = 1 }, { id = "bad" }), item(1, { N = 2 }))
      local handled = {}
      on(function(e)
        if e.N == 1 then
          error("secret of attempt")
        end
        handled[#handled + 1] = e.N
      end)
      work { max_attempts = 3 }
      assert.same({ 2 }, handled)
      local letter = queue:get "bad"
      assert.same({ "bad", "exhausted", 3, 3, "dead" }, { letter.id,
        letter.reason, letter.attempts, #letter.errors, letter.state })
      assert.same({ 1, 2, 3 }, { letter.errors[1].attempt,
        letter.errors[2].attempt, letter.errors[3].attempt })
      assert.matches("secret of attempt", letter.errors[1].message)
      assert.matches("queue_contract.lua", letter.errors[1].traceback)
      assert.equal(1, letter.event.N)
      assert.equal(1, queue:stats().dead)
    end)

    it("heeds what a handler says about another attempt", function()
      store(item(1, { N = 1 }), item(2, { N = 2 }))
      local at = {}
      on(function(e)
        if e.N == 1 then
          return fail { retry = false }
        end
        at[#at + 1] = flexhooks.clock()
        if #at == 1 then
          return fail { retry_after = 0.2 }
        end
      end)
      work { backoff = { 0, 0 } }
      assert.equal("refused", queue:dead_letters()[1].reason)
      assert.is_true(at[2] - at[1] >= 0.2)
    end)

    it("parks an interaction where that is wanted", function()
      store(item(1, { N = 1 }, { id = "a" }), item(1, { N = 2 }),
        item(2, { N = 3 }), item(3, { N = 4 }, { id = "d" }),
        item(3, { N = 5 }))
      local healed, order = false, {}
      on(function(e, context)
        if (e.N == 1 or e.N == 4) and not healed then
          return fail()
        end
        order[#order + 1] = e.N .. (context.replay and "r" or "")
      end)
      work({ max_attempts = 2, on_exhausted = "park" }, function()
        return queue:stats().dead == 2 and #order == 1
      end)
      assert.same({ "3" }, order)
      assert.is_true(queue:get("a").parked)
      healed = true
      -- Another worker finds them parked as well; what is decided while it
      -- runs it hears of.
      work({ on_exhausted = "park" }, function()
        if queue:stats().dead == 2 then
          assert.is_true(queue:discard "d")
          assert.is_true(queue:replay "a")
        end
        return idle()
      end)
      table.sort(order)
      assert.same({ "1r", "2", "3", "5" }, order)
      assert.equal(0, queue:stats().dead)
    end)

    it("replays at the end of the line, under the old id", function()
      store(item(1, { N = 1 }, { id = "again" }))
      local healed, seen = false, {}
      on(function(e, context)
        if not healed then
          return fail()
        end
        seen[#seen + 1] = { e.N, context.id, context.attempt, context.replay }
      end)
      work({ max_attempts = 1 })
      healed = true
      store(item(1, { N = 2 }, { id = "later" }))
      assert.is_true(queue:replay "again")
      assert.equal("queued", queue:get("again").state)
      work()
      assert.same({ { 2, "later", 1, false }, { 1, "again", 1, true } }, seen)
      assert.equal(0, queue:stats().dead)
    end)

    it("keeps lists, also empty ones, and whole numbers of 64 bits", function()
      local json = flexhooks.json
      local text = '{"a":[],"b":{},"c":[[],{"d":[]}],"n":'
        .. json.encode(json.decode "9007199254740993") .. "}"
      store(item(1, { F = json.decode(text) }, { id = "lists" }))
      local healed, seen = false, {}
      on(function(e)
        seen[#seen + 1] = json.encode(e.F)
        if not healed then
          return fail { retry = false }
        end
      end)
      work()
      local letter = queue:get "lists"
      assert.equal("dead", letter.state)
      seen[#seen + 1] = json.encode(letter.event.F)
      seen[#seen + 1] = json.encode(queue:dead_letters()[1].event.F)
      healed = true
      assert.is_true(queue:replay "lists")
      work()
      assert.same({ text, text, text, text }, seen)
    end)

    it("replays and discards by a filter", function()
      store(item(1, { EventType = "onA" }),
        item(2, { EventType = "onChannelStatusUpdated" }),
        item(3, { EventType = "onA" }), item(4, nil, { source = "other" }))
      on(function()
        return fail { retry = false }
      end)
      work()
      assert.equal(2, #queue:dead_letters { type = "onA" })
      assert.equal(1, #queue:dead_letters { type = "onChannelUpdated" })
      assert.equal(1, #queue:dead_letters { source = "other" })
      assert.equal(3, #queue:dead_letters { limit = 3 })
      assert.equal(1, queue:replay { type = "onA", limit = 1 })
      assert.equal(3, queue:stats().dead)
      assert.equal(3, queue:discard { reason = "refused" })
      assert.equal(0, queue:stats().dead)
      assert.equal(1, queue:stats().ready)
    end)

    it("ends an attempt at its deadline", function()
      store(item(1, nil, { id = "slow" }))
      on(function(_, context)
        assert.is_true(context.deadline <= flexhooks.now() + 0.1)
        flexhooks.sleep(5)
      end)
      work { handler_timeout = 0.05, max_attempts = 2 }
      local letter = queue:get "slow"
      assert.equal("timeout", letter.errors[1].kind)
    end)

    it("stops when what runs has ended, and starts nothing more", function()
      for n = 1, 5 do
        store(item(n))
      end
      local started, ended = 0, 0
      local stopping = false
      on(function()
        started = started + 1
        while not stopping do
          flexhooks.sleep(0.005)
        end
        ended = ended + 1
      end)
      work({ concurrency = 2 }, function()
        stopping = started == 2
        return stopping
      end)
      assert.same({ 2, 2 }, { started, ended })
      assert.equal(3, queue:stats().ready)
      work()
      assert.equal(5, started)
    end)

    it("cancels what outlasts the grace; it is tried again", function()
      store(item(1))
      local attempts = {}
      on(function(_, context)
        attempts[#attempts + 1] = context.attempt
        if #attempts == 1 then
          return flexhooks.sleep(5)
        end
      end)
      work({ grace = 0.01 }, function()
        return #attempts == 1
      end)
      work()
      assert.same({ 1, 2 }, attempts)
    end)

    it("counts an attempt before it runs", function()
      store(item(1, nil, { id = "killer" }))
      -- A consumer that begins and goes away is a process that died.
      flexhooks.run(function()
        for attempt = 1, 2 do
          local consumer = queue:consumer { wake = function() end, lease = 5 }
          assert.is_true(consumer:open())
          local refs = assert.truthy(consumer:scan(10))
          assert.equal(attempt, consumer:begin(refs[1]).attempt)
          assert.is_true(consumer:close())
        end
      end)
      on(function()
        error "must not run"
      end)
      work { max_attempts = 2 }
      local letter = queue:get "killer"
      assert.equal("exhausted", letter.reason)
      assert.matches("process ended", letter.errors[1].message)
      assert.same({ 2, 2 }, { letter.attempts, letter.errors[1].attempt })
    end)

    it("ends with its queue", function()
      flexhooks.run(function()
        local ending = flexhooks.worker { queue = queue, router = router,
          handler_timeout = 1 }
        local running = flexhooks.spawn(ending.run, ending)
        flexhooks.sleep(0.1)
        assert.is_true(queue:close())
        local ok, err = running:wait(10)
        assert.is_nil(ok)
        assert.equal("closed", err.kind)
      end)
    end)

    it("hears of events that come while it rests", function()
      local seen = 0
      on(function()
        seen = seen + 1
      end)
      flexhooks.run(function()
        worker = flexhooks.worker { queue = queue, router = router }
        local running = flexhooks.spawn(worker.run, worker)
        for n = 1, 5 do
          flexhooks.sleep(0.02)
          store(item(1))
          eventually(function()
            return seen == n
          end)
        end
        worker:stop()
        assert.is_true(running:wait())
      end)
    end)
  end)

  describe("what waits", function()
    it("is told with its attempts and failures, also after a stop", function()
      store(item(1, { id = "b", Number = "1" }, { id = "a" }),
        item(2, nil, { id = "b" }))
      on(function(e)
        if e.Number then
          return fail { retry_after = 60 }
        end
        flexhooks.sleep(60)
      end)
      flexhooks.run(function()
        worker = flexhooks.worker { queue = queue, router = router,
          grace = 0 }
        local running = flexhooks.spawn(worker.run, worker)
        eventually(function()
          local stats = queue:stats()
          return stats.delayed == 1 and stats.running == 1
        end)
        worker:stop()
        running:wait()
      end)
      local stats = queue:stats()
      assert.same({ 1, 0, 1 }, { stats.ready, stats.running, stats.delayed })
      local failed, cut = queue:get "a", queue:get "b"
      assert.same({ "a", 1, 1 }, { failed.id, failed.attempts,
        #failed.errors })
      assert.matches("no luck", failed.errors[1].message)
      assert.same({ "b", 1, 0 }, { cut.id, cut.attempts, #cut.errors })
    end)
  end)

  describe("dead letters", function()
    it("are listed in part, and discarded whole", function()
      local items = {}
      for i = 1, 103 do
        items[i] = { id = "raw" .. i, raw = "x", reason = "malformed",
          source = "default", received_at = 1 }
      end
      store(unpack(items))
      assert.equal(100, #queue:dead_letters())
      assert.equal(2, queue:discard { limit = 2 })
      assert.equal(101, queue:discard { reason = "malformed" })
      assert.equal(0, queue:stats().dead)
    end)

    it("are known by their ids alone", function()
      for _, call in ipairs { "get", "replay", "discard" } do
        local done, err = queue[call](queue, "no'such\0id")
        assert.is_nil(done)
        assert.equal("not_found", err.kind)
      end
    end)
  end)

  -- Everything at once, from a seed: nothing lost, nothing handled twice after
  -- success, payload intact, order kept, counts that add up, clean stops.
  describe("a long random run", function()
    local function lcg(seed)
      return function(n)
        seed = (seed * 1103515245 + 12345) % 2147483648
        return math.floor(seed / 65536) % n + 1
      end
    end

    for seed = 1, torture.long and 200 or 3 do
      it("keeps every promise, seed " .. seed, function()
        local random = lcg(seed)
        local expected, done, last, dead = {}, {}, {}, {}
        on(function(e, context)
          if random(3) == 1 then
            flexhooks.sleep(random(3) / 1000)
          end
          if random(5) == 1 then
            return fail { retry = random(4) > 1 and nil or false }
          end
          assert.is_nil(done[context.id], "handled twice")
          assert.equal(expected[context.id], e.Payload)
          local line = e.InteractionSid
          if not context.replay then
            assert.is_true((last[line] or 0) < e.N, "out of order")
            last[line] = e.N
          end
          done[context.id] = true
        end)
        local total = 0
        for _ = 1, 8 do
          local items = {}
          for n = 1, 5 + random(30) do
            total = total + 1
            local payload = ("x"):rep(random(50)) .. "\0'\255" .. total
            items[n] = item(random(12), { N = total, Payload = payload })
            expected[items[n].id] = payload
          end
          assert.is_true(queue:store(items))
          local some = random(20)
          work({ concurrency = random(8), max_attempts = 4,
            backoff = { 0.001, 0.004 } }, function()
            return worker.totals.handled + worker.totals.dead >= some or idle()
          end)
        end
        work { max_attempts = 4, backoff = { 0.001, 0.004 } }
        for _, letter in ipairs(queue:dead_letters { limit = 10000 }) do
          dead[letter.id] = letter
        end
        for id, payload in pairs(expected) do
          assert.is_true(done[id] ~= nil or dead[id] ~= nil, "lost")
          assert.is_false(done[id] ~= nil and dead[id] ~= nil, "both")
          if dead[id] then
            assert.equal(payload, dead[id].event.Payload)
          end
        end
      end)
    end
  end)
end
