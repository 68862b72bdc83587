local payload = require "flexhooks.simulator.payload"

local INTERACTION = { sid = "KD1", account_sid = "AC1", instance_sid = "GO1" }
local CHANNEL = { sid = "UO1", type = "sms", media_sid = "CH1",
  status = "active", error_code = 19025, error_message = "no" }
INTERACTION.channels = { CHANNEL }
local AGENT = { sid = "UT1", type = "agent", task_sid = "WT1" }

describe("simulator.payload", function()
  it("tells of an interaction without its channel", function()
    assert.same({ EventType = "onInteractionCreated", AccountSid = "AC1",
      InstanceSid = "GO1", InteractionSid = "KD1", MediaChannelSid = "CH1",
      MediaChannelType = "sms" },
      payload.event("onInteractionCreated", INTERACTION))
  end)

  it("tells of a participant without the instance", function()
    assert.same({ EventType = "onParticipantLeft", AccountSid = "AC1",
      InteractionSid = "KD1", ChannelSid = "UO1", MediaChannelSid = "CH1",
      MediaChannelType = "sms", ParticipantSid = "UT1",
      ParticipantType = "agent", TaskSid = "WT1" },
      payload.event("onParticipantLeft", INTERACTION, CHANNEL, AGENT))
  end)

  it("tells the status and the error where they belong", function()
    assert.equal("active", payload.event("onChannelStatusUpdated",
      INTERACTION, CHANNEL).ChannelStatus)
    local failed = payload.event("onChannelCreateFailed", INTERACTION, CHANNEL)
    assert.equal("19025", failed.ErrorCode)
    assert.equal("no", failed.ErrorMessage)
    assert.is_nil(failed.ChannelStatus)
  end)

  it("renames for older integrations, in a copy", function()
    local event = payload.event("onChannelStatusUpdated", INTERACTION, CHANNEL)
    local older = payload.older(event)
    assert.equal("onChannelUpdated", older.EventType)
    assert.equal("GO1", older.FlexInstanceSid)
    assert.is_nil(older.InstanceSid)
    assert.equal("onChannelStatusUpdated", event.EventType)
    assert.equal("onParticipantLeft", payload.older(payload.event(
      "onParticipantLeft", INTERACTION, CHANNEL, AGENT)).EventType)
  end)
end)
