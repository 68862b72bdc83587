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

  it("tells all that is wrong with one entry, and shows no password",
    function()
      local _, complaints = desired.read({ { webhook_url = "ftp://a",
        friendly_name = "flexhooks flex:s3cret@h.example/x",
        webhook_events = { "*" } }, { webhook_url = URL }, 5, owner = "b" },
        "a")
      assert.equal(6, #complaints)
      for i, wanted in ipairs { 'the file\'s owner is "b", but "a" was given',
        "^entry 1 .*webhook_url", '^entry 1 .*begin with "a/"',
        "^entry 2: .*webhook_events", "^entry 2: .*begin",
        "^entry 3: must" } do
        assert.matches(wanted, complaints[i])
        assert.not_matches("s3cret", complaints[i])
      end
    end)

  it("loses no entry behind a hole, and no key that is none", function()
    local hook = { webhook_url = URL, webhook_events = { "*" } }
    local list, complaints = desired.read { hook, nil, { } }
    assert.is_nil(list)
    assert.same({ "entry 2 is nil, and others follow: where entries may be "
      .. "missing, add them one by one" }, complaints)
    list, complaints = desired.read { nil, hook, name = hook, [0] = hook }
    assert.is_nil(list)
    assert.equal(3, #complaints)
    assert.matches("key '0'", complaints[1])
    assert.matches("key 'name'", complaints[2])
    assert.matches("^entry 1 is nil", complaints[3])
  end)

  it("says what an entry is that is none", function()
    for got, entry in pairs { boolean = false, string = "x", number = 5 } do
      local _, complaints = desired.read { entry }
      assert.same({ "entry 1: must be a table, got " .. got }, complaints)
    end
  end)
end)
