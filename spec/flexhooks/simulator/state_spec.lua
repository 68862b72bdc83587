local events = require "flexhooks.events"
local ids = require "flexhooks.simulator.ids"
local random = require "flexhooks.simulator.random"
local states = require "flexhooks.simulator.state"

local ACCOUNT = { sid = "AC" .. ("a"):rep(32),
  instance_sid = "GO" .. ("b"):rep(32) }
local OTHER = { sid = "AC" .. ("c"):rep(32),
  instance_sid = "GO" .. ("d"):rep(32) }

local function new_world()
  local told = {}
  local identifiers = ids.new(random.new(1), function()
    return 1e9
  end)
  return states.new(identifiers, function(_, event)
    told[#told + 1] = event
  end), told
end

local function webhook(place, account, kind, names)
  return place:add_webhook(account, { type = kind, webhook_method = "POST",
    webhook_url = "https://h.example/e", webhook_events = names })
end

local function begin(place, fields)
  fields = fields or {}
  fields.channel = fields.channel or { type = "sms" }
  local interaction = place:add_interaction(ACCOUNT, fields)
  return interaction, interaction.channels[1]
end

describe("simulator.state", function()
  it("keeps accounts apart", function()
    local place = new_world()
    local mine = webhook(place, ACCOUNT, "global", { "onChannelCreated" })
    local interaction = begin(place)
    assert.equal(mine, (place:webhook(ACCOUNT, mine.ttid)))
    assert.is_nil(place:webhook(OTHER, mine.ttid))
    assert.equal(interaction, place:interaction(ACCOUNT, interaction.sid))
    assert.is_nil(place:interaction(OTHER, interaction.sid))
  end)

  it("addresses global webhooks and the interaction's own", function()
    local place = new_world()
    local all = webhook(place, ACCOUNT, "global", { "onChannelCreated" })
    local own = webhook(place, ACCOUNT, "interaction", { "onChannelCreated" })
    webhook(place, ACCOUNT, "interaction", { "onChannelCreated" })
    webhook(place, ACCOUNT, "global", { "onParticipantLeft" })
    webhook(place, OTHER, "global", { "onChannelCreated" })
    local interaction = begin(place, { webhook_ttid = own.ttid })
    assert.same({ all, own },
      place:recipients(interaction, "onChannelCreated"))
    assert.same({}, place:recipients(interaction, "onInteractionCreated"))
    interaction.webhook_ttid = nil
    assert.same({ all }, place:recipients(interaction, "onChannelCreated"))
    place:remove_webhook(all)
    assert.same({}, place:recipients(interaction, "onChannelCreated"))
  end)

  it("takes a subscription to the older name", function()
    local place = new_world()
    local older = webhook(place, ACCOUNT, "global", { "onChannelUpdated" })
    assert.same({ older },
      place:recipients(begin(place), "onChannelStatusUpdated"))
  end)

  it("reports what the catalogue documents, and nothing else", function()
    local place, told = new_world()
    local _, channel = begin(place)
    place:announce_interaction(channel)
    place:announce_channel(channel)
    place:set_status(channel, "active")
    place:join(channel, "customer")
    local agent = place:join(channel, "agent", { worker_sid = "WK1" })
    place:update_participant(agent)
    place:leave(agent)
    place:set_status(channel, "closed")
    local _, failing = begin(place, { channel = { type = "voice" } })
    place:fail_channel(failing, 19025, "Channel validation error")
    assert.equal(9, #told)
    for _, event in ipairs(told) do
      local copy, fields = {}, events.fields(event.EventType)
      for name, value in pairs(event) do
        assert.equal("string", type(value), name)
        assert.is_not_nil(fields[name], event.EventType .. " " .. name)
        copy[name] = value
      end
      for name, field in pairs(fields) do
        assert.is_true(event[name] ~= nil or not field.required, name)
      end
      assert(events.normalize(copy))
    end
  end)

  it("numbers an interaction's events", function()
    local place = new_world()
    local interaction, channel = begin(place)
    assert.equal(0, interaction.events)
    place:announce_interaction(channel)
    place:announce_channel(channel)
    assert.equal(2, interaction.events)
  end)

  it("reports a status once, and none after the end", function()
    local place, told = new_world()
    local _, channel = begin(place)
    for _, status in ipairs { "active", "active", "closed", "active" } do
      place:set_status(channel, status)
    end
    assert.equal(2, #told)
    assert.equal("closed", channel.status)
    assert.is_true(states.ended(channel))
  end)

  it("forgets the oldest interactions", function()
    local place = new_world()
    local first = begin(place)
    local second
    for _ = 1, 10000 do
      second = second or begin(place)
      begin(place)
    end
    assert.is_nil(place:interaction(ACCOUNT, first.sid))
    assert.is_nil(place:interaction(ACCOUNT, second.sid))
    local kept = 0
    for _ in pairs(place.interactions) do
      kept = kept + 1
    end
    assert.equal(10000, kept)
  end)
end)
