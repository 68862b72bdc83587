-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
local app = require "spec.support.nginx_app"
local d = require "spec.support.deliveries"
local nginx_calls = require "spec.support.nginx_calls"
local process = require "spec.support.process"
local rude = require "spec.support.rude"
local wire = require "spec.support.wire"

describe("an outgoing call in a thread", function()
  it("leaves other events alone, however many are waiting", function()
    local api = app.start()
    local server = app.start {
      main = "thread_pool default threads=32;",
      http = app.http:gsub("init_by_lua_block {.-}", [[
        lua_worker_thread_vm_pool_size 32;
        init_by_lua_block {
          require("flexhooks.nginx").configure { threads = 32 }
        }]]),
      files = { ["app.lua"] = app.app:gsub("timeout = %d+", "timeout = 60") },
    }
    local url = ("http://127.0.0.1:%d/held"):format(api.port)
    local waiting = {}
    for i = 1, 100 do
      waiting[i] = wire.connect(server.port)
      assert(waiting[i]:send(app.bytes_of(d.post { fields = d.fields {
        Do = "call", Url = url, N = tostring(i) } })))
    end
    -- All of these are answered while the calls above are on their way.
    for i = 1, 200 do
      assert.equal(200, app.post(server, { N = tostring(i) }).status)
    end
    app.get(api, "/let_go")
    for i = 1, 100 do
      local bytes = wire.read(waiting[i], 20, function(data)
        return #wire.parse(data) > 0
      end)
      assert.equal(200, wire.parse(bytes)[1].status)
      waiting[i]:close()
    end
    assert.equal("100", app.value(api, "held"))
  end)
end)

describe("a request in a thread", function()
  local server, calls

  setup(function()
    server = rude.start()
    calls = nginx_calls.start { configure = "transport = 'thread'",
      main = "thread_pool default threads=2;" }
  end)

  before_each(function()
    server:forget()
  end)

  it("has lists of values, and a cap of its own", function()
    local body = assert(calls:send { url = server.url .. "/echo",
      headers = { ["X-B"] = { "b", "c" }, ["X-N"] = 5 } }).body
    for _, line in ipairs { "X-B: b", "X-B: c", "X-N: 5" } do
      assert.matches("\r\n" .. line .. "\r\n", body, 1, true)
    end
    local _, err = calls:send { url = server.url .. "/ok", max_response = 1 }
    assert.equal("too_large", err.kind)
    assert.is_true(err.sent)
  end)

  it("does not go out on a connection that its peer has ended", function()
    local tls = require("spec.support.tls").start()
    local options = { ca_file = tls.ca }
    local url = ("https://127.0.0.1:%d/"):format(tls.port.brief)
    local first = assert(calls:send({ url = url }, options)).body
    process.eventually(function()
      return tls.half_closed(tls.port.brief) == 1
    end)
    for _ = 1, 4 do
      local answer = assert(calls:send({ method = "POST", url = url,
        body = "x" }, options))
      assert.equal(200, answer.status)
      assert.not_equal(first, answer.body)
    end
  end)

  it("goes to no private address where that is not allowed", function()
    local request = { url = server.url .. "/ok" }
    local _, err = calls:send(request, { private_addresses = false })
    assert.equal("config", err.kind)
    request.private_addresses = false
    _, err = calls:send(request)
    assert.equal("config", err.kind)
    assert.is_false(err.sent)
  end)

  it("that fails tells what it was and whether it was sent", function()
    local _, err = calls:send { method = "POST",
      url = "http://127.0.0.1:1/?secret" }
    assert.equal("connect", err.kind)
    assert.is_false(err.sent)
    assert.equal("POST", err.method)
    assert.equal("http://127.0.0.1:1/", err.url)
  end)

  it("is not sent where it had no turn in time", function()
    local peers = {}
    for i = 1, 8 do
      peers[i] = calls:begin { url = server.url .. "/slow?seconds=0.5" }
    end
    local _, err = calls:send { url = server.url .. "/ok", timeout = 0.1 }
    assert.equal("timeout", err.kind)
    assert.is_false(err.sent)
    for i = 1, 8 do
      assert.equal(200, assert(nginx_calls.finish(peers[i])).status)
    end
  end)
end)
