local flexhooks = require "flexhooks"
local queues = require "spec.support.queues"
local redis = require "spec.support.redis"

local unpack = table.unpack or unpack

local bench = queues.redis()
local item, open = queues.item, bench.open

-- Consumers as workers use them, without a worker around.
describe("leases", function()
  local function nothing() end

  local function consumer(queue, lease, lost)
    local made = queue:consumer { wake = nothing, lost = lost or nothing,
      lease = lease or 20 }
    assert.is_true(made:open())
    return made
  end

  local function held(c)
    local n = 0
    for _ in pairs(c.parts) do
      n = n + 1
    end
    return n
  end

  it("are shared out among the workers, and given back at once", function()
    flexhooks.run(function()
      local queue = open "prefix=l1&partitions=7"
      local lost = 0
      local a = consumer(queue, nil, function(parts)
        for _ in pairs(parts) do
          lost = lost + 1
        end
      end)
      assert.equal(7, held(a))
      local b, c = consumer(queue), consumer(queue)
      assert.equal(0, held(b) + held(c))
      assert.is_true(a:beat())
      assert.equal(7 - held(a), lost)
      b:beat()
      c:beat()
      local shares = { held(a), held(b), held(c) }
      table.sort(shares)
      assert.same({ 2, 2, 3 }, shares)
      local owners = {}
      for _, partition in ipairs(queue:stats().partitions) do
        owners[partition.owner] = (owners[partition.owner] or 0) + 1
      end
      assert.equal(held(b), owners[b.name])
      assert.is_true(b:close())
      a:beat()
      c:beat()
      assert.equal(7, held(a) + held(c))
      a:close()
      c:close()
      assert.is_nil(queue:stats().partitions[1].owner)
    end)
  end)

  it("are given back though the connection has ended", function()
    flexhooks.run(function()
      local queue = open "prefix=ended&partitions=1"
      local a = consumer(queue)
      bench.server:cli("CLIENT", "KILL", "TYPE", "normal")
      assert.is_true(a:close())
      assert.is_nil(queue:stats().partitions[1].owner)
    end)
  end)

  it("are not kept for the sake of an attempt that broke", function()
    flexhooks.run(function()
      local queue = open "prefix=l3&partitions=1"
      assert.is_true(queue:store { item "a" })
      local a = consumer(queue)
      bench.server:cli("DEL", "{l3}:leases", "{l3}:workers")
      a.name = "z" -- of two, the other has the one share
      assert.is_true(a:beat())
      local ref = a:scan(10)[1]
      assert.equal(1, a:begin(ref).attempt)
      local b = consumer(queue)
      assert.is_true(a:beat())
      assert.equal(1, held(a))
      a:let_go(ref)
      assert.is_true(a:beat())
      assert.equal(0, held(a))
      b:beat()
      assert.equal(1, held(b))
      b:close()
      a:close()
    end)
  end)

  it("leave what was begun its time where they will be given back", function()
    flexhooks.run(function()
      local queue = open "prefix=retiring&partitions=1"
      assert.is_true(queue:store { item "a", item("b", { event = {
        EventType = "onX", InteractionSid = "KD2" } }) })
      local a = consumer(queue)
      bench.server:cli("DEL", "{retiring}:leases", "{retiring}:workers")
      a.name = "z"
      assert.is_true(a:beat())
      local begun, other = unpack(a:scan(10))
      assert.equal(1, a:begin(begun).attempt)
      local b = consumer(queue)
      assert.is_true(a:beat())
      assert.equal(0, a:lease_left(other))
      assert.is_true(a:lease_left(begun) > 10)
      assert.is_true(a:finish(begun))
      assert.is_true(a:beat())
      assert.equal(0, held(a))
      b:close()
      a:close()
    end)
  end)

  it("begin nothing while they are given back", function()
    for name, given in pairs { given = true, kept = false } do
      flexhooks.run(function()
        local queue = open("partitions=1&prefix=" .. name)
        assert.is_true(queue:store { item "a" })
        local a = consumer(queue)
        bench.server:cli("DEL", "{" .. name .. "}:leases",
          "{" .. name .. "}:workers")
        a.name = "z"
        assert.is_true(a:beat())
        local ref, beginning = a:scan(10)[1], nil
        function a:give_back(...)
          beginning = flexhooks.spawn(self.begin, self, ref)
          flexhooks.sleep(0.05)
          self.give_back = nil
          return given and self:give_back(...) or nil
        end
        local b = consumer(queue)
        assert.is_true(a:beat())
        local begun = assert(beginning):wait()
        assert.equal(given and 0 or 1, held(a))
        assert.equal(not given and 1 or nil, begun and begun.attempt or nil)
        b:beat()
        for _, taken in ipairs(b:scan(10)) do
          assert.equal(1, b:begin(taken).attempt)
        end
        b:close()
        a:close()
      end)
    end
  end)

  it("keep nothing waiting where giving them back raises", function()
    flexhooks.run(function()
      local queue = open "partitions=1&prefix=raising"
      assert.is_true(queue:store { item "a" })
      local a = consumer(queue)
      bench.server:cli("DEL", "{raising}:leases", "{raising}:workers")
      a.name = "z"
      assert.is_true(a:beat())
      local ref = a:scan(10)[1]
      function a.give_back(self)
        self.give_back = nil
        error("not enough memory", 0)
      end
      local b = consumer(queue)
      assert.is_true(a:beat())
      assert.equal(1, a:begin(ref).attempt)
      a:let_go(ref)
      b:close()
      a:close()
    end)
  end)

  it("are not half taken over", function()
    flexhooks.run(function()
      local queue, told = open "partitions=1&prefix=half", 0
      local raises = true
      local a = consumer(queue, nil, function()
        told = told + 1
        if raises then
          error("not enough memory", 0)
        end
      end)
      assert.is_true(queue:store { item "a" })
      local old = a:scan(10)[1]
      bench.server:cli("DEL", "{half}:leases")
      assert.is_false(pcall(a.beat, a))
      assert.equal(old.fence, a.parts["0"].fence)
      raises = false
      assert.is_true(a:beat())
      assert.equal(2, told)
      assert.is_true(tonumber(old.fence) < tonumber(a.parts["0"].fence))
      assert.is_false(a:begin(old))
      assert.equal(1, a:begin(a:scan(10)[1]).attempt)
      a:close()
    end)
  end)

  it("are read again where what was read could not be kept", function()
    flexhooks.run(function()
      local queue = open "partitions=1&prefix=reading"
      assert.is_true(queue:store { item "a", item "b" })
      local a = consumer(queue)
      function a.refs_of(self)
        self.refs_of = nil
        error("not enough memory", 0)
      end
      assert.is_false(pcall(a.scan, a, 10))
      assert.equal(2, #a:scan(10))
      a:close()
    end)
  end)

  it("are listened for again where that has raised", function()
    flexhooks.run(function()
      local queue, woken = open "partitions=1&prefix=listening", 0
      local a = queue:consumer { lease = 20, lost = nothing,
        wake = function()
          woken = woken + 1
        end }
      function a.hear(self)
        self.hear = nil
        error("not enough memory", 0)
      end
      assert.is_true(a:open())
      assert.same({}, a:scan(10))
      while woken == 0 do
        flexhooks.sleep(0.01)
      end
      assert.same({}, a:scan(10))
      local before = woken
      assert.is_true(queue:store { item "a" })
      while woken == before do
        flexhooks.sleep(0.01)
      end
      a:close()
    end)
  end)

  it("fence who has lost them", function()
    flexhooks.run(function()
      local queue = open "prefix=l2&partitions=1"
      assert.is_true(queue:store { item "a", item "b" })
      local old = consumer(queue, 1)
      local refs = assert(old:scan(10))
      local fence = old:begin(refs[1]).fence
      flexhooks.sleep(1.1)
      local new = consumer(queue, 5)
      assert.equal(1, held(new))
      local taken = assert(new:scan(10))
      local again = new:begin(taken[1])
      assert.same({ fence + 1, 2 }, { again.fence, again.attempt })
      assert.equal(0, old:lease_left(refs[1]))
      local failure = { attempt = 1, message = "x" }
      assert.is_false(old:finish(refs[1]))
      assert.is_false(old:begin(refs[2]))
      refs[1].item = again
      assert.is_false(old:retry(refs[1], 0, failure))
      assert.is_false(old:bury(refs[1], failure, "exhausted", false))
      assert.equal(2, queue:stats().ready + queue:stats().running)
      assert.is_true(new:finish(taken[1]))
      -- The same step again changes nothing.
      assert.is_true(new:entry_step("finish", taken[1]) == 1)
      assert.equal(1, queue:stats().ready)
      new:close()
      old:close()
    end)
  end)

  it("are read in turn, so that a long one keeps none waiting", function()
    flexhooks.run(function()
      local queue, items = open "prefix=l4&partitions=2", {}
      for n = 1, 40 do
        items[n] = item("e" .. n, { event = { EventType = "onX",
          InteractionSid = "KD" .. n } })
      end
      assert.is_true(queue:store(items))
      local c = consumer(queue)
      local seen, parts = {}, {}
      for turn = 1, 4 do
        local refs = c:scan(3)
        parts[turn] = refs[1].part
        for _, ref in ipairs(refs) do
          assert.equal(parts[turn], ref.part)
          seen[ref.seq] = true
        end
      end
      assert.same({ "0", "1", "0", "1" }, parts)
      for _, ref in ipairs(c:scan(100)) do
        assert.is_nil(seen[ref.seq])
        seen[ref.seq] = true
      end
      local count = 0
      for _ in pairs(seen) do
        count = count + 1
      end
      assert.equal(40, count)
      c:close()
    end)
  end)

  it("are lost and taken back while a worker asks what is parked", function()
    local queue, fails, seen = open "prefix=l5&partitions=1", true, {}
    local router = flexhooks.router()
    router:on("*", function(_, context)
      seen[#seen + 1] = context.id
      return nil, fails and "no" or nil
    end)
    assert.is_true(queue:store { item "a", item "b" }) -- of one interaction
    local worker = flexhooks.worker { queue = queue, router = router,
      max_attempts = 1, on_exhausted = "park" }
    local function await(state, count)
      local ends = flexhooks.clock() + 10
      while queue:stats()[state] ~= count and flexhooks.clock() < ends do
        flexhooks.sleep(0.01)
      end
    end
    flexhooks.run(function()
      local running = flexhooks.spawn(worker.run, worker)
      await("dead", 1)
      local asked, recheck = nil, worker.consumer.recheck
      function worker.consumer.recheck(c, refs)
        c.recheck = nil
        fails, asked = false, #refs
        assert.is_true(queue:replay "a")
        local changed = recheck(c, refs)
        bench.server:cli("DEL", "{l5}:leases")
        assert.is_true(c:beat())
        return changed
      end
      await("ready", 0)
      await("running", 0)
      worker:stop()
      assert.is_true(running:wait())
      assert.equal(1, asked)
    end)
    assert.same({ "a", "a", "b" }, seen)
    local stats = queue:stats()
    assert.same({ 0, 0, 0 }, { stats.ready, stats.delayed, stats.dead })
  end)

  it("outlive a connection, and a Redis that was restarted", function()
    local own = redis.start()
    flexhooks.run(function()
      local queue = open("partitions=1", nil, own)
      assert.is_true(queue:store { item "a" })
      local c = consumer(queue, 30)
      local refs = assert(c:scan(10))
      assert.equal(1, c:begin(refs[1]).attempt)
      own:stop "KILL"
      assert.is_nil((c:finish(refs[1])))
      own:start()
      assert.is_true(c:finish(refs[1]))
      c:close()
    end)
  end)
end)
