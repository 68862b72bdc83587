-- Peers that are slow, many, greedy or gone, against a server in a process of
-- its own. After each of them a good request is served.
local process = require "spec.support.process"
local servers = require "spec.support.server"
local socket = require "socket"
local wire = require "spec.support.wire"

local function status_of(result)
  return result.answers[1] and result.answers[1].status
end

local server

local function start(given)
  given.options = given.options or {}
  server = servers.start(given)
  return server
end

local function good()
  return status_of(wire.send(server.port, (server:post()),
    { wait = 20, expect = 1 }))
end

local function limits(given)
  return { options = { limits = given } }
end

-- Sends `text` byte by byte with pauses until the peer has had enough.
local function trickle(text, pause)
  local peer, begun = wire.connect(server.port), socket.gettime()
  peer:settimeout(0)
  local heard, at = "", 1
  while socket.gettime() - begun < 10 do
    local sent = text:sub(at, at)
    peer:send(sent ~= "" and sent or "x")
    at = at + 1
    local _, err, part = peer:receive(65536)
    heard = heard .. (part or "")
    if err == "closed" or #wire.parse(heard) > 0 then
      break
    end
    socket.sleep(pause)
  end
  peer:close()
  local answers = wire.parse(heard)
  return answers[1] and answers[1].status, socket.gettime() - begun
end

-- Value of a line of /proc/PID/status, in KiB.
local function memory(name)
  local text = process.read("/proc/" .. server.child.pid .. "/status")
  return tonumber(text:match(name .. ":%s*(%d+)"))
end

-- Seconds of CPU that the server has used, from /proc/PID/stat: user and
-- system time are the 12th and 13th word after the name.
local function cpu()
  local text = process.read("/proc/" .. server.child.pid .. "/stat")
  local words = {}
  for word in text:match("^.*%) (.*)$"):gmatch "%S+" do
    words[#words + 1] = word
  end
  return (tonumber(words[12]) + tonumber(words[13])) / 100
end

describe("a server with a peer that", function()
  after_each(function()
    assert.equal(200, good())
    assert.is_nil(server.child:status())
    server.child:stop()
  end)

  it("sends its head slowly gets 408 in time", function()
    start(limits { header_time = 0.5 })
    local status, seconds = trickle("POST /flex/events HTTP/1.1\r\nHost: h\r\n"
      .. "X: ", 0.05)
    assert.equal(408, status)
    assert(seconds < 4.5, seconds .. " s")
  end)

  it("sends its body slowly gets 408 in time", function()
    start(limits { body_time = 1 })
    local status, seconds = trickle(server:post(nil,
      { ["Content-Length"] = "200000" }):sub(1, -300), 0.003)
    assert.equal(408, status)
    assert(seconds < 8, seconds .. " s")
  end)

  it("waits to continue and never does gets 408", function()
    start(limits { body_time = 0.6 })
    local result = wire.send(server.port, (server:post(nil,
      { Expect = "100-continue", ["Content-Length"] = "100" }, "")),
      { wait = 20 })
    assert.equal(100, status_of(result))
    assert.equal(408, result.answers[2].status)
    assert.is_true(result.closed)
  end)

  it("waits to continue is told to", function()
    start {}
    local text, body = server:post(nil, { Expect = "100-continue" })
    local peer = wire.connect(server.port)
    assert(peer:send(text:sub(1, -#body - 1)))
    local heard = wire.read(peer, 20, function(data)
      return #wire.parse(data) == 1
    end)
    assert.equal(100, wire.parse(heard)[1].status)
    assert(peer:send(body))
    heard = wire.read(peer, 20, function(data)
      return #wire.parse(data) == 1
    end)
    assert.equal(200, wire.parse(heard)[1].status)
    peer:close()
  end)

  it("falls silent between requests is let go", function()
    start(limits { idle_time = 0.5 })
    local result = wire.send(server.port, (server:post()), { wait = 20 })
    assert.equal(200, status_of(result))
    assert.is_true(result.closed)
  end)

  it("says nothing at all is let go", function()
    start(limits { header_time = 0.5 })
    assert.is_true(wire.send(server.port, "", { wait = 20 }).closed)
  end)

  it("opens connections without end leaves room for others", function()
    start(limits { connections = 50, idle_time = 60, header_time = 60 })
    local peers = {}
    for i = 1, 300 do
      peers[i] = wire.connect(server.port)
      if i % 50 == 0 then
        assert.equal(200, good())
      end
    end
    assert(server:metric "flexhooks_connections" <= 51)
    for _, peer in ipairs(peers) do
      peer:close()
    end
  end)

  it("takes every descriptor makes it wait, not spin, and it comes back",
    function()
      local given = limits { idle_time = 60, header_time = 60 }
      given.shell = 'ulimit -n 40; exec "$@"'
      start(given)
      local peers = {}
      for i = 1, 100 do
        peers[i] = wire.connect(server.port)
      end
      assert.equal(200, good()) -- the longest idle have made room
      socket.sleep(0.3)
      local before = cpu()
      socket.sleep(1)
      local used = cpu() - before
      assert(used < 0.2, used .. " s of CPU in one second")
      for _, peer in ipairs(peers) do
        peer:close()
      end
    end)

  it("announces much and sends little gets no memory for it", function()
    start(limits { body_time = 60, connections = 400 })
    assert.equal(200, good())
    local before, peers = memory "VmRSS", {}
    local bytes = server:post(nil, { ["Content-Length"] = "262000" }, "a")
    for i = 1, 300 do
      peers[i] = wire.connect(server.port)
      assert(peers[i]:send(bytes))
    end
    process.eventually(function()
      return server:metric "flexhooks_connections" >= 300
    end)
    local each = (memory "VmRSS" - before) / 300
    for _, peer in ipairs(peers) do
      peer:close()
    end
    assert(each < 64, each .. " KiB for each connection")
  end)

  it("vanishes in the middle costs one connection, for a while", function()
    start(limits { header_time = 0.5, body_time = 0.5 })
    local text = server:post()
    for _, cut in ipairs { 1, 20, 200, #text - 1 } do
      local peer = wire.connect(server.port)
      assert(peer:send(text:sub(1, cut)))
      peer:setoption("linger", { on = true, timeout = 0 }) -- a reset
      peer:close()
    end
    process.eventually(function()
      return server:metric "flexhooks_connections" == 0
    end)
    assert.equal(0, server:handled())
  end)
end)
