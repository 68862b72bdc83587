-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
local app = require "spec.support.nginx_app"
local nginx_calls = require "spec.support.nginx_calls"

describe("runtime.nginx.configuration", function()
  it("lets nginx.conf choose the names", function()
    local server = app.start {
      main = "thread_pool calls threads=2;",
      http = app.http:gsub("init_by_lua_block {.-}", [[
        lua_shared_dict other 1m;
        init_by_lua_block { require("flexhooks.nginx").configure {
          thread_pool = "calls", threads = 2, shared_dict = "other" } }]]),
    }
    local url = ("http://127.0.0.1:%d/slow"):format(server.port)
    for _ = 1, 2 do
      assert.equal(200, app.post(server, { Do = "call", Url = url },
        { idempotency_token = "1" }).status)
    end
    assert.equal("1", app.value(server, "handled"))
    assert.not_matches("no lua_shared_dict", server:log(), 1, true)
  end)

  it("is told what is wrong with it when nginx starts", function()
    local ok, err = pcall(app.start, { http = [[
      init_by_lua_block { require("flexhooks.nginx").configure { thread = 8 } }
    ]] })
    assert.is_false(ok)
    assert.matches("did you mean 'threads'", tostring(err), 1, true)
  end)

  it("does not let nginx start without a library that it asks for", function()
    for configure, said in pairs {
      ["transport = 'resty'"] = "opm get ledgetech/lua-resty-http",
      ["transport = 'curl'"] = "must be one of auto, thread, resty",
    } do
      local ok, err = pcall(nginx_calls.start,
        { library = false, configure = configure })
      assert.is_false(ok)
      assert.matches(said, tostring(err), 1, true)
    end
  end)
end)
