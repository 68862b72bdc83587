local api = require "spec.support.canned"
local json = require "flexhooks.json"
local sids = require "spec.data.sids"
local simulated = require "spec.support.simulated_client"
local transfers = require "flexhooks.client.resources.transfers"

local SID = sids.make "UX"
local PATH = "https://flex-api.twilio.com/v1/Interactions/" .. sids.interaction
  .. "/Channels/" .. sids.channel .. "/Transfers"

describe("channel.transfers", function()
  it("creates, gets and updates, in JSON", function()
    local one = { body = { sid = SID, account_sid = sids.account,
      type = "warm",
      status = "active", from = sids.participant,
      date_created = "2022-01-10T20:00:00Z", url = PATH .. "/" .. SID } }
    local client, transport = api.client { one, one, one, one }
    local list = client.interactions:ref(sids.interaction).channels
      :ref(sids.channel).transfers
    local transfer = assert(list:create { type = "warm",
      from = sids.participant,
      to = "WW1", anything = { new = true } })
    local request = transport.requests[1]
    assert.same({ "POST", PATH, "application/json" },
      { request.method, request.url, request.headers["content-type"] })
    assert.same({ type = "warm", from = sids.participant, to = "WW1",
      anything = { new = true } }, json.decode(request.body))

    assert.equal("active", assert(list:get(SID)).status)
    assert.equal(PATH .. "/" .. SID, transport.requests[2].url)
    list:update(SID, { status = "completed" })
    assert.equal('{"status":"completed"}', transport.requests[3].body)
    -- A copy of what was fetched loses what only answers have.
    transfer:update(transfer)
    assert.same({ type = "warm", status = "active", from = sids.participant },
      json.decode(transport.requests[4].body))
    client:close()
  end)

  it("refuses mistakes, and has no more than the API", function()
    local client = api.client()
    local list = client.interactions:ref(sids.interaction).channels
      :ref(sids.channel).transfers
    assert.matches("argument 1 must be a table", api.raised(list.create, list)
      .message, 1, true)
    assert.matches("argument 2 must be a table", api.raised(list.update, list,
      SID)
      .message, 1, true)
    assert.matches("must be a SID: UX", api.raised(list.get, list, "UX1")
      .message, 1, true)
    assert.is_nil(list.list)
    assert.is_nil(list.delete)
    client:close()
  end)

  it("transfers at the simulated API", function()
    local client = simulated.new()
    local interaction = assert(client.interactions:create {
      channel = { type = "sms" } })
    local channel = interaction.channels:list()[1]
    local transfer = assert(channel.transfers:create { type = "cold" })
    assert.equal("cold", transfer.type)
    assert.equal(channel.sid, transfer.channel_sid)
    assert.equal(transfer.sid, assert(channel.transfers:get(transfer.sid)).sid)
    client:close()
  end)

  it("is below a channel", function()
    assert.equal("/x/Transfers", transfers.collection({}, "/x").base)
  end)
end)
