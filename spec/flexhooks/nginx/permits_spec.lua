-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
local nginx_calls = require "spec.support.nginx_calls"

local SERVER = [[
  location = /permits { content_by_lua_block {
    local host = require "flexhooks.host"
    local permits = require("flexhooks.nginx.permits").new(2)
    local most, now = 0, 0
    host.map({ 1, 2, 3, 4, 5, 6 }, 6, function()
      local taken, left = permits:take(5)
      now = now + 1
      most = math.max(most, now)
      assert(taken and left <= 5)
      host.sleep(0.01)
      now = now - 1
      permits:give()
    end)
    assert(permits:take() and permits:take())
    local taken, err = permits:take(0.05)
    ngx.print(most, " ", tostring(taken), " ", err.kind)
  } }
]]

describe("nginx.permits", function()
  it("lets as many through as there are, and the others wait", function()
    local calls = nginx_calls.start { server = SERVER }
    assert.equal("2 false timeout", calls:ask "/permits")
  end)
end)
