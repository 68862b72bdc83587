local core = require "flexhooks.core.listener"
local process = require "spec.support.process"
local socket = require "socket"
local wire = require "spec.support.wire"

-- Functions of libmicrohttpd 0.9.75, as far as there is a use for them.
local IN_0_9_75 = {}
for name in ([[ add_connection add_response_header create_response_from_buffer
  destroy_response get_connection_info get_connection_values
  get_connection_values_n get_daemon_info get_timeout get_version
  is_feature_supported lookup_connection_value lookup_connection_value_n
  queue_response quiesce_daemon resume_connection run set_connection_option
  set_panic_func set_response_options start_daemon start_daemon_va stop_daemon
  suspend_connection ]]):gmatch "%S+" do
  IN_0_9_75[name] = true
end

local listeners

local function listen(options)
  options = options or {}
  options.port = options.port or 0
  local listener = assert(core.new(options))
  listeners[#listeners + 1] = listener
  return listener
end

-- One wait and one run.
local function turn(listener)
  local fd = { getfd = function()
    return listener:fd()
  end }
  socket.select({ fd }, nil, math.min(listener:timeout() or 0.05, 0.05))
  listener:run()
end

local function await(listener)
  for _ = 1, 100 do
    local request = listener:next()
    if request then
      return request
    end
    turn(listener)
  end
  error "no request came"
end

-- What the peer has heard once it has `n` answers.
local function hear(listener, peer, n)
  local bytes = ""
  for _ = 1, 100 do
    bytes = bytes .. wire.read(peer, 0.01)
    local answers = wire.parse(bytes)
    if #answers >= (n or 1) then
      return answers
    end
    turn(listener)
  end
  error("no answer, but " .. bytes)
end

local function ask(listener, bytes)
  local peer = wire.connect(listener:port())
  assert(peer:send(bytes))
  return peer, await(listener)
end

local GET = wire.request("GET", "/")

describe("core.listener", function()
  before_each(function()
    listeners = {}
  end)

  after_each(function()
    for _, listener in ipairs(listeners) do
      listener:close()
    end
  end)

  it("hands a request over in one call", function()
    local listener = listen { headers = { "x-a", "Content-Type", "x-b" } }
    local peer, request = ask(listener, wire.request("POST", "/a%20?b=%41&c",
      { ["X-B"] = "\t two ", ["content-type"] = "text/plain" }, "bo\0dy"))
    assert.same({ n = 6, "POST", "/a%20?b=%41&c", "bo\0dy", nil, "text/plain",
      "two" }, { n = select("#", request:read()), request:read() })
    assert.equal("127.0.0.1", request:peer())
    assert.is_true(request:reply(202, { ["X-Answer"] = "yes" }, "taken"))
    local answer = hear(listener, peer)[1]
    assert.same({ 202, "yes", "taken" },
      { answer.status, answer.headers["x-answer"], answer.body })
    peer:close()
  end)

  it("has a prepared answer", function()
    local listener = listen()
    local peer, request = ask(listener, GET)
    assert.is_true(request:reply())
    local answer = hear(listener, peer)[1]
    assert.same({ 200, "application/json", "{}" },
      { answer.status, answer.headers["content-type"], answer.body })
    peer:close()
  end)

  it("lets an answer come after the request's end be told", function()
    local listener = listen { answer_time = 0.1 }
    local peer, request = ask(listener, GET)
    assert.equal(503, hear(listener, peer)[1].status)
    assert.is_nil(request:read())
    assert.is_nil(request:peer())
    local ok, kind, message = request:reply()
    assert.is_nil(ok)
    assert.equal("closed", kind)
    assert.equal("the request is over", message)
    peer:close()
  end)

  it("answers 500 for a request that is dropped", function()
    local listener = listen()
    local peer = ask(listener, GET)
    collectgarbage()
    collectgarbage()
    assert.equal(500, hear(listener, peer)[1].status)
    peer:close()
  end)

  it("answers 500 for a request that is closed, once", function()
    local listener = listen()
    local peer, request = ask(listener, GET)
    request:close()
    request:close()
    assert.equal(500, hear(listener, peer)[1].status)
    peer:close()
  end)

  it("uses a closed request again, and an open one not", function()
    local listener = listen()
    local peer, first = ask(listener, GET)
    assert(first:reply(204))
    assert.equal(204, hear(listener, peer)[1].status)
    assert.is_nil(listener:next(first))
    assert(peer:send(wire.request("GET", "/second")))
    local second
    for _ = 1, 100 do
      turn(listener)
      second = listener:next(first)
      if second then
        break
      end
    end
    assert.equal(first, second)
    assert.equal("/second", select(2, second:read()))
    local other = wire.connect(listener:port())
    assert(other:send(GET))
    for _ = 1, 5 do
      turn(listener)
    end
    assert.is_false(pcall(listener.next, listener, second))
    assert.is_false(pcall(listener.next, listener, {}))
    assert(second:reply(200))
    assert(listener:next(second):reply(201))
    assert.equal(200, hear(listener, peer)[1].status)
    assert.equal(201, hear(listener, other)[1].status)
    peer:close()
    other:close()
  end)

  it("has nothing of one request in another that uses its handle", function()
    local listener = listen { headers = { "x-a", "x-b" } }
    local peer, request = wire.connect(listener:port()), nil
    local long, other = ("a"):rep(100), ("a"):rep(99) .. "b"
    for _, row in ipairs { { long, other, ("x"):rep(9000) }, { long, "", "y" },
      { other, other }, { "short", long }, { nil, ("c"):rep(2000), "z" },
      { other, long, ("x"):rep(500) } } do
      assert(peer:send(wire.request(row[3] and "POST" or "GET", "/",
        { ["x-a"] = row[1], ["x-b"] = row[2] }, row[3])))
      local used = request
      for _ = 1, 100 do
        turn(listener)
        request = listener:next(used)
        if request then
          break
        end
      end
      local _, _, body, a, b = request:read()
      assert.same({ row[3] or "", row[1], row[2] }, { body, a, b })
      assert.is_true(used == nil or request == used)
      assert(request:reply())
      assert.equal(200, hear(listener, peer)[1].status)
    end
    peer:close()
  end)

  it("counts what it refused", function()
    local listener = listen()
    local peer = wire.connect(listener:port())
    peer:send "GET / HTTP/1.1\r\n\r\n"
    assert.equal(400, hear(listener, peer)[1].status)
    assert.equal(1, listener:refused(400))
    assert.equal(0, listener:refused(413))
    assert.is_nil(listener:next())
    peer:close()
  end)

  it("says why it cannot listen", function()
    local listener = listen()
    local second, kind, message = core.new { port = listener:port() }
    assert.is_nil(second)
    assert.equal("listen", kind)
    assert.equal("cannot listen on 127.0.0.1 port " .. listener:port()
      .. ": Address already in use", message)
    second, kind = core.new { host = "no.such.host.invalid", port = 0 }
    assert.is_nil(second)
    assert.equal("listen", kind)
  end)

  it("takes no connection after quiesce", function()
    local listener = listen()
    local peer, request = ask(listener, GET)
    listener:quiesce()
    listener:quiesce()
    request:reply()
    assert.equal("close", hear(listener, peer)[1].headers.connection)
    peer:close()
    assert.is_nil(socket.connect("127.0.0.1", listener:port()))
    for _ = 1, 100 do
      turn(listener)
      if listener:active() == 0 then
        break
      end
    end
    assert.equal(0, listener:active())
    assert.is_nil(listener:timeout())
  end)

  it("survives the end of either side in any order", function()
    local listener = listen()
    local peer, request = ask(listener, GET)
    listener:close()
    listener:close()
    assert.is_nil(request:reply())
    request:close()
    peer:close()
    local ok, message = pcall(listener.run, listener)
    assert.is_false(ok)
    assert.matches("listener is closed", message)
  end)

  local MISUSED = {
    { "options 'host' must be a string", { host = 1 } },
    { "port' must be from 0 to 65535", { port = 65536 } },
    { "connections' must be from 1", { connections = 0 } },
    { "headers' must be a list of names", { headers = "x" } },
    { "headers' must be a list of names", { headers = { 1 } } },
    { "headers': more than 32", { headers = {} } },
    { "idle_time' must be a number", { idle_time = "1" } },
  }
  for i = 1, 33 do
    MISUSED[6][2].headers[i] = "x" .. i
  end
  MISUSED[1][1] = "host' must be a string"
  for i, row in ipairs(MISUSED) do
    it("raises for an option that cannot be, row " .. i, function()
      local ok, message = pcall(core.new, row[2])
      assert.is_false(ok)
      assert.matches(row[1], message)
    end)
  end

  it("raises for an answer that cannot be, and answers all the same",
    function()
      local listener = listen()
      local rows = {
        { 99 }, { 600 }, { "x" }, { 200, "x" }, { 200, { a = 1 } },
        { 200, { "a" } }, { 200, { a = "b\0c" } }, { 200, nil, {} },
      }
      for _, row in ipairs(rows) do
        local peer, request = ask(listener, GET)
        assert.is_false(pcall(request.reply, request, row[1], row[2], row[3]))
        assert.is_true(request:reply())
        assert.equal(200, hear(listener, peer)[1].status)
        peer:close()
      end
      local peer, request = ask(listener, GET)
      assert.is_false(pcall(request.reply, request, 200, { a = "b\r\nc: d" }))
      local answer = hear(listener, peer)[1]
      assert.equal(500, answer.status)
      assert.is_nil(answer.headers.c)
      peer:close()
    end)

  it("refuses a handle of another kind", function()
    local listener = listen()
    local peer, request = ask(listener, GET)
    for _, wrong in ipairs { "x", 1, io.stdout, listener } do
      assert.is_false(pcall(request.read, wrong))
    end
    assert.is_false(pcall(listener.run, request))
    assert.is_false(pcall(listener.run, listener, 0))
    request:reply()
    peer:close()
  end)

  -- The library's name is the same for both: what is built with one version
  -- loads the other.
  it("asks libmicrohttpd for nothing that 0.9.75 lacks", function()
    local file = package.searchpath("flexhooks.core.listener", package.cpath)
    local status, out, err = process.run { "nm", "-D", "--undefined-only",
      file }
    assert(status == 0, err)
    local count = 0
    for name in out:gmatch "%f[%w]MHD_([%w_]+)" do
      assert.is_true(IN_0_9_75[name], name)
      count = count + 1
    end
    assert.is_true(count > 10)
  end)

  it("lets no one else near its metatables", function()
    assert.is_false(getmetatable(listen()))
  end)
end)
