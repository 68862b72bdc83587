local process = require "spec.support.process"

describe("examples/redis", function()
  it("loses nothing though a worker is killed", function()
    local status, out, err = process.run({ "examples/redis/run" },
      { env = { LUA = process.lua }, timeout = 120 })
    assert.equal(0, status, out .. err)
    assert.matches("\n  lost +0 ", out)
    assert.matches("\n  out of order in their interaction +0 ", out)
    assert.is_true(tonumber(out:match "acknowledged by two servers +(%d+)")
      > 50, out)
  end)
end)
