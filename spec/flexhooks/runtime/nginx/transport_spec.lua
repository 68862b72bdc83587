-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
-- What needs lua-resty-http is in resty_http_spec.lua.
local app = require "spec.support.nginx_app"
local nginx_calls = require "spec.support.nginx_calls"

local function start(configure)
  return nginx_calls.start { library = false, configure = configure,
    main = "thread_pool other threads=2;" }
end

describe("an outgoing call", function()
  local function refused(calls)
    local _, err = calls:send { method = "POST", url = "http://127.0.0.1:1/" }
    assert.equal("config", err.kind)
    assert.is_false(err.sent)
    return err.message
  end

  it("names both ways out where there is neither", function()
    local message = refused(start())
    assert.matches("thread_pool default threads=8;", message, 1, true)
    assert.matches("opm get ledgetech/lua-resty-http", message, 1, true)
    assert.matches("nobody installed it", message, 1, true)
  end)

  it("names the pool alone where threads were asked for", function()
    local calls = start "transport = 'thread', thread_pool = 'calls'"
    local message = refused(calls)
    assert.matches("thread_pool calls threads=8;", message, 1, true)
    assert.not_matches("resty", message, 1, true)
  end)

  it("takes the pool that is there", function()
    local calls = start "thread_pool = 'other', threads = 2"
    local answer = assert(calls:send { url = ("http://127.0.0.1:%d/ok")
      :format(calls.server.port) })
    assert.equal("ok\n", answer.body)
  end)

  it("says in the log what to configure, with the event", function()
    local server = app.start { main = "thread_pool other threads=2;",
      http = app.http .. [[init_worker_by_lua_block {
        package.preload["resty.http"] = function()
          error "no such module"
        end }]] }
    assert.equal(500, app.post(server, { Do = "call",
      Url = "http://127.0.0.1:1/" }).status)
    assert.matches("outgoing calls need a thread pool", server:log(), 1, true)
  end)
end)
