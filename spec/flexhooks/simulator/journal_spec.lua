local journal = require "flexhooks.simulator.journal"

local EVENT = { EventType = "onChannelCreated", InteractionSid = "KD1",
  MediaChannelType = "sms" }

local function now()
  return 5
end

describe("simulator.journal", function()
  it("keeps events and deliveries in order, by account", function()
    local some = journal.new(now)
    some:raised({ sid = "AC1" }, 1, EVENT, 2)
    some:raised({ sid = "AC2" }, 1, EVENT, 0)
    some:delivered { account_sid = "AC1", event_type = "a", status = 200 }
    some:delivered { account_sid = "AC1", event_type = "b", error = "connect" }
    local events, deliveries = some:read "AC1"
    assert.same({ { account_sid = "AC1", number = 1, recipients = 2,
      event = EVENT, at = 5 } }, events)
    assert.equal("a", deliveries[1].event_type)
    assert.equal("b", deliveries[2].event_type)
    assert.equal(2, #(some:read()))
    assert.same({}, (some:read "AC3"))
  end)

  it("keeps the newest", function()
    local some = journal.new(now, nil, 3)
    for i = 1, 10 do
      some:delivered { account_sid = "AC1", event_type = "e" .. i }
    end
    local _, deliveries = some:read()
    assert.equal(3, #deliveries)
    assert.equal("e8", deliveries[1].event_type)
    assert.equal("e10", deliveries[3].event_type)
  end)

  it("does not depend on its logger", function()
    local some = journal.new(now, error)
    some:raised({ sid = "AC1" }, 1, EVENT, 2)
    some:delivered { account_sid = "AC1", event_type = "a", status = 200 }
    local events, deliveries = some:read "AC1"
    assert.same({ 1, 1 }, { #events, #deliveries })
  end)

  it("logs what happens, warning of what went wrong", function()
    local lines = {}
    local some = journal.new(now, function(level, message)
      lines[#lines + 1] = level .. " " .. message
    end)
    some:raised({ sid = "AC1" }, 1, EVENT, 2)
    some:delivered { event_type = "a", status = 200 }
    some:delivered { event_type = "a", status = 500 }
    some:delivered { event_type = "a", error = "connect" }
    assert.same({ "info onChannelCreated", "debug delivered a",
      "warn delivered a", "warn delivered a" }, lines)
  end)
end)
