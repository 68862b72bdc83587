-- Tasks, events and deadlines, as the loop drives them.
local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local loop = require "flexhooks.runtime.loop"
local task = require "flexhooks.runtime.task"

local run, spawn, sleep = loop.run, loop.spawn, loop.sleep
local unpack = table.unpack or unpack

-- Collects what is logged while f runs.
local function logged(f)
  local lines, logger = {}, task.logger
  task.logger = function(level, message, fields)
    lines[#lines + 1] = { level = level, message = message, fields = fields }
  end
  local ok, err = pcall(f)
  task.logger = logger
  assert(ok, err)
  return lines
end

describe("a task", function()
  it("gets its arguments and gives its results, nils too", function()
    run(function()
      local function count(...)
        return select("#", ...), ...
      end
      assert.same({ n = 4, 3, nil, "b", nil },
        (function(...)
          return { n = select("#", ...), ... }
        end)(spawn(count, nil, "b", nil):wait()))
      assert.equal(0, select("#", spawn(function() end):wait()))
    end)
  end)

  it("begins after the task that spawned it goes on", function()
    local order = {}
    run(function()
      spawn(function()
        order[#order + 1] = "second"
      end)
      order[#order + 1] = "first"
    end)
    assert.same({ "first", "second" }, order)
  end)

  it("takes turns with the others", function()
    local order = {}
    run(function()
      for i = 1, 3 do
        spawn(function()
          for j = 1, 2 do
            order[#order + 1] = i .. j
            sleep(0)
          end
        end)
      end
    end)
    assert.equal("11 21 31 12 22 32", table.concat(order, " "))
  end)

  it("can be waited for by many, and after its end", function()
    run(function()
      local waited = 0
      local slow = spawn(function()
        sleep(0.01)
        return "done"
      end)
      local waiters = {}
      for i = 1, 3 do
        waiters[i] = spawn(function()
          assert.equal("done", slow:wait())
          waited = waited + 1
        end)
      end
      for _, waiter in ipairs(waiters) do
        waiter:wait()
      end
      assert.equal(3, waited)
      assert.equal("done", slow:wait())
    end)
  end)

  it("that raises is nil and an error to who waits", function()
    run(function()
      local value = setmetatable({}, { __tostring = function()
        return "told"
      end })
      local result, err = spawn(function()
        error(value)
      end):wait()
      assert.is_nil(result)
      assert.is_true(errors.is(err))
      assert.equal("handler", err.kind)
      assert.equal("told", err.message)
      assert.equal(value, err.cause)
      assert.matches("task_spec.lua", err.details)
      for _, thrown in ipairs { false, { 1 }, "text" } do
        err = select(2, spawn(error, thrown, 0):wait())
        assert.equal(thrown, err.cause)
      end
      assert.equal("handler", select(2, spawn(error):wait()).kind)
    end)
  end)

  it("may raise after it has waited", function()
    run(function()
      local _, err = spawn(function()
        sleep(0)
        error "late"
      end):wait()
      assert.matches("late", err.message)
    end)
  end)

  it("is not waited for longer than asked", function()
    run(function()
      local gate = loop.event()
      local slow = spawn(function()
        gate:wait()
        return 1
      end)
      local result, err = slow:wait(0.01)
      assert.is_nil(result)
      assert.equal("timeout", err.kind)
      assert.equal("timeout", select(2, slow:wait(0)).kind)
      gate:set()
      assert.equal(1, slow:wait(10))
    end)
  end)

  it("cannot wait for itself", function()
    run(function()
      local own
      own = spawn(function()
        return own:wait()
      end)
      assert.matches("itself", select(2, own:wait()).message)
    end)
  end)

  it("that yields by itself gets an error there, and may go on", function()
    local hook = debug.gethook()
    run(function()
      local results = { spawn(function()
        local ok, message = pcall(function()
          coroutine.yield(1)
        end)
        sleep(0)
        return ok, message, (debug.gethook())
      end):wait() }
      assert.is_false(results[1])
      assert.matches("task_spec.lua:%d+: a task yielded by itself", results[2])
      assert.equal(hook, results[3])
    end)
  end)

  it("that yields by itself has failed", function()
    run(function()
      local _, err = spawn(coroutine.yield, 1):wait()
      assert.matches("yielded by itself", err.message)
      _, err = spawn(function()
        while true do
          pcall(coroutine.yield)
        end
      end):wait()
      assert.matches("yielded by itself", err.message)
      assert.equal(1, spawn(function()
        sleep(0)
        return 1
      end):wait())
    end)
  end)

  it("may use coroutines of its own that do not wait", function()
    run(function()
      local list = {}
      for i in coroutine.wrap(function()
        for i = 1, 3 do
          coroutine.yield(i)
        end
      end) do
        list[i] = i
        sleep(0)
      end
      assert.same({ 1, 2, 3 }, list)
    end)
  end)

  it("is told what to do where C calls back a function that waits",
    function()
      local done = run(function()
        for _, call in ipairs {
          function()
            return (("12"):gsub(".", function(digit)
              return sleep(digit / 1000) and ""
            end))
          end,
          function()
            table.sort({ 3, 1, 2 }, function(a, b)
              sleep(0.001)
              return a < b
            end)
          end,
        } do
          local ok, err = pcall(call)
          assert.is_false(ok)
          assert.equal("argument", err.kind)
          assert.matches("in a function that C calls back", err.message)
        end
        assert.is_true(sleep(0.001)) -- the task can wait as ever
        return "done"
      end)
      assert.equal("done", done)
    end)

  it("is told what to do where such a coroutine waits", function()
    run(function()
      local ok, err = pcall(coroutine.wrap(function()
        sleep(0)
      end))
      assert.is_false(ok)
      assert.matches("flexhooks.spawn", tostring(err), 1, true)
      ok, err = pcall(coroutine.wrap(function()
        spawn(function() end):wait()
      end))
      assert.is_false(ok)
      assert.matches("flexhooks.spawn", tostring(err), 1, true)
    end)
  end)

  it("is collected with what it held", function()
    local weak = setmetatable({}, { __mode = "v" })
    run(function()
      weak.value = {}
      spawn(function(value)
        sleep(0)
        return value
      end, weak.value):wait()
    end)
    collectgarbage()
    collectgarbage()
    assert.is_nil(weak.value)
  end)
end)

describe("cancelling", function()
  it("ends the pending call, and later ones", function()
    run(function()
      local kinds = {}
      local sleeper = spawn(function()
        for i = 1, 3 do
          local ok, err = sleep(100)
          kinds[i] = ok or err.kind
        end
        return "ended"
      end)
      sleep(0)
      sleeper:cancel()
      assert.equal("ended", sleeper:wait())
      assert.same({ "cancelled", "cancelled", "cancelled" }, kinds)
      sleeper:cancel()
      assert.equal("ended", sleeper:wait())
    end)
  end)

  it("reaches a task that has not begun", function()
    run(function()
      local _, err = (function()
        local late = spawn(function()
          return sleep(100)
        end)
        late:cancel()
        return late:wait()
      end)()
      assert.equal("cancelled", err.kind)
    end)
  end)

  it("reaches one that waits for an event or another task", function()
    run(function()
      local event = loop.event()
      local slow = spawn(function()
        return event:wait()
      end)
      local waiter = spawn(function()
        return slow:wait()
      end)
      sleep(0)
      waiter:cancel()
      assert.equal("cancelled", select(2, waiter:wait()).kind)
      event:set(5)
      assert.equal(5, slow:wait())
    end)
  end)

  it("unwinds a task that goes on waiting regardless", function()
    run(function()
      local stubborn = spawn(function()
        while true do
          sleep(1)
        end
      end)
      sleep(0)
      stubborn:cancel()
      local _, err = stubborn:wait()
      assert.equal("handler", err.kind)
      assert.equal("cancelled", err.cause.kind)
    end)
  end)

  it("does not take away what came in the same turn", function()
    run(function()
      local event = loop.event()
      local waiter = spawn(function()
        return event:wait()
      end)
      sleep(0)
      event:set "came"
      waiter:cancel()
      assert.equal("came", waiter:wait())
    end)
  end)
end)

describe("sleep", function()
  it("wakes sleepers in the order of their times", function()
    local order = {}
    run(function()
      for _, ms in ipairs { 300, 100, 200, 0 } do
        spawn(function()
          assert.is_true(sleep(ms / 1000))
          order[#order + 1] = ms
        end)
      end
    end)
    assert.same({ 0, 100, 200, 300 }, order)
  end)

  it("sleeps outside of tasks, no shorter than asked", function()
    local begun = core.clock()
    assert.is_true(sleep(0.02))
    assert.is_true(core.clock() - begun >= 0.02)
  end)

  it("refuses what is no time", function()
    for _, wrong in ipairs { -1, 0 / 0, "1", {}, false } do
      local ok, err = pcall(sleep, wrong)
      assert.is_false(ok)
      assert.equal("argument", err.kind)
      assert.matches("flexhooks.sleep", err.message, 1, true)
    end
    assert.is_false((pcall(sleep)))
  end)
end)

describe("an event", function()
  it("gives its values to those who wait, in order, and to later ones",
    function()
      run(function()
        local event, order = loop.event(), {}
        assert.is_false(event:is_set())
        for i = 1, 4 do
          spawn(function()
            local a, b, c = event:wait(i == 3 and 0.001 or nil)
            order[#order + 1] = { i, a, b, c }
          end)
        end
        while not order[1] do
          sleep(0.001)
        end
        event:set("a", nil, "b")
        event:set "c"
        sleep(0)
        assert.is_true(event:is_set())
        assert.equal(3, order[1][1])
        assert.equal("timeout", order[1][3].kind)
        for at, i in ipairs { 1, 2, 4 } do
          assert.equal(i, order[at + 1][1])
          assert.equal("a", order[at + 1][2])
          assert.equal("b", order[at + 1][4])
        end
        assert.equal("a", (event:wait()))
      end)
    end)

  it("can be waited for outside of tasks", function()
    local event = loop.event()
    spawn(function()
      sleep(0.01)
      event:set(1)
    end)
    assert.equal(1, event:wait())
    assert.equal("timeout", select(2, loop.event():wait(0.01)).kind)
  end)
end)

describe("a deadline", function()
  local function cut(seconds, f)
    local token = loop.enter(core.clock() + seconds)
    local results = { f() }
    return loop.leave(token), unpack(results, 1, 4)
  end

  for where, around in pairs { ["inside a task"] = run,
    ["outside of tasks"] = function(f)
      f()
    end } do
    it("cuts waits, the first and the next ones, " .. where, function()
      around(function()
        local expired, _, first, _, second = cut(0.02, function()
          local a, b = sleep(10)
          local c, d = loop.event():wait(10)
          return a, b, c, d
        end)
        assert.is_true(expired)
        assert.equal("timeout", first.kind)
        assert.equal("timeout", second.kind)
        assert.is_true(sleep(0))
      end)
    end)

    it("leaves shorter waits alone " .. where, function()
      around(function()
        local expired, ok = cut(60, function()
          return sleep(0.001)
        end)
        assert.is_false(expired)
        assert.is_true(ok)
        assert.is_nil(loop.remaining())
      end)
    end)
  end

  it("that has passed cuts a wait before it begins", function()
    local token = loop.enter(core.clock() - 1)
    assert.equal(0, loop.remaining())
    local ok, err = sleep(0)
    assert.is_nil(ok)
    assert.equal("timeout", err.kind)
    assert.is_true(loop.leave(token))
  end)

  it("cuts a shorter wait too where the process stood still", function()
    run(function()
      local token = loop.enter(core.clock() + 0.01)
      spawn(function()
        local awake = core.clock() + 0.02
        repeat until core.clock() > awake
      end)
      local ok, err = sleep(0.001)
      assert.is_nil(ok)
      assert.equal("timeout", err.kind)
      assert.is_true(loop.leave(token))
    end)
  end)

  it("is not expired where nothing had to wait", function()
    local token = loop.enter(core.clock() - 1)
    assert.is_false(loop.leave(token))
  end)

  it("counts where it is the nearest, in whatever order", function()
    run(function()
      for _, nearest in ipairs { "outer", "inner" } do
        local now = core.clock()
        local near, far = now + 0.01, now + 100
        local outer = loop.enter(nearest == "outer" and near or far)
        local inner = loop.enter(nearest == "inner" and near or far)
        assert.is_true(loop.remaining() <= 0.01)
        assert.is_nil((sleep(10)))
        assert.equal(nearest == "inner", loop.leave(inner))
        assert.equal(nearest == "outer", loop.leave(outer))
      end
    end)
  end)

  it("belongs to its task", function()
    run(function()
      local token = loop.enter(core.clock() + 0.01)
      local other = spawn(function()
        assert.is_nil(loop.remaining())
        return sleep(0.03)
      end)
      assert.is_nil((other:wait()))
      loop.leave(token)
      assert.is_true(other:wait())
    end)
  end)

  it("starts afresh after one that cut a wait", function()
    run(function()
      for _ = 1, 3 do
        local token = loop.enter(core.clock() + 0.001)
        assert.is_nil((sleep(1)))
        assert.is_true(loop.leave(token))
        token = loop.enter(core.clock() + 100)
        assert.is_true(sleep(0))
        assert.is_false(loop.leave(token))
      end
    end)
  end)

  it("stays what it was for a task that outlives it", function()
    run(function()
      local left
      local outer = spawn(function()
        local token = loop.enter(core.clock() + 100)
        loop.map({ 1 }, 1, function()
          sleep(0.02)
          left = loop.remaining()
        end)
        loop.leave(token)
      end)
      sleep(0.001)
      outer:cancel()
      spawn(function() -- between the outer task's end and the inner one's
        local token = loop.enter(core.clock() + 5)
        sleep(0.01)
        loop.leave(token)
      end)
      outer:wait()
      while not left do
        sleep(0.01)
      end
      assert.is_true(left > 50)
    end)
  end)

  it("unwinds what goes on waiting regardless", function()
    run(function()
      local token = loop.enter(core.clock() + 0.01)
      local ok, err = pcall(function()
        while true do
          sleep(1)
        end
      end)
      assert.is_false(ok)
      assert.equal("timeout", err.kind)
      assert.is_true(loop.leave(token))
    end)
  end)
end)

describe("a failure nobody waits for", function()
  it("is logged when run ends", function()
    local lines = logged(function()
      run(function()
        spawn(function()
          error "unseen"
        end)
        local seen = spawn(function()
          error "seen"
        end)
        sleep(0)
        seen:wait()
      end)
    end)
    assert.equal(1, #lines)
    assert.equal("warn", lines[1].level)
    assert.matches("unseen", lines[1].fields.traceback)
    assert.matches("task_spec.lua", lines[1].fields.traceback)
  end)

  it("goes to the logger that the loop was given", function()
    local seen
    local lines = logged(function()
      loop.get { logger = function(_, message)
        seen = message
      end }
      run(function()
        spawn(error, "x")
      end)
    end)
    assert.same({}, lines)
    assert.matches("nobody waited", seen)
  end)
end)
