local interrupt = require "flexhooks.cli.interrupt"
local process = require "spec.support.process"

-- A program that waits twice, and says how each wait ended.
local WAITS = [[
local flexhooks = require "flexhooks"
local interrupt = require "flexhooks.cli.interrupt"
io.stdout:setvbuf "no"
print(interrupt.run(function(interrupted)
  print "begun"
  print(interrupted())
  for _ = 1, 2 do
    local _, err = flexhooks.sleep(60)
    print(err.kind)
  end
  return interrupted(), nil, "c"
end))]]

local STUBBORN = [[
local flexhooks = require "flexhooks"
io.stdout:setvbuf "no"
require("flexhooks.cli.interrupt").run(function()
  flexhooks.spawn(flexhooks.sleep, 60)
  print "begun"
  print(select(2, flexhooks.sleep(60)).kind)
end)]]

local function spawn(program)
  local child = process.spawn { process.lua, "-e", program }
  child:wait_output "begun"
  return child
end

describe("cli.interrupt", function()
  it("gives results and raised values back", function()
    assert.same({ 1, nil, 3 }, { interrupt.run(function()
      return 1, nil, 3
    end) })
    local ok, raised = pcall(interrupt.run, function()
      error({ "mine" }, 0)
    end)
    assert.is_false(ok)
    assert.same({ "mine" }, raised)
  end)

  it("ends what waits at a signal", function()
    for _, signal in ipairs { "INT", "TERM" } do
      local child = spawn(WAITS)
      child:kill(signal)
      assert.equal(0, child:wait())
      assert.equal("begun\nfalse\ncancelled\ncancelled\ntrue\tnil\tc\n",
        child:stdout())
    end
  end)

  it("ends the process at the second", function()
    local child = spawn(STUBBORN)
    child:kill "INT"
    child:wait_output "cancelled"
    child:kill "INT"
    assert.equal(1, child:wait())
  end)
end)
