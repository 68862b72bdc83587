local desired = require "flexhooks.provision.desired"
local events = require "flexhooks.events"

local URL = "https://company.example/e"

describe("provision.desired", function()
  it("spells a set of events in one way", function()
    assert.same({ "onChannelCreated", "onChannelStatusUpdated" },
      desired.event_set { "onChannelUpdated", "onChannelCreated",
        "onChannelStatusUpdated" })
    assert.same(events.names(), desired.event_set { "*" })
    assert.same({ "onNew" }, desired.event_set { "onNew", "onNew" })
    assert.same({}, desired.event_set())
  end)

  it("fills in what the API would", function()
    assert.same({ { type = "global", webhook_url = URL,
      webhook_events = { "onChannelCreated" } } }, desired.read {
      { webhook_url = URL, webhook_events = { "onChannelCreated" },
        ttid = "flex_interactionwebhook_1", url = "read-only" } })
    assert.same({}, desired.read {})
  end)

  it("tells everything that is wrong, in order", function()
    local list, complaints = desired.read {
      { webhook_url = URL, webhook_events = {} },
      { webhook_url = URL, webhook_events = { "*" }, friendly_name = "a" },
      { webhook_url = URL, webhook_events = { "*" }, type = "interaction",
        friendly_name = "a" },
    }
    assert.is_nil(list)
    assert.equal(2, #complaints)
    assert.matches("^entry 1: .*at least one event", complaints[1])
    assert.matches('^entry 3 %("a"%): its friendly_name', complaints[2])
  end)
end)
