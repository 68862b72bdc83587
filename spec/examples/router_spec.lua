local testing = require "flexhooks.testing"

-- What the example logs for an event.
local function logged(name, fields)
  local router = dofile "examples/router.lua"
  local lines = {}
  assert(router:dispatch(testing.event(name, fields), testing.context {
    log = function(level, message)
      lines[#lines + 1] = level .. " " .. message
    end,
  }))
  return table.concat(lines, "\n")
end

describe("examples/router.lua", function()
  it("routes by event, channel, participant and status", function()
    assert.equal("info an agent took over", logged("onParticipantJoined",
      { ParticipantType = "agent", MediaChannelType = "whatsapp" }))
    assert.equal("", logged("onParticipantJoined",
      { ParticipantType = "customer", MediaChannelType = "whatsapp" }))
    assert.equal("", logged("onParticipantJoined",
      { ParticipantType = "agent", MediaChannelType = "voice" }))
    assert.equal("info a channel was closed", logged("onChannelStatusUpdated",
      { ChannelStatus = "closed" }))
    assert.equal("", logged("onChannelStatusUpdated",
      { ChannelStatus = "active" }))
    assert.equal("warn no channel", logged "onChannelCreateFailed")
  end)
end)
