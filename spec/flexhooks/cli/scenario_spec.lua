local events = require "flexhooks.events"
local scenario = require "flexhooks.cli.scenario"

describe("cli.scenario", function()
  it("plays every life of the simulator, in time and in order", function()
    local names = scenario.names()
    assert.equal(5, #names)
    for _, name in ipairs(names) do
      local items = scenario.play(name, {})
      local last = 0
      assert.equal("onInteractionCreated", items[1].event.EventType)
      for _, item in ipairs(items) do
        assert.is_true(item.at >= last)
        last = item.at
        assert.is_not_nil(events.canonical(item.event.EventType))
        assert.equal(items[1].event.InteractionSid, item.event.InteractionSid)
      end
    end
  end)

  it("takes the account's SIDs, and makes the others anew", function()
    local account = { sid = "AC" .. ("1"):rep(32),
      instance_sid = "GO" .. ("2"):rep(32) }
    local a = scenario.play("failed", account)[1].event
    local b = scenario.play("failed", account)[1].event
    assert.equal(account.sid, a.AccountSid)
    assert.equal(account.instance_sid, a.InstanceSid)
    assert.not_equal(a.InteractionSid, b.InteractionSid)
    assert.matches("^AC%x+$",
      (scenario.play("failed", {})[1].event.AccountSid))
  end)
end)
