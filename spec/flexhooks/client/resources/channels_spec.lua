local api = require "spec.support.canned"
local channels = require "flexhooks.client.resources.channels"
local json = require "flexhooks.json"
local sids = require "spec.data.sids"
local simulated = require "spec.support.simulated_client"

local PATH = "/v1/Interactions/" .. sids.interaction .. "/Channels"

describe("interaction.channels on the wire", function()
  local client, transport, list

  local function connect(answers)
    client, transport = api.client(answers)
    list = client.interactions:ref(sids.interaction).channels
  end

  after_each(function()
    client:close()
  end)

  local function sent()
    return api.sent(transport)
  end

  it("gets, lists and updates", function()
    local one = { body = { sid = sids.channel,
      interaction_sid = sids.interaction,
      type = "chat", status = "closed", error_code = 19025,
      links = { participants = "x" } } }
    connect { one, one, one, { body = { channels = { one.body },
      meta = { key = "channels" } } } }
    local channel = assert(list:get(sids.channel))
    assert.same({ "GET", PATH .. "/" .. sids.channel, {} }, { sent() })
    assert.equal(19025, channel.error_code)
    assert.is_nil(channel.error_message)
    list:update(sids.channel, { status = "inactive",
      routing = { status = "closed" } })
    local method, path, form = sent()
    assert.same({ "POST", PATH .. "/" .. sids.channel }, { method, path })
    assert.equal("inactive", form.Status)
    assert.same({ status = "closed" }, json.decode(form.Routing))
    channel:update { status = "closed" }
    assert.same({ "POST", PATH .. "/" .. sids.channel, { Status = "closed" } },
      { sent() })
    assert.equal(sids.channel, list:list()[1].sid)
    assert.same({ "GET", PATH, {} }, { sent() })
  end)

  it("refuses mistakes", function()
    connect {}
    assert.matches("'status' is missing", api.raised(list.update, list,
      sids.channel, { type = "sms" }).message, 1, true)
    assert.matches("'status' must not be empty", api.raised(list.update, list,
      sids.channel, { status = "" }).message, 1, true)
    assert.matches(
      "interaction.channels:get: argument 1 (sid) must be a SID: UO",
      api.raised(list.get, list, sids.interaction).message, 1, true)
    assert.is_nil(list.create)
    assert.is_nil(list.delete)
  end)
end)

describe("a channel", function()
  it("has its collections, whatever the wire says", function()
    local client = api.client { { body = { sid = sids.channel,
      participants = "x",
      invites = 5 } } }
    local channel = client.interactions:ref(sids.interaction).channels
      :get(sids.channel)
    assert.equal("table", type(channel.participants))
    assert.equal("x", channel.data.participants)
    assert.equal(5, channel.data.invites)
    client:close()
  end)

  it("is closed at the simulated API", function()
    local client = simulated.new()
    local interaction = assert(client.interactions:create {
      channel = { type = "web" } })
    local count = 0
    for channel in interaction.channels:each() do
      count = count + 1
      assert.equal("web", channel.type)
      assert(channel:update { status = "closed" })
      assert.equal("closed", channel.status)
      assert.equal("closed", channel:refresh().status)
    end
    assert.equal(1, count)
    client:close()
  end)
end)

describe("channels.collection", function()
  it("is below an interaction", function()
    assert.equal("/x/Channels", channels.collection({}, "/x").base)
  end)
end)
