-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
local nginx_calls = require "spec.support.nginx_calls"

local SERVER = [[
  location = /permits { content_by_lua_block {
    local host = require "flexhooks.runtime.current"
    local permits = require("flexhooks.runtime.nginx.semaphore").new(2)
    local most, now = 0, 0
    local answers = host.map({ 1, 2, 3, 4, 5, 6 }, 6, function(n)
      local taken, left = permits:take(5)
      assert(taken and left <= 5)
      return permits:run(function(answered, m)
        now = now + 1
        most = math.max(most, now)
        ngx.sleep(0.01)
        now = now - 1
        answered:set(m)
      end, n)
    end)
    assert(permits:take() and permits:take())
    local taken, err = permits:take(0.05)
    ngx.print(most, " ", table.concat(answers), " ", tostring(taken), " ",
      err.kind)
  } }
  location = /raise { content_by_lua_block {
    local permits = require("flexhooks.runtime.nginx.semaphore").new(1)
    for i = 1, 2 do
      assert(permits:take(1))
      local answer, err = permits:run(error, "raised")
      ngx.print(tostring(answer), " ", err.kind, " ")
    end
  } }
  location = /timers { content_by_lua_block {
    local host = require "flexhooks.runtime.current"
    local permits = require("flexhooks.runtime.nginx.semaphore").new(4)
    local function nap(answered)
      ngx.sleep(0.3)
      answered:set "slept"
    end
    local first = host.spawn(function()
      assert(permits:take(1))
      return permits:run(nap)
    end)
    for i = 1, 5 do
      assert(permits:take(1))
      local answer, err = permits:run(nap)
      ngx.print(tostring(answer or err), "\n")
    end
    ngx.print(first:wait())
  } }
]]

describe("runtime.nginx.semaphore", function()
  it("lets as many through as there are, and the others wait", function()
    local calls = nginx_calls.start { server = SERVER }
    assert.equal("2 123456 false timeout", calls:ask "/permits")
  end)

  it("come back from what raises", function()
    local calls = nginx_calls.start { server = SERVER }
    assert.equal("nil reset nil reset ", calls:ask "/raise")
  end)

  it("come back from timers that nginx does not start, and it is said",
    function()
      local calls = nginx_calls.start { server = SERVER,
        http = "lua_max_running_timers 1;" }
      local text = calls:ask "/timers"
      assert.matches("^unsupported: [^\n]*lua_max_running_timers", text)
      assert.matches("slept$", text)
    end)
end)
