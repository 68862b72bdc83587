-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
local app = require "spec.support.nginx_app"
local d = require "spec.support.deliveries"
local wire = require "spec.support.wire"

describe("an outgoing call", function()
  it("leaves other events alone, however many are waiting", function()
    local api = app.start()
    local server = app.start {
      main = "thread_pool default threads=32;",
      http = app.http:gsub("init_by_lua_block {.-}", [[
        lua_worker_thread_vm_pool_size 32;
        init_by_lua_block {
          require("flexhooks.nginx").configure { threads = 32 }
        }]]),
    }
    local url = ("http://127.0.0.1:%d/slow"):format(api.port)
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
    local calls = tonumber(app.get(api, "/value?name=calls").body)
    assert.is_true((calls or 0) < 100)
    for i = 1, 100 do
      local bytes = wire.read(waiting[i], 20, function(data)
        return #wire.parse(data) > 0
      end)
      assert.equal(200, wire.parse(bytes)[1].status)
      waiting[i]:close()
    end
    assert.equal("100", app.get(api, "/value?name=calls").body)
  end)

  it("says what to configure where it cannot be made", function()
    local server = app.start { main = "thread_pool other threads=2;" }
    assert.equal(500, app.post(server, { Do = "call",
      Url = "http://127.0.0.1:1/" }).status)
    assert.matches("thread_pool default threads=8;", server:log(), 1, true)
  end)
end)
