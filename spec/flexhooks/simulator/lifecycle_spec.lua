local ids = require "flexhooks.simulator.ids"
local lifecycle = require "flexhooks.simulator.lifecycle"
local random = require "flexhooks.simulator.random"
local states = require "flexhooks.simulator.state"

local ACCOUNT = { sid = "AC" .. ("a"):rep(32), instance_sid = "GO1" }

-- Plays a whole life; `meddle(told, place, channel)` runs before each step.
local function play(name, meddle)
  local told = {}
  local place = states.new(ids.new(random.new(1), os.time), function(_, event)
    told[#told + 1] = event.EventType:sub(3)
      .. (event.ParticipantType and " " .. event.ParticipantType or "")
      .. (event.ChannelStatus and " " .. event.ChannelStatus or "")
  end)
  local interaction = place:add_interaction(ACCOUNT,
    { channel = { type = "sms" } })
  local life, seconds = lifecycle.new(name, place, interaction), 0
  for wait in function() return life:wait() end do
    if meddle then
      meddle(told, place, interaction.channels[1])
    end
    seconds = seconds + wait
    life:step()
  end
  life:step()
  return told, interaction.channels[1], seconds
end

local BEGIN = { "InteractionCreated", "ChannelCreated",
  "ChannelStatusUpdated active", "ParticipantJoined customer" }

local function begun(...)
  local list = { (table.unpack or unpack)(BEGIN) }
  for _, name in ipairs { ... } do
    list[#list + 1] = name
  end
  return list
end

describe("simulator.lifecycle", function()
  it("plays a conversation", function()
    local told, channel, seconds = play "conversation"
    assert.same(begun("ParticipantJoined agent", "ParticipantUpdated agent",
      "ParticipantLeft agent", "ChannelStatusUpdated closed"), told)
    assert.equal("closed", channel.status)
    assert.is_true(seconds > 3 and seconds < 10)
  end)

  it("leaves an open one open", function()
    local told, channel = play "open"
    assert.same(begun("ParticipantJoined agent", "ParticipantUpdated agent",
      "ParticipantLeft agent"), told)
    assert.equal("active", channel.status)
  end)

  it("parks and takes up again", function()
    assert.same(begun("ParticipantJoined agent",
      "ChannelStatusUpdated inactive", "ChannelStatusUpdated active",
      "ParticipantLeft agent", "ChannelStatusUpdated closed"),
      (play "parked"))
  end)

  it("abandons", function()
    assert.same(begun("ParticipantLeft customer",
      "ChannelStatusUpdated closed"), (play "abandoned"))
  end)

  it("fails", function()
    local told, channel = play "failed"
    assert.same({ "InteractionCreated", "ChannelCreateFailed" }, told)
    assert.equal("failed", channel.status)
    assert.equal(19025, channel.error_code)
  end)

  it("ends when the channel was closed meanwhile", function()
    local told = play("conversation", function(told, place, channel)
      if #told == 4 then
        place:set_status(channel, "closed")
      end
    end)
    assert.same(begun "ChannelStatusUpdated closed", told)
  end)

  it("goes on when its agent has left meanwhile", function()
    local told = play("conversation", function(told, place, channel)
      if told[#told] == "ParticipantJoined agent" then
        place:leave(channel.participants[2])
      end
    end)
    assert.same(begun("ParticipantJoined agent", "ParticipantLeft agent",
      "ChannelStatusUpdated closed"), told)
  end)

  it("names its scenarios", function()
    assert.same({ "abandoned", "conversation", "failed", "open", "parked" },
      lifecycle.names())
  end)
end)
