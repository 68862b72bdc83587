-- The shared object as a whole.
local process = require "spec.support.process"

describe("flexhooks.core", function()
  it("opens again without losing count", function()
    local core = require "flexhooks.core"
    local key = core.key "t"
    local live = core.live()
    package.loaded["flexhooks.core"] = nil
    local again = require "flexhooks.core"
    assert.equal(live, again.live())
    key:close()
    assert.equal(live - 1, again.live())
  end)

  it("creates nothing when it is loaded", function()
    local status, out, err = process.run { process.lua, "-e", [[
      local function count()
        local n = 0
        for _ in require "lfs".dir "/proc/self/fd" do n = n + 1 end
        return n
      end
      local before = count()
      local core = require "flexhooks.core"
      print(core.live(), count() - before)]] }
    assert.equal(0, status, err)
    assert.equal("0\t0\n", out)
  end)

  it("lets nothing out but its opener", function()
    local path = package.searchpath("flexhooks.core", package.cpath)
    local _, out = process.run { "nm", "-D", "--defined-only", path }
    local names = {}
    for name in out:gmatch " [A-Z] ([%w_]+)\n" do
      names[#names + 1] = name
    end
    assert.same({ "luaopen_flexhooks_core" }, names)
  end)
end)
