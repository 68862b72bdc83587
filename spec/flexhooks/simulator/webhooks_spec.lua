local simulated_api = require "spec.support.simulated_api"

local PATH = simulated_api.webhooks_path

local function form(extra)
  local fields = { WebhookUrl = "https://h.example/flex/events?a=1#rc=2",
    WebhookEvents = { "onChannelCreated", "onParticipantJoined" } }
  for name, value in pairs(extra or {}) do
    fields[name] = value or nil
  end
  return fields
end

local function create(service, extra)
  local status, body = service:post(PATH, form(extra))
  assert.equal(201, status)
  return body
end

describe("simulator.webhooks", function()
  it("creates with the documented defaults", function()
    local webhook = create(simulated_api.new())
    assert.matches("^flex_interactionwebhook_[0-7]%w+$", webhook.ttid)
    assert.equal(simulated_api.account_sid, webhook.account_sid)
    assert.equal(simulated_api.instance_sid, webhook.instance_sid)
    assert.equal("global", webhook.type)
    assert.equal("POST", webhook.webhook_method)
    assert.equal("https://h.example/flex/events?a=1#rc=2", webhook.webhook_url)
    assert.same({ "onChannelCreated", "onParticipantJoined" },
      webhook.webhook_events)
    assert.is_nil(webhook.friendly_name)
  end)

  it("shows a url that is no address of the webhook", function()
    local webhook = create(simulated_api.new())
    assert.is_nil(webhook.url:find(webhook.ttid, 1, true))
  end)

  it("takes every parameter, and the documentation's other names", function()
    local service = simulated_api.new()
    local webhook = create(service, { Type = "interaction",
      WebhookMethod = "GET", FriendlyName = "staging" })
    assert.equal("interaction", webhook.type)
    assert.equal("GET", webhook.webhook_method)
    assert.equal("staging", webhook.friendly_name)
    webhook = create(service, { WebhookEvents = false,
      Filters = { "onChannelUpdated" }, Method = "GET" })
    assert.same({ "onChannelUpdated" }, webhook.webhook_events)
    assert.equal("GET", webhook.webhook_method)
  end)

  it("refuses what the service would refuse", function()
    local service = simulated_api.new()
    for wrong, extra in pairs {
      ["Missing required parameter WebhookUrl in the post body"] =
        { WebhookUrl = false },
      ["Missing required parameter WebhookEvents in the post body"] =
        { WebhookEvents = false },
      ["WebhookUrl must be"] = { WebhookUrl = "ftp://h.example/" },
      ["WebhookUrl must"] = { WebhookUrl = "https:///path" },
      ["WebhookUrl m"] = { WebhookUrl = "https://h.example/a b" },
      ["WebhookUrl "] = { WebhookUrl = "https://h/" .. ("x"):rep(2048) },
      ["WebhookEvents: 'onNothing' is not an event"] =
        { WebhookEvents = { "onChannelCreated", "onNothing" } },
      ["Type must be one of global, interaction"] = { Type = "local" },
      ["WebhookMethod must be one of POST, GET"] = { WebhookMethod = "PUT" },
    } do
      local status, body = service:post(PATH, form(extra))
      assert.equal(400, status, wrong)
      assert.equal(20001, body.code)
      assert.equal(1, (body.message:find(wrong, 1, true)), body.message)
    end
    local _, list = service:get(PATH)
    assert.same({}, list.data)
  end)

  it("gets, updates what was given, and deletes", function()
    local service = simulated_api.new()
    local webhook = create(service)
    local path = PATH .. "/" .. webhook.ttid
    assert.same(webhook, select(2, service:get(path)))
    local status, updated = service:post(path, { FriendlyName = "new",
      WebhookEvents = { "onParticipantLeft" } })
    assert.equal(200, status)
    webhook.friendly_name = "new"
    webhook.webhook_events = { "onParticipantLeft" }
    assert.same(webhook, updated)
    assert.equal(400, (service:post(path, { WebhookUrl = "x" })))
    assert.same(webhook, select(2, service:get(path)))
    local body
    status, body = service:send("DELETE", path)
    assert.equal(204, status)
    assert.equal("", body)
    assert.equal(404, (service:get(path)))
    assert.equal(404, (service:send("DELETE", path)))
  end)

  it("lists in order, by type, and pages", function()
    local service, all = simulated_api.new(), {}
    for i = 1, 5 do
      all[i] = create(service, { FriendlyName = "w" .. i,
        Type = i % 2 == 1 and "interaction" or "global" })
    end
    assert.same(all, select(2, service:get(PATH)).data)
    local _, page = service:get(PATH .. "?Type=interaction&PageSize=2")
    assert.same({ all[1], all[3] }, page.data)
    assert.equal("data", page.meta.key)
    -- A deletion behind the reader does not make it skip.
    service:send("DELETE", PATH .. "/" .. all[1].ttid)
    _, page = service:get(page.meta.next_page_url:match "^http://[^/]*(.*)")
    assert.same({ all[5] }, page.data)
  end)

  it("writes an empty list as an array", function()
    local _, _, response = simulated_api.new():get(PATH)
    assert.equal('{"data":[],"meta":', response.body:sub(1, 18))
  end)

  it("knows its own instance only", function()
    local service = simulated_api.new()
    local other = "/v1/Instances/GO" .. ("c"):rep(32) .. "/InteractionWebhooks"
    assert.equal(404, (service:get(other)))
    assert.equal(404, (service:post(other, form())))
  end)
end)
