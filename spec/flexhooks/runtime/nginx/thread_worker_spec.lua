-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
local app = require "spec.support.nginx_app"
local d = require "spec.support.deliveries"
local sids = require "spec.data.sids"
local socket = require "socket"
local wire = require "spec.support.wire"

-- What a handler's call of `url` came to, as the log tells.
local function call(server, url)
  local status = app.post(server, { Do = "call", Url = url }).status
  return status, server:log()
end

describe("runtime.nginx.thread_worker", function()
  it("keeps connections from call to call", function()
    local api = app.start { workers = 1 }
    local server = app.start()
    local url = ("http://127.0.0.1:%d/connection"):format(api.port)
    for _ = 1, 5 do
      assert.equal(200, call(server, url))
    end
    assert.equal("5", app.value(api, "on the same connection"))
  end)

  it("brings errors back as errors", function()
    local server = app.start()
    local status, log = call(server, "http://127.0.0.1:1/")
    assert.equal(500, status)
    assert.matches("connect", log, 1, true)
    assert.matches(sids.interaction, log, 1, true)
    assert.equal(200, app.post(server).status)
  end)

  it("gives up at the deadline, and the thread is free again", function()
    local server = app.start()
    local silent = assert(socket.bind("127.0.0.1", 0))
    local _, port = silent:getsockname()
    local waiting = {}
    for i = 1, 6 do
      waiting[i] = wire.connect(server.port)
      assert(waiting[i]:send(app.bytes_of(d.post { fields = d.fields {
        Do = "call", Url = ("http://127.0.0.1:%s/"):format(port),
        N = tostring(i) } })))
    end
    for i = 1, 6 do
      local bytes = wire.read(waiting[i], 20, function(data)
        return #wire.parse(data) > 0
      end)
      assert.equal(500, wire.parse(bytes)[1].status)
      waiting[i]:close()
    end
    silent:close()
    local url = ("http://127.0.0.1:%d/slow"):format(server.port)
    assert.equal(200, (call(server, url)))
  end)
end)
