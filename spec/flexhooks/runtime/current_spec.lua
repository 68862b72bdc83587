local process = require "spec.support.process"

describe("host", function()
  it("is the loop outside of nginx, with everything it promises", function()
    local runtime = require "flexhooks.runtime.current"
    local loop = require "flexhooks.runtime.loop"
    for _, name in ipairs { "now", "clock", "sleep", "spawn", "map", "event",
      "enter", "leave", "remaining" } do
      assert.equal("function", type(runtime[name]))
      assert.equal(loop[name], runtime[name])
    end
    local transport = runtime.transport {}
    assert.equal("function", type(transport.send))
    assert.is_true(transport.takes_secrets)
    assert.is_nil(runtime.nothing_of_that_name)
  end)

  it("chooses only when asked, and by nginx's own table", function()
    local status, out, err = process.run { process.lua, "-e", [[
      local host = require "flexhooks.runtime.current"
      print(package.loaded["flexhooks.runtime.loop"])
      ngx = { config = { subsystem = "http" } }
      package.loaded["flexhooks.runtime.nginx.runtime"] = { sleep = "nginx's" }
      print(host.sleep)
      print(package.loaded["flexhooks.runtime.loop"])]] }
    assert.equal("", err)
    assert.equal(0, status)
    assert.equal("nil\nnginx's\nnil\n", out)
  end)
end)
