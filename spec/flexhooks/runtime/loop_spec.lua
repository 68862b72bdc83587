local core = require "flexhooks.core"
local flexhooks = require "flexhooks"
local loop = require "flexhooks.runtime.loop"
local process = require "spec.support.process"

local run, spawn, sleep = flexhooks.run, flexhooks.spawn, flexhooks.sleep

-- A listener that accepts nothing by itself.
local function server_of()
  local listener = assert(require("socket").bind("127.0.0.1", 0))
  local _, actual = listener:getsockname()
  return listener, tonumber(actual)
end

describe("run", function()
  it("gives the results of its function, nils too", function()
    assert.same({ n = 3, [2] = "b" }, (function(...)
      return { n = select("#", ...), ... }
    end)(run(function(...)
      sleep(0)
      return ...
    end, nil, "b", nil)))
    assert.equal(0, select("#", run(function() end)))
  end)

  it("ends when every task has ended", function()
    local ended = 0
    local result = run(function()
      for i = 1, 3 do
        spawn(function()
          sleep(i / 200)
          ended = ended + 1
        end)
      end
      return "first"
    end)
    assert.equal("first", result)
    assert.equal(3, ended)
  end)

  it("runs tasks that were spawned before", function()
    local ran
    spawn(function()
      ran = true
    end)
    run(function() end)
    assert.is_true(ran)
  end)

  it("raises what its function raised, and cancels the others", function()
    local kinds, value = {}, { "any value" }
    local ok, err = pcall(run, function()
      for _ = 1, 2 do
        spawn(function()
          local _, cut = sleep(100)
          kinds[#kinds + 1] = cut.kind
          spawn(function()
            _, cut = sleep(100)
            kinds[#kinds + 1] = cut.kind
          end)
        end)
      end
      sleep(0)
      error(value)
    end)
    assert.is_false(ok)
    assert.equal(value, err)
    assert.same({ "cancelled", "cancelled", "cancelled", "cancelled" }, kinds)
    assert.equal("after", run(function()
      return "after"
    end))
  end)

  it("refuses to run within itself", function()
    local inner = {}
    run(function()
      local ok, err = pcall(run, function() end)
      inner.task = { ok, err.kind }
    end)
    assert.same({ false, "argument" }, inner.task)
  end)

  it("refuses what is no function, at the caller", function()
    for _, f in ipairs { run, spawn, function(f)
      loop.get():spawn(f)
    end } do
      local ok, err = pcall(f, "print")
      assert.is_false(ok)
      assert.equal("argument", err.kind)
    end
    local _, err = pcall(function()
      run(1)
    end)
    assert.matches("loop_spec.lua:%d+: flexhooks.run:", err.message)
  end)

  it("starves nobody while tasks keep each other busy", function()
    local listener, port = server_of()
    local answered = false
    run(function()
      spawn(function()
        local _, err = flexhooks.http("http://127.0.0.1:" .. port,
          { timeout = 0.05 })
        assert.equal("timeout", err.kind)
        answered = true
      end)
      for _ = 1, 3 do
        spawn(function()
          while not answered do
            sleep(0)
          end
        end)
      end
    end)
    listener:close()
    assert.is_true(answered)
  end)
end)

describe("outside of tasks", function()
  it("calls that wait run the tasks meanwhile", function()
    local order, over = {}, loop.event()
    spawn(function()
      order[#order + 1] = "task"
      sleep(0.005)
      order[#order + 1] = "task again"
      over:set(true)
    end)
    assert.is_true(over:wait(10))
    assert.same({ "task", "task again" }, order)
  end)

  it("a coroutine of the user's own may wait, as it blocks", function()
    local ok = coroutine.wrap(function()
      return sleep(0.001)
    end)()
    assert.is_true(ok)
  end)
end)

describe("a source", function()
  it("runs after every wait, and when its descriptor is ready", function()
    local listener, port = server_of()
    listener:settimeout(0)
    local event, runs = loop.event(), 0
    local source = loop.add_source {
      fd = listener:getfd(),
      run = function()
        runs = runs + 1
        local peer = listener:accept()
        if peer then
          peer:close()
          event:set(true)
        end
      end,
    }
    local peer = require("socket").tcp()
    peer:settimeout(0)
    peer:connect("127.0.0.1", port)
    assert.is_true(event:wait(10))
    assert.is_true(runs >= 1)
    local before = runs
    sleep(0.001)
    assert.is_true(runs > before)
    source:remove()
    source:remove()
    before = runs
    sleep(0.001)
    assert.equal(before, runs)
    peer:close()
    listener:close()
  end)

  it("runs by its time-out", function()
    local due = core.clock() + 0.01
    local event = loop.event()
    local source
    source = loop.add_source {
      timeout = function()
        return math.max(0, due - core.clock())
      end,
      run = function()
        if core.clock() >= due then
          source:remove()
          event:set(true)
        end
      end,
    }
    assert.is_true(event:wait(10))
  end)

  it("may remove itself while the others run", function()
    local ran, sources = {}, {}
    for i = 1, 5 do
      sources[i] = loop.add_source { run = function()
        ran[#ran + 1] = i
        if i % 2 == 0 then
          sources[i]:remove()
        end
      end }
    end
    sleep(0)
    table.sort(ran)
    assert.same({ 1, 2, 3, 4, 5 }, ran)
    ran = {}
    loop.get():step()
    table.sort(ran)
    assert.same({ 1, 3, 5 }, ran)
    for _, source in ipairs(sources) do
      source:remove()
    end
  end)

  it("cannot wait", function()
    local caught
    local source = loop.add_source { run = function()
      local ok, err = pcall(sleep, 0)
      caught = caught or { ok, err.message }
    end }
    sleep(0)
    source:remove()
    assert.is_false(caught[1])
    assert.matches("flexhooks.spawn", caught[2], 1, true)
  end)

  it("that fails ends the wait with its error, not the loop", function()
    local source = loop.add_source { run = function()
      error("broken", 0)
    end }
    local ok, err = pcall(sleep, 0.01)
    source:remove()
    assert.is_false(ok)
    assert.equal("broken", err)
    assert.is_true(sleep(0))
  end)
end)

describe("the end of a turn", function()
  it("comes after the tasks that were ready, once", function()
    local order = {}
    run(function()
      for i = 1, 2 do
        spawn(function()
          order[#order + 1] = "task " .. i
          loop.at_turn_end(function()
            order[#order + 1] = "end " .. i
          end)
        end)
      end
      sleep(0)
      sleep(0)
    end)
    assert.same({ "task 1", "task 2", "end 1", "end 2" }, order)
  end)

  it("comes in the same turn for what another one adds", function()
    local order = {}
    run(function()
      loop.at_turn_end(function()
        loop.at_turn_end(function()
          order[#order + 1] = "added"
        end)
      end)
      spawn(function()
        sleep(0)
        order[#order + 1] = "next turn"
      end)
    end)
    assert.same({ "added", "next turn" }, order)
  end)

  it("ends, whatever its functions add", function()
    local count = 0
    local function again()
      count = count + 1
      if count < 100 then
        loop.at_turn_end(again)
      end
    end
    run(function()
      loop.at_turn_end(again)
      sleep(0)
      assert.is_true(count < 100)
      while count < 100 do
        sleep(0)
      end
    end)
  end)

  it("comes for the others where one raises, whose failure is reported",
    function()
      local logged, came = {}, false
      loop.get { logger = function(_, _, fields)
        logged[#logged + 1] = fields.traceback
      end }
      run(function()
        loop.at_turn_end(error, "broken hook")
        loop.at_turn_end(function()
          came = true
        end)
      end)
      assert.is_true(came)
      assert.equal(1, #logged)
      assert.matches("broken hook", logged[1])
    end)

  it("comes again where there was no memory, in the same order", function()
    local order, refusals = {}, 3
    run(function()
      loop.at_turn_end(function()
        refusals = refusals - 1
        if refusals > 0 then
          error("not enough memory", 0)
        end
        order[#order + 1] = "first"
      end)
      loop.at_turn_end(function()
        order[#order + 1] = "second"
      end)
      while #order < 2 do
        sleep(0)
      end
    end)
    assert.same({ "first", "second" }, order)
    assert.equal(0, refusals)
  end)

  it("does not wait for something else to happen first", function()
    local event = loop.event()
    loop.at_turn_end(function()
      event:set(true)
    end)
    assert.is_true(event:wait(10))
  end)
end)

describe("clocks", function()
  it("tell the time", function()
    assert.is_true(math.abs(flexhooks.now() - os.time()) < 60)
    local a = flexhooks.clock()
    assert.is_true(flexhooks.clock() >= a)
  end)
end)

-- What a foreign loop has to carry: tasks, timers and a request. It all takes
-- until work of its own, which it counts, has had its turn as well.
local WORKLOAD = [[
local flexhooks = require "flexhooks"
local self, done = flexhooks.loop(), {}
local ticks, steps = 0, 0
self:spawn(function()
  repeat
    flexhooks.sleep(0.05)
  until ticks > 1
  done.slept = true
end)
self:spawn(function()
  local _, err = flexhooks.http(arg[1], { timeout = 0.1 })
  done.asked = err.kind
end)
]]

local CQUEUES = [[
local cqueues = require "cqueues"
local queue = cqueues.new()
queue:wrap(function()
  while not (done.slept and done.asked) do
    cqueues.poll(self)
    self:step()
    steps = steps + 1
  end
end)
queue:wrap(function()
  while not (done.slept and done.asked) do
    cqueues.sleep(0.01)
    ticks = ticks + 1
  end
end)
assert(queue:loop())
print(done.asked, steps < 100 or steps)
]]

local LUV = [[
local uv = require "luv"
local poll, timer = uv.new_poll(self:pollfd()), uv.new_timer()
local ticker = uv.new_timer()
ticker:start(10, 10, function()
  ticks = ticks + 1
end)
local function step()
  self:step()
  steps = steps + 1
  if done.slept and done.asked then
    poll:close()
    timer:close()
    ticker:close()
    return
  end
  local left = self:timeout()
  timer:stop()
  if left then
    timer:start(math.ceil(left * 1000), 0, step)
  end
end
poll:start(self:events(), step)
timer:start(0, 0, step)
uv.run()
print(done.asked, steps < 100 or steps)
]]

describe("a foreign loop", function()
  for name, script in pairs { cqueues = CQUEUES, luv = LUV } do
    it("may be " .. name .. ", whose own work goes on", function()
      local listener, port = server_of()
      local path = process.write(process.folder() .. "/a.lua",
        WORKLOAD .. script)
      local status, out, err = process.run { process.lua, path,
        "http://127.0.0.1:" .. port }
      listener:close()
      assert.equal("", err)
      assert.equal(0, status)
      assert.equal("timeout\ttrue\n", out)
    end)
  end

  it("is told when to come back", function()
    local self = flexhooks.loop()
    assert.equal(self, flexhooks.loop())
    assert.is_nil(self:timeout())
    local sleeper = self:spawn(sleep, 60)
    assert.equal(0, self:timeout())
    self:step()
    local left = self:timeout()
    assert.is_true(left > 40 and left <= 60)
    sleeper:cancel()
    self:step()
    assert.is_nil(self:timeout())
    assert.equal("r", self:events())
    assert.equal(0, self:pollfd() % 1)
  end)

  it("waits in step only as long as told", function()
    local self = flexhooks.loop()
    local begun = flexhooks.clock()
    assert.is_true(self:step())
    assert.is_true(self:step(0.02))
    assert.is_true(flexhooks.clock() - begun >= 0.02)
  end)

  it("may not step inside a task", function()
    run(function()
      local ok, err = pcall(flexhooks.loop().step, flexhooks.loop())
      assert.is_false(ok)
      assert.equal("argument", err.kind)
    end)
  end)
end)

describe("a child process", function()
  -- LuaJIT has fork at hand; for Lua 5.4 Debian has none.
  local SCRIPT = [[
    io.stdout:setvbuf "no"
    local fork, exit, wait
    if jit then
      local ffi = require "ffi"
      ffi.cdef "int fork(void); int waitpid(int, int *, int); void _exit(int);"
      fork, exit = ffi.C.fork, ffi.C._exit
      wait = function(pid)
        local status = ffi.new "int[1]"
        ffi.C.waitpid(pid, status, 0)
        return math.floor(status[0] / 256)
      end
    else
      print "no fork"
      os.exit(0)
    end
    local f = require "flexhooks"
    local core = require "flexhooks.core"
    local url = arg[1]
    local function ask()
      local answer, err = f.http(url)
      return answer and answer.body or tostring(err)
    end
    assert(ask() == "ok")
    f.spawn(function() print "a task of the parent's" end)
    local pid = fork()
    if pid == 0 then
      local ok, err = pcall(function()
        assert(ask() == "ok")
        assert(f.run(function()
          f.sleep(0.001)
          return ask()
        end) == "ok")
        collectgarbage()
        collectgarbage()
        assert(ask() == "ok")
      end)
      if not ok then print(err) end
      io.stdout:flush()
      exit(ok and 7 or 1)
    end
    print(wait(pid))
    f.run(function() end)
    print(ask())
    f.run(function()
      local child = fork()
      if child == 0 then
        f.sleep(0)
        exit(3)
      end
      f.sleep(0.01)
      print(wait(child))
    end)]]

  it("has a loop and connections of its own", function()
    local server = require("spec.support.rude").start()
    local script = process.write(process.folder() .. "/fork.lua", SCRIPT)
    local status, out, err = process.run { process.lua, script,
      server.url .. "/ok" }
    assert.equal(0, status, err)
    if out ~= "no fork\n" then
      assert.matches("forked from inside a task", err)
      assert.equal("7\na task of the parent's\nok\n1\n", out)
      local connections = {}
      for _, request in ipairs(server:requests()) do
        connections[request.connection] = true
      end
      assert.equal(2, #connections)
    end
  end)
end)

describe("signals", function()
  it("end a wait, and are told by name", function()
    local signals = loop.poller():signals("USR1", "TERM")
    local seen, event = {}, loop.event()
    local source = loop.add_source {
      fd = signals:fd(),
      run = function()
        local name = signals:next()
        while name do
          seen[#seen + 1] = name
          name = signals:next()
        end
        if #seen == 2 then
          event:set(true)
        end
      end,
    }
    os.execute("kill -USR1 " .. core.pid() .. "; kill -TERM " .. core.pid())
    assert.is_true(event:wait(10))
    table.sort(seen)
    assert.same({ "TERM", "USR1" }, seen)
    source:remove()
    signals:close()
  end)

  it("refuses signals that cannot be waited for", function()
    for _, names in ipairs { {}, { "KILL" }, { "SEGV" }, { 15 } } do
      assert.has_error(function()
        loop.poller():signals((table.unpack or unpack)(names))
      end)
    end
  end)
end)
