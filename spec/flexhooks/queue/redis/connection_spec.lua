local flexhooks = require "flexhooks"
local runtime = require "flexhooks.runtime.current"
local process = require "spec.support.process"
local queues = require "spec.support.queues"
local redis = require "spec.support.redis"
local refusal = require "spec.support.refusal"

local bench = queues.redis()
local item, open = queues.item, bench.open

local function refused(queue)
  local ok, err = queue:store { item "a" }
  assert.is_nil(ok)
  return err
end

describe("a connection", function()
  it("waits for an answer no longer than its timeout",
    function()
      local own = redis.start()
      local queue = open("timeout=1.5", nil, own)
      assert.is_true(queue:store { item "a" })
      own.process:kill "STOP"
      local began = flexhooks.clock()
      local err, again = refused(queue), refused(queue)
      own.process:kill "CONT"
      assert.equal("timeout", err.reason)
      assert.matches("no answer within 1.5 s", again.message)
      assert.is_true(flexhooks.clock() - began < 6)
      assert.is_true(queue:store { item "b" })
    end)

  it("outlives the deadline of who asks", function()
    flexhooks.run(function()
      local io = open().backend:connect()
      local id = assert(io:command { "CLIENT", "ID" })
      local token = runtime.enter(runtime.clock() + 0.02)
      local value, err = io:command { "BLPOP", "none", "1" }
      runtime.leave(token)
      assert.same({ nil, "timeout" }, { value, err.kind })
      assert.equal(id, io:command { "CLIENT", "ID" })
      io:close()
    end)
  end)

  it("is given up where the server is the master no more", function()
    local own = redis.start()
    local io = open(nil, nil, own).backend:connect()
    local first = assert(io:command { "CLIENT", "ID" })
    assert.equal(first, io:command { "CLIENT", "ID" })
    own:cli("REPLICAOF", "127.0.0.1", process.port())
    local _, err = io:command { "SET", "x", "1" }
    assert.equal("readonly", err.reason)
    local second = assert(io:command { "CLIENT", "ID" })
    assert.is_true(second > first)
    own:cli("REPLICAOF", "NO", "ONE")
    assert.equal("OK", io:command { "SET", "x", "1" })
    assert.equal(second, io:command { "CLIENT", "ID" })
    io:close()
  end)

  it("ends with the queue that nobody has any more", function()
    local own = redis.start()
    local function connected()
      return select(2, own:cli("CLIENT", "LIST"):gsub(" name=", "")) - 1
    end
    assert.is_true(flexhooks.queue(own:url()):store { item "a" })
    assert.equal(1, connected())
    -- Compiled traces keep the closures that they inlined.
    local jit = rawget(_G, "jit")
    process.eventually(function()
      if jit then
        jit.flush()
      end
      collectgarbage()
      collectgarbage()
      flexhooks.sleep(0)
      return connected() == 0
    end)
  end)

  it("posts what needs no waiting, and waits for its answer no longer either",
    function()
      local own = redis.start()
      local queue = open("timeout=1.5", nil, own)
      local io, keys = queue.backend:connect(), { "k" }
      local script = "return ARGV[1] .. ' ' .. KEYS[1]"
      local got = {}
      local function post(argument)
        return io:post(script, keys, { argument }, nil, function(value, err)
          got[#got + 1] = value or err.reason or err.kind
        end)
      end
      local function eventually(count)
        while #got < count do
          flexhooks.sleep(0.005)
        end
      end
      flexhooks.run(function()
        assert.is_false(post "not connected")
        assert.equal("a k", io:call(script, keys, { "a" }))
        assert.is_true(post "b")
        assert.is_true(post "c")
        eventually(2)
        own:cli("SCRIPT", "FLUSH")
        assert.is_true(post "d")
        eventually(3)
        own.process:kill "STOP"
        assert.is_true(post "e")
        assert.is_true(post "f")
        eventually(5)
        own.process:kill "CONT"
        assert.is_false(post "g")
        assert.equal("h k", io:call(script, keys, { "h" }))
        assert.is_true(post "i")
        io:close()
      end)
      assert.same({ "b k", "c k", "noscript", "timeout", "timeout" },
        { got[1], got[2], got[3], got[4], got[5] })
      assert.equal("closed", got[6])
    end)

  it("sends a turn's commands together, and hands out answers in order",
    function()
      local queue = open "prefix=order"
      assert.is_true(queue:store { item "first" })
      local io, answers = queue.backend.io, {}
      flexhooks.run(function()
        flexhooks.map({ 1, 2, 3, 4, 5 }, 5, function(n)
          answers[n] = assert(io:command { "ECHO", "answer " .. n })
          return true
        end)
        local value, err = io:command { "ECHO" }
        assert.is_nil(value)
        assert.equal("err", err.reason)
        assert.is_false((io:command { "GET", "nothing" }))
      end)
      assert.same({ "answer 1", "answer 2", "answer 3", "answer 4",
        "answer 5" }, answers)
    end)

  it("is made once, however many want it at the same time", function()
    local queue, before = open "prefix=once", bench.server:cli("INFO", "stats")
    local results = {}
    flexhooks.run(function()
      for n = 1, 20 do
        flexhooks.spawn(function()
          assert.is_true(queue:store { item("once " .. n) })
          results[#results + 1] = n
        end)
      end
    end)
    local function total(info)
      return tonumber(info:match "total_connections_received:(%d+)")
    end
    -- redis-cli made one more.
    assert.equal(2, total(bench.server:cli("INFO", "stats")) - total(before))
    for n = 1, 20 do
      assert.equal(n, results[n])
    end
  end)
end)

-- Each in turn raises, as any call may for want of memory. Answers have no
-- number: one that goes to the wrong waiter would be the next one's.
describe("a step of a connection that is refused", function()
  local shapes = require "flexhooks.queue.redis.shapes"

  local function ask(io, n)
    return io:command({ "ECHO", "answer " .. n }, shapes.text)
  end

  -- Answers that are wrong, among those of many tasks.
  local function wrong_answers(io, first)
    local wrong = {}
    for n = first, first + 4 do
      flexhooks.spawn(function()
        local called, value, err = pcall(ask, io, n)
        if called and value and value ~= "answer " .. n
          or called and not value and not (err and err.kind) then
          wrong[#wrong + 1] = n .. ": " .. tostring(value)
        end
      end)
    end
    return wrong
  end

  local function check(functions)
    local io = open("timeout=2").backend:connect()
    refusal.each(functions(io), function(control)
      local wrong
      flexhooks.run(function()
        assert.equal("answer 0", ask(io, 0))
        control.begin()
        wrong = wrong_answers(io, 1)
      end)
      control.over()
      assert.same({}, wrong)
      flexhooks.run(function()
        wrong = wrong_answers(io, 10)
      end)
      assert.same({}, wrong)
      assert.equal("answer 20", ask(io, 20))
    end)
    io:close()
  end

  it("mixes no answers up", function()
    check(function(io)
      return {
        host = { runtime, "at_turn_end", "event" },
        connection = { io, "flush", "await", "send", "take_reply" },
      }
    end)
  end)

  it("mixes none up where one cannot be taken or sent", function()
    local handles = require "flexhooks.core.redis"
    local handle = assert(handles.new("127.0.0.1", bench.server.port))
    local methods = debug.getmetatable(handle).__index
    handle:close()
    check(function()
      return { handle = { methods, "append", "next", "flush", "read" } }
    end)
  end)

  it("leaves nothing of a connection that could not be set up", function()
    local functions = { host = { runtime, "add_source", "event" } }
    refusal.each(functions, function(control)
      local io = open("timeout=2").backend:connect()
      control.begin()
      flexhooks.run(pcall, ask, io, 1)
      control.over()
      assert.equal("answer 2", ask(io, 2))
      io:close()
    end)
  end)
end)

-- L001 and L002: what a hostile or broken server may send.
describe("replies", function()
  -- Port, reply, how often: answers every connection so, whatever it asks.
  local SERVER = [[
    local server = assert(require "socket".bind("127.0.0.1", arg[1]))
    while true do
      local peer = server:accept()
      peer:settimeout(5)
      peer:receive(1)
      peer:send(arg[2]:rep(tonumber(arg[3])))
      repeat
        local _, err = peer:receive(1)
      until err
      peer:close()
    end]]

  it("that no Redis sends are refused without being built", function()
    local script = process.write(process.folder() .. "/server.lua", SERVER)
    for _, case in ipairs { { "*1\r\n", 100000 }, { "*-2\r\n", 1 },
      { "*4294967297\r\n", 1 }, { "$-2\r\n", 1 },
      { "HTTP/1.1 200\r\n", 1 }, { "$9223372036854775807\r\n", 1 },
      { "*1000000000\r\n", 1 }, { "+OK\r\n", 5 } } do
      local port = process.port()
      local child = process.spawn { process.lua, script, port, case[1],
        case[2] }
      child:wait_port(port)
      local err = refused(flexhooks.queue(("redis://127.0.0.1:%d?timeout=2")
        :format(port)))
      assert.equal("protocol", err.reason, case[1] .. ": " .. tostring(err))
      child:stop "KILL"
    end
  end)
end)
