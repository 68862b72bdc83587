local application = require "flexhooks.cli.doctor.application"
local errors = require "flexhooks.error"
local findings = require "spec.support.findings"
local flexhooks = require "flexhooks"
local process = require "spec.support.process"

local function handlers(handled, brought)
  local report, router = findings.new(), flexhooks.router()
  for _, name in ipairs(handled) do
    router:on(name, print)
  end
  application.check_handlers(report, router, { { type = "global",
    webhook_events = brought } })
  return report:text()
end

local function queue(stats, err)
  local report = findings.new()
  application.check_queue(report, {
    exists = function()
      return true
    end,
    stats = function()
      return stats, err
    end,
    close = function() end,
  })
  return report:text()
end

describe("cli.doctor.application", function()
  it("compares handlers with what is brought, both ways", function()
    assert.equal("pass handlers: all that is subscribed to is handled",
      handlers({ "onChannelUpdated" }, { "onChannelStatusUpdated" }))
    assert.equal("warn handlers: no handler has onParticipantLeft\n"
      .. "warn handlers: no webhook brings onChannelCreated, which is handled",
      handlers({ "onChannelCreated" }, { "onParticipantLeft" }))
    assert.matches("^warn handlers: no webhook brings onChannelCreateFailed, ",
      handlers({ "*" }, { "onParticipantLeft" }))
    assert.equal("pass handlers: all that is subscribed to is handled",
      handlers({ "*" }, flexhooks.events.names()))
  end)

  it("says how a queue fares", function()
    assert.equal("pass queue: 1 ready, 2 running, 3 delayed, 0 dead",
      queue { ready = 1, running = 2, delayed = 3, dead = 0, oldest_age = 3 })
    assert.equal("warn queue: 0 ready, 0 running, 0 delayed, 4 dead",
      queue { dead = 4 })
    assert.matches("^warn queue: .*; the oldest waits for 301 s",
      queue { oldest_age = 301 })
    assert.equal("fail queue: gone",
      queue(nil, errors.new("queue", "gone")))
  end)

  it("asks a real queue", function()
    local report = findings.new()
    application.check_queue(report, flexhooks.queue "memory:")
    assert.equal("pass queue: 0 ready, 0 running, 0 delayed, 0 dead",
      report:text())
  end)

  it("makes no queue that is not there yet", function()
    local report, path = findings.new(), process.folder() .. "/q.db"
    application.check_queue(report, flexhooks.queue("sqlite:" .. path))
    assert.equal("pass queue: is not there yet: flexhooks serve makes it",
      report:text())
    assert.is_nil(io.open(path))
  end)
end)
