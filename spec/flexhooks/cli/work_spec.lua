local command = require "spec.support.command"
local flexhooks = require "flexhooks"
local process = require "spec.support.process"
local work = require "flexhooks.cli.work"

local APP = [[
local flexhooks = require "flexhooks"
local router = flexhooks.router()
router:on("*", function(event)
  io.stdout:write("handled ", event.Number, "\n")
  io.stdout:flush()
end)
return router
]]

describe("cli.work", function()
  it("handles what a queue holds until it is told to stop", function()
    assert.is_function(work.configure)
    assert.is_function(work.run)
    local folder = process.folder()
    local url = "sqlite:" .. folder .. "/q.db"
    local queue = flexhooks.queue(url)
    for n = 1, 3 do
      assert.is_true(queue:store { { id = "e" .. n, received_at = 1,
        event = { EventType = "onX", InteractionSid = "KD1", Number = n } } })
    end
    queue:close()
    local app = process.write(folder .. "/app.lua", APP)
    for _, signal in ipairs { "TERM", "INT" } do
      local child = command.spawn({ "work", app }, { FLEXHOOKS_QUEUE = url })
      child:wait_output "worker started"
      if signal == "TERM" then
        child:wait_output "handled 1\nhandled 2\nhandled 3\n"
      end
      assert.equal(0, child:stop(signal))
    end
    queue = flexhooks.queue(url)
    assert.equal(0, queue:stats().ready)
    queue:close()
  end)

  it("says what is missing", function()
    local app = process.write(process.folder() .. "/app.lua", APP)
    local status, _, err = command.run({ "work", app },
      { FLEXHOOKS_QUEUE = false })
    assert.equal(2, status)
    assert.matches("FLEXHOOKS_QUEUE", err)
    status, _, err = command.run({ "work", app, "--queue",
      "redis://127.0.0.1:" .. process.port() .. "/0" })
    assert.equal(1, status)
    assert.matches("refused", err)
  end)
end)
