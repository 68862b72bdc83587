-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
local app = require "spec.support.nginx_app"

describe("nginx.host", function()
  local server

  setup(function()
    server = app.start()
  end)

  it("runs tasks as the other hosts do", function()
    assert.equal(200, app.post(server, { Do = "tasks" }).status)
    assert.equal("246cancelledhandler", app.value(server, "tasks"))
  end)

  it("cuts a handler's waits to its deadline", function()
    assert.equal(500, app.post(server, { Do = "oversleep" }).status)
    assert.equal("niltimeout", app.value(server, "slept"))
  end)
end)
