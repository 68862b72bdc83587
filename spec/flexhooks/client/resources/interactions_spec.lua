local api = require "spec.support.canned"
local interactions = require "flexhooks.client.resources.interactions"
local json = require "flexhooks.json"
local sids = require "spec.data.sids"
local simulated = require "spec.support.simulated_client"

local CHANNEL = { type = "sms", initiated_by = "api" }

describe("client.interactions on the wire", function()
  local client, transport

  local function connect(count)
    local answers = {}
    for i = 1, count do
      answers[i] = { body = { sid = sids.interaction } }
    end
    client, transport = api.client(answers)
  end

  after_each(function()
    client:close()
  end)

  local function sent()
    return api.sent(transport)
  end

  it("creates from tables, as JSON", function()
    connect(1)
    local routing = { properties = { workflow_sid = "WW1", attributes = {
      from = "ümläut", list = { 1, 2 } } } }
    assert(client.interactions:create { channel = CHANNEL, routing = routing,
      interaction_context_sid = sids.make "HQ" })
    local method, path, form = sent()
    assert.same({ "POST", "/v1/Interactions" }, { method, path })
    assert.same(CHANNEL, json.decode(form.Channel))
    assert.same(routing, json.decode(form.Routing))
    assert.equal(sids.make "HQ", form.InteractionContextSid)
    assert.is_nil(form.WebhookTtid)
  end)

  it("creates from texts, as they are", function()
    connect(1)
    assert(client.interactions:create { channel = '{ "type": "sms" }',
      routing = "{}" })
    assert.same({ "POST", "/v1/Interactions", { Channel = '{ "type": "sms" }',
      Routing = "{}" } }, { sent() })
  end)

  it("carries a webhook as an object, a ref or a ttid", function()
    connect(4)
    local webhook = client.webhooks:ref(api.ttid)
    client.interactions:create { channel = CHANNEL, webhook = webhook }
    assert.equal(api.ttid, select(3, sent()).WebhookTtid)
    client.interactions:create { channel = CHANNEL, webhook_ttid = api.ttid }
    assert.equal(api.ttid, select(3, sent()).WebhookTtid)
    client.interactions:update(sids.interaction, { webhook = webhook })
    assert.same({ "POST", "/v1/Interactions/" .. sids.interaction,
      { WebhookTtid = api.ttid } }, { sent() })
    client.interactions:ref(sids.interaction):update { webhook_ttid =
      api.ttid }
    assert.same({ "POST", "/v1/Interactions/" .. sids.interaction,
      { WebhookTtid = api.ttid } }, { sent() })
  end)

  it("refuses mistakes before anything is sent", function()
    connect(0)
    local cycle = {}
    cycle.a = cycle
    for what, params in pairs {
      ["'channel' is missing"] = {},
      ["'channel' must be a table or a JSON text"] = { channel = 5 },
      ["'channel' must be the text of a JSON object"] = { channel = "sms" },
      ["'channel' cannot be sent as JSON"] = { channel = cycle },
      ["'routing' must be the text of a JSON object"] =
        { channel = CHANNEL, routing = "{" },
      ["'interaction_context_sid' must be a SID: HQ"] =
        { channel = CHANNEL, interaction_context_sid = "HQ1" },
      ["'webhook_ttid' must be a ttid"] =
        { channel = CHANNEL, webhook_ttid = "x" },
      ["'webhook' must be a webhook"] = { channel = CHANNEL,
        webhook = api.ttid },
      ["give 'webhook' or 'webhook_ttid', not both"] = { channel = CHANNEL,
        webhook = { ttid = api.ttid }, webhook_ttid = api.ttid },
      ["did you mean 'webhook_ttid'?"] = { channel = CHANNEL,
        webhok_ttid = "x" },
    } do
      local err = api.raised(function()
        client.interactions:create(params)
      end)
      assert.matches("client.interactions:create: ", err.message, 1, true)
      assert.matches(what, err.message, 1, true)
    end
    assert.matches("'webhook' or 'webhook_ttid' is missing", api.raised(
      client.interactions.update, client.interactions, sids.interaction,
      { channel = CHANNEL }).message, 1, true)
    for _, sid in ipairs { "", "KD", "../Accounts", "KD%2e%2e", api.ttid,
      sids.interaction .. "?x=1", sids.interaction .. "/Channels" } do
      assert.matches("must be a SID: KD", api.raised(client.interactions.get,
        client.interactions, sid).message, 1, true)
    end
    assert.equal(0, #transport.requests)
  end)
end)

describe("client.interactions at the simulated API", function()
  it("creates, attaches a webhook later, and finds the channel", function()
    local client = simulated.new()
    local webhook = assert(client.webhooks:create { type = "interaction",
      webhook_url = "https://a.example/x", webhook_events = { "*" } })
    local interaction = assert(client.interactions:create { channel = CHANNEL,
      routing = { properties = { workspace_sid = "WS1" } } })
    assert.is_nil(interaction.webhook_ttid)
    assert.equal("sms", interaction.channel.type)
    assert.equal(interaction, interaction:update { webhook = webhook })
    assert.equal(webhook.ttid, interaction.webhook_ttid)
    local fetched = assert(client.interactions:get(interaction.sid))
    assert.equal(webhook.ttid, fetched.webhook_ttid)
    assert.equal(fetched.sid, fetched.data.sid)
    local channel = assert(fetched.channels:get(fetched.channel.sid))
    assert.equal(fetched.sid, channel.interaction_sid)
    local _, err = client.interactions:get(sids.interaction)
    assert.equal("not_found", err.kind)
    client:close()
  end)

  it("makes a new one of a fetched one", function()
    local client = simulated.new()
    local first = assert(client.interactions:create { channel = CHANNEL })
    local second = assert(client.interactions:create(first))
    assert.not_equal(first.sid, second.sid)
    client:close()
  end)
end)

describe("interactions.collection", function()
  it("is at its path", function()
    assert.equal("/v1/Interactions", interactions.collection({}).base)
  end)
end)
