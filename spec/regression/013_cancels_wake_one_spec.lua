-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
-- Tasks that waited for the same event shared a semaphore, and the unit that a
-- cancel posted woke whoever came first: that one was told of a timeout.
local app = require "spec.support.nginx_app"

local SERVER = [[
  location = / { content_by_lua_block {
    local host = require "flexhooks.runtime.current"
    local event = host.event()
    local function wait()
      local value, err = event:wait(5)
      return value or err.kind
    end
    local tasks = { host.spawn(wait), host.spawn(wait), host.spawn(wait) }
    tasks[2]:cancel()
    host.sleep(0.01)
    event:set "set"
    local text = tasks[1]:wait() .. tasks[2]:wait() .. tasks[3]:wait()
    ngx.header.content_length = #text
    ngx.print(text)
  } }
]]

describe("a cancel", function()
  it("wakes its own task, and nobody else who waits for the same", function()
    local server = app.start { server = SERVER }
    assert.equal("setcancelledset", app.get(server, "/").body)
  end)
end)
