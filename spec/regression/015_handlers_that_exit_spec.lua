-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
--
-- nginx gives the coroutine of a request that ended to the next one. A handler
-- that called ngx.exit left its deadline there: once it had passed, each wait
-- of later handlers was cut at once, for as long as the worker lived.
local app = require "spec.support.nginx_app"
local system = require "system"

local EXITING = app.app:gsub("return {", [[
router:on("*", { Do = "exit" }, function()
  ngx.exit(204)
end)
%0]], 1):gsub("handler_timeout = 5", "handler_timeout = 2")

describe("a handler that exits", function()
  it("leaves no deadline to later requests", function()
    local server = app.start { files = { ["app.lua"] = EXITING } }
    for _ = 1, 3 do
      assert.equal(204, app.post(server, { Do = "exit" }).status)
    end
    system.sleep(2.2)
    for _ = 1, 3 do
      assert.equal(200, app.post(server, { Do = "nap" }).status)
    end
  end)
end)
