local progress = require "flexhooks.cli.progress"
local process = require "spec.support.process"
local terminal = require "spec.support.terminal"

-- It runs in a process of its own; `line:answered`, `line:close`.
local FACE = progress

local PROGRAM = [[
local flexhooks = require "flexhooks"
local line = require("flexhooks.cli.progress").line()
local tally = require("flexhooks.cli.load_stats").new(flexhooks.clock())
for _ = 1, 2 do
  tally:add(0.1, { status = 200 })
  line:answered(tally)
  flexhooks.sleep(0.25)
end
tally:add(0.1, { status = 500 })
line:answered(tally)
line:close()]]

describe("cli.progress", function()
  it("redraws one line at a terminal, and takes it away", function()
    assert.is_function(FACE.line)
    local session = terminal.spawn({}, {}, { words = { process.lua, "-e",
      PROGRAM } })
    session:wait()
    local screen = session.child:stdout()
    assert.matches("\r2 sent, %d+/s, 0 not 2xx\27%[K", screen)
    assert.matches("\r3 sent, %d+/s, 1 not 2xx\27%[K\r\27%[K$", screen)
  end)

  it("draws nothing elsewhere", function()
    local _, out, err = process.run { process.lua, "-e", PROGRAM }
    assert.equal("", out .. err)
  end)
end)
