local api = require "spec.support.canned"
local invites = require "flexhooks.client.resources.invites"
local json = require "flexhooks.json"
local sids = require "spec.data.sids"
local simulated = require "spec.support.simulated_client"

local PATH = "/v1/Interactions/" .. sids.interaction .. "/Channels/"
  .. sids.channel .. "/Invites"
local ROUTING = { properties = { workspace_sid = "WS1", queue_sid = "WQ1" } }

describe("channel.invites", function()
  it("creates and lists", function()
    local one = { sid = sids.make "KG", channel_sid = sids.channel,
      routing = ROUTING }
    local client, transport = api.client { { body = one },
      { body = { invites = { one, one }, meta = { key = "invites" } } } }
    local list = client.interactions:ref(sids.interaction).channels
      :ref(sids.channel).invites
    local invite = assert(list:create { routing = ROUTING })
    assert.same(ROUTING, invite.routing)
    assert.same(ROUTING,
      json.decode(api.form(transport.requests[1].body).Routing))
    assert.equal("https://flex-api.twilio.com" .. PATH,
      transport.requests[1].url)
    assert.equal(2, #list:list())
    assert.equal("GET", transport.requests[2].method)
    assert.equal("https://flex-api.twilio.com" .. PATH,
      transport.requests[2].url)
    client:close()
  end)

  it("refuses mistakes, and has no more than the API", function()
    local client = api.client()
    local list = client.interactions:ref(sids.interaction).channels
      :ref(sids.channel).invites
    assert.matches("'routing' is missing", api.raised(list.create, list, {})
      .message, 1, true)
    for _, name in ipairs { "get", "update", "delete", "ref" } do
      assert.is_nil(list[name])
    end
    client:close()
  end)

  it("invites at the simulated API", function()
    local client = simulated.new()
    local interaction = assert(client.interactions:create {
      channel = { type = "sms" } })
    local channel = interaction.channels:list()[1]
    local invite = assert(channel.invites:create { routing = ROUTING })
    assert.equal(channel.sid, invite.channel_sid)
    assert.equal(interaction.sid, invite.interaction_sid)
    client:close()
  end)

  it("is below a channel", function()
    assert.equal("/x/Invites", invites.collection({}, "/x").base)
  end)
end)
