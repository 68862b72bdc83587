local process = require "spec.support.process"

-- Every public name, and what it is.
local FACE = {
  client = "function", http = "function", delivery_url = "function",
  events = "table", router = "function", receiver = "function",
  serve = "function", signature = "table", run = "function",
  loop = "function", spawn = "function", sleep = "function",
  map = "function", now = "function", clock = "function",
  queue = "function", worker = "function",
}

describe("flexhooks", function()
  it("holds every public name", function()
    local flexhooks = require "flexhooks"
    for name, kind in pairs(FACE) do
      assert.equal(kind, type(flexhooks[name]), name)
      assert.equal(flexhooks[name], flexhooks[name])
    end
    assert.is_nil(flexhooks.surprise)
    assert.matches("^%d+%.%d+%.%d+$", flexhooks._VERSION)
  end)

  it("tells the time", function()
    local flexhooks = require "flexhooks"
    assert.is_true(math.abs(flexhooks.now() - os.time()) < 60)
    local before = flexhooks.clock()
    assert.is_true(flexhooks.sleep(0.01))
    assert.is_true(flexhooks.clock() >= before + 0.01)
  end)

  it("loads its parts when they are asked for, not before", function()
    local status, out, err = process.run { process.lua, "-e", [[
      local flexhooks = require "flexhooks"
      local function loaded()
        local names = {}
        for name in pairs(package.loaded) do
          names[#names + 1] = name:match "^flexhooks.*"
        end
        table.sort(names)
        return table.concat(names, " ")
      end
      print(loaded())
      local _ = flexhooks.events
      print(loaded())]] }
    assert.equal(0, status, err)
    local first, second = out:match "^(.-)\n(.-)\n$"
    assert.equal("flexhooks", first)
    assert.matches("flexhooks.events", second, 1, true)
    assert.not_matches("flexhooks.router", second, 1, true)
  end)

  it("defines no globals", function()
    local script = process.write(process.folder() .. "/a.lua", [=[
      setmetatable(_G, { __newindex = function(_, name)
        error("global " .. tostring(name), 2)
      end })
      local flexhooks = require "flexhooks"
      for i = 1, #arg do
        assert(flexhooks[arg[i]], arg[i])
      end
      require "flexhooks.testing"
      print "clean"]=])
    local command = { process.lua, script }
    for name in pairs(FACE) do
      command[#command + 1] = name
    end
    local status, out, err = process.run(command)
    assert.equal(0, status, err)
    assert.equal("clean\n", out)
  end)
end)
