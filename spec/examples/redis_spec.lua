local demos = require "spec.support.demo"
local process = require "spec.support.process"

local SCRIPT = "examples/redis/run"

describe("examples/redis", function()
  it("loses nothing though a worker is killed", function()
    local demo = demos.spawn(SCRIPT, process.folder())
    local status = demo:wait(120)
    local out = demo:stdout()
    assert.equal(0, status, out .. demo:stderr())
    assert.matches("\n  lost +0 ", out)
    assert.matches("\n  out of order in their interaction +0 ", out)
    assert.is_true(tonumber(out:match "acknowledged by two servers +(%d+)")
      > 50, out)
  end)

  -- Runs the demo, kills all processes of a subcommand in its middle, and
  -- returns its messages once it has failed.
  local function run_without(subcommand)
    local folder = process.folder()
    local demo = demos.spawn(SCRIPT, folder, { DEMO_PATIENCE = "2" })
    demo:wait_output "worker 2 is killed"
    demos.kill(folder, subcommand)
    assert.equal(1, demo:wait(120))
    demos.assert_gone(folder)
    return demo:stderr()
  end

  it("ends if its servers die", function()
    local err = run_without "serve"
    assert.matches("demo%-redis: no server stored an event within 2 s: ", err)
    assert.matches("the servers did not store every event\n", err, 1, true)
  end)

  it("ends if its workers die", function()
    local err = run_without "work"
    assert.matches("demo%-redis: %d+ events are not handled after 2 s\n", err)
    assert.matches("the workers did not empty the queue\n", err, 1, true)
  end)
end)
