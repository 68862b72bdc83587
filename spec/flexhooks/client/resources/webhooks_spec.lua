local api = require "spec.support.canned"
local events = require "flexhooks.events"
local flexhooks = require "flexhooks"
local ids = require "flexhooks.util.ids"
local sids = require "spec.data.sids"
local simulated = require "spec.support.simulated_client"
local webhooks = require "flexhooks.client.resources.webhooks"

local URL = "https://company.example/flex/events"

describe("client.webhooks on the wire", function()
  local client, transport

  local function connect(count, status)
    local answers = {}
    for i = 1, count do
      answers[i] = { status = status or 200, body = api.webhook() }
    end
    client, transport = api.client(answers)
  end

  after_each(function()
    client:close()
  end)

  local function sent()
    local method, path, form = api.sent(transport)
    local headers = transport.requests[#transport.requests].headers
    return method, path, form, headers["Content-Type"]
  end

  it("creates", function()
    connect(2, 201)
    assert(client.webhooks:create { type = "interaction", webhook_url = URL,
      webhook_events = { "onChannelUpdated", "onParticipantJoined",
      "onChannelStatusUpdated" }, webhook_method = "GET",
      friendly_name = "ümläut & more" })
    local method, path, form, content_type = sent()
    assert.equal("POST", method)
    assert.equal(api.webhooks, path)
    assert.equal("application/x-www-form-urlencoded", content_type)
    assert.same({ Type = "interaction", WebhookUrl = URL,
      WebhookMethod = "GET",
      FriendlyName = "ümläut & more",
      WebhookEvents = { "onChannelStatusUpdated", "onParticipantJoined" } },
        form)
    assert(client.webhooks:create { webhook_url = URL,
      webhook_events = { "*" } })
    assert.same({ WebhookUrl = URL, WebhookEvents = events.names() },
      select(3, sent()))
  end)

  it("gets, updates and deletes by ttid", function()
    connect(3)
    local path = api.webhooks .. "/" .. api.ttid
    client.webhooks:get(api.ttid)
    assert.same({ "GET", path, {} }, { sent() })
    client.webhooks:update(api.ttid,
      { webhook_events = { "onParticipantLeft" } })
    assert.same({ "POST", path, { WebhookEvents = "onParticipantLeft" },
      "application/x-www-form-urlencoded" }, { sent() })
    assert.is_true(client.webhooks:delete(api.ttid))
    assert.same({ "DELETE", path, {} }, { sent() })
  end)

  it("says the same through an object", function()
    connect(4)
    local webhook = client.webhooks:ref(api.ttid)
    local path = api.webhooks .. "/" .. api.ttid
    webhook:refresh()
    assert.same({ "GET", path, {} }, { sent() })
    assert.equal(webhook, webhook:update { friendly_name = "new" })
    assert.same({ "POST", path, { FriendlyName = "new" },
      "application/x-www-form-urlencoded" }, { sent() })
    assert.is_true(webhook:delete())
    assert.same({ "DELETE", path, {} }, { sent() })
  end)

  it("takes what a router handles", function()
    connect(1)
    local router = flexhooks.router()
    router:on("onParticipantLeft", print)
    router:on("onChannelUpdated", print)
    client.webhooks:create { webhook_url = URL,
      webhook_events = router:subscribed() }
    assert.same({ "onChannelStatusUpdated", "onParticipantLeft" },
      select(3, sent()).WebhookEvents)
  end)

  it("refuses mistakes before anything is sent", function()
    connect(0)
    local E = { "onChannelCreated" }
    for what, params in pairs {
      ["'webhook_url' is missing"] = { webhook_events = E },
      ["'webhook_events' is missing"] = { webhook_url = URL },
      ["at least one event"] = { webhook_url = URL, webhook_events = {} },
      ["did you mean 'onParticipantLeft'?"] =
        { webhook_url = URL, webhook_events = { "onParticipantLef" } },
      ["'type' must be one of global, interaction"] =
        { webhook_url = URL, webhook_events = E, type = "Global" },
      ["'webhook_method' must be one of POST, GET"] =
        { webhook_url = URL, webhook_events = E, webhook_method = "PUT" },
      ["'friendly_name' must be a string"] =
        { webhook_url = URL, webhook_events = E, friendly_name = 5 },
      ["'webhook_url' "] = { webhook_url = "ftp://x", webhook_events = E },
      ["has **** in the place of its password"] = { webhook_events = E,
        webhook_url = "https://flex:****@company.com/x" },
      ["it is called webhook_events"] = { webhook_url = URL, filters = E },
      ["it is called webhook_method"] = { webhook_url = URL,
        webhook_events = E,
        method = "POST" },
    } do
      local err = api.raised(function()
        client.webhooks:create(params)
      end)
      assert.equal("argument", err.kind)
      assert.matches("client.webhooks:create: ", err.message, 1, true)
      assert.matches(what, err.message, 1, true)
      assert.matches("webhooks_spec.lua", err.message, 1, true)
    end
    for _, ttid in ipairs { "", "../Accounts", api.ttid .. "?x=1",
      api.ttid .. "#", "%2e%2e", api.ttid .. "\0", sids.interaction } do
      for _, method in ipairs { "get", "delete", "ref" } do
        assert.matches("argument 1 (ttid) must be a ttid", api.raised(
          client.webhooks[method], client.webhooks, ttid).message, 1, true)
      end
      assert.matches("must be a ttid", api.raised(client.webhooks.update,
        client.webhooks, ttid, { friendly_name = "x" }).message, 1, true)
    end
    assert.matches("no parameter to send", api.raised(client.webhooks.update,
      client.webhooks, api.ttid, { ttid = api.ttid }).message, 1, true)
    assert.matches("option 'type' must be one of", api.raised(
      client.webhooks.list, client.webhooks, { type = "x" }).message, 1, true)
    assert.equal(0, #transport.requests)
  end)
end)

describe("client.webhooks at the simulated API", function()
  local client, service

  before_each(function()
    client, service = simulated.new()
  end)

  after_each(function()
    client:close()
  end)

  it("lives a webhook's life", function()
    local webhook = assert(client.webhooks:create { webhook_url = URL,
      webhook_events = { "onChannelCreated" }, friendly_name = "mine" })
    assert.equal("global", webhook.type)
    assert.equal("mine", webhook.friendly_name)
    assert.same({ "onChannelCreated" }, webhook.webhook_events)
    assert.equal(service.time, webhook.created_at)

    assert(webhook:update { webhook_events = { "onParticipantLeft",
      "onParticipantJoined" } })
    local again = assert(client.webhooks:get(webhook.ttid))
    assert.same({ "onParticipantLeft", "onParticipantJoined" },
      again.webhook_events)
    assert.equal("mine", again.friendly_name)

    assert.is_true(webhook:delete())
    local gone, err = client.webhooks:get(webhook.ttid)
    assert.is_nil(gone)
    assert.equal("not_found", err.kind)
    assert.equal(404, err.status)
    assert.is_string(err.request_id)
    assert.equal("GET", err.method)
  end)

  it("lists by type and over many pages", function()
    for i = 1, 5 do
      assert(client.webhooks:create { webhook_url = URL,
        webhook_events = { "*" },
        type = i % 2 == 0 and "interaction" or "global" })
    end
    assert.equal(5, #assert(client.webhooks:list()))
    assert.equal(5, #assert(client.webhooks:list { page_size = 2 }))
    local list = assert(client.webhooks:list { type = "interaction",
      page_size = 1 })
    assert.equal(2, #list)
    assert.equal("interaction", list[1].type)
    assert.equal(4, #assert(client.webhooks:list { limit = 4, page_size = 3 }))
  end)

  it("makes a new one of a fetched one", function()
    local first = assert(client.webhooks:create { webhook_url = URL,
      webhook_events = { "*" }, type = "interaction", webhook_method = "GET" })
    local second = assert(client.webhooks:create(first))
    assert.not_equal(first.ttid, second.ttid)
    for _, name in ipairs { "type", "webhook_url", "webhook_method" } do
      assert.equal(first[name], second[name])
    end
  end)
end)

describe("webhooks.collection", function()
  it("asks for the instance only when it needs it, and passes on a failure",
    function()
      local client, transport = api.client({ { status = 403 } },
        { instance_sid = false })
      local webhook = client.webhooks:ref(api.ttid)
      assert.equal(0, #transport.requests)
      local _, err = webhook:refresh()
      assert.equal("auth", err.kind)
      assert.matches("/v1/Configuration$", err.url)
      client:close()
    end)

  it("knows when a webhook was created", function()
    local list = webhooks.collection {}
    assert.equal(ids.ttid_time(api.ttid), list:ref(api.ttid).created_at)
    assert.is_nil(list:ref("flex_interactionwebhook_1").created_at)
  end)
end)
