local api = require "spec.support.canned"
local json = require "flexhooks.json"
local participants = require "flexhooks.client.resources.participants"
local sids = require "spec.data.sids"
local simulated = require "spec.support.simulated_client"

local PATH = "/v1/Interactions/" .. sids.interaction .. "/Channels/"
  .. sids.channel .. "/Participants"

describe("channel.participants", function()
  local client, transport, list

  local function connect(answers)
    client, transport = api.client(answers)
    list = client.interactions:ref(sids.interaction).channels:ref(sids.channel)
      .participants
  end

  after_each(function()
    client:close()
  end)

  local function sent()
    return api.sent(transport)
  end

  it("creates, updates and lists", function()
    local one = { body = { sid = sids.participant, type = "customer",
      routing_properties = { task_sid = sids.task } } }
    connect { one, one, one, { body = { participants = { one.body },
      meta = { key = "participants" } } } }
    local media = { type = "email", address = "a@b.example" }
    local participant = assert(list:create { type = "customer",
      media_properties = media,
        routing_properties = { task_sid = sids.task } })
    local method, path, form = sent()
    assert.same({ "POST", PATH, "customer" }, { method, path, form.Type })
    assert.same(media, json.decode(form.MediaProperties))
    assert.same({ task_sid = sids.task }, json.decode(form.RoutingProperties))
    assert.same({ task_sid = sids.task }, participant.routing_properties)
    list:update(sids.participant, { status = "closed" })
    assert.same({ "POST", PATH .. "/" .. sids.participant,
      { Status = "closed" } },
      { sent() })
    participant:update { status = "wrapup" }
    assert.same({ "POST", PATH .. "/" .. sids.participant,
      { Status = "wrapup" } },
      { sent() })
    assert.equal("customer", list:list()[1].type)
    assert.same({ "GET", PATH, {} }, { sent() })
  end)

  it("refuses mistakes, and has no more than the API", function()
    connect {}
    assert.matches("'type' is missing", api.raised(list.create, list,
      { media_properties = {} }).message, 1, true)
    assert.matches("'media_properties' is missing", api.raised(list.create,
      list,
      { type = "agent" }).message, 1, true)
    assert.matches("'status' is missing", api.raised(list.update, list,
      sids.participant, { type = "agent" }).message, 1, true)
    assert.matches("must be a SID: UT", api.raised(list.update, list,
      sids.task, { status = "closed" }).message, 1, true)
    assert.is_nil(list.get)
    assert.is_nil(list:ref(sids.participant).refresh)
  end)

  it("joins at the simulated API", function()
    client = simulated.new()
    local interaction = assert(client.interactions:create {
      channel = { type = "sms" } })
    local channel = interaction.channels:list()[1]
    local made = assert(channel.participants:create { type = "supervisor",
      media_properties = { identity = "x" } })
    assert.equal(channel.sid, made.channel_sid)
    local found = false
    for participant in channel.participants:each { page_size = 1 } do
      found = found or participant.sid == made.sid
    end
    assert.is_true(found)
  end)

  it("is below a channel", function()
    connect {}
    assert.equal("/x/Participants", participants.collection({}, "/x").base)
  end)
end)
