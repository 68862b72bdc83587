local simulated_api = require "spec.support.simulated_api"

local PATH = "/v1/Interactions"

local function webhook(service, kind)
  local _, body = service:post(simulated_api.webhooks_path, { Type = kind,
    WebhookUrl = "http://h/", WebhookEvents = "onChannelCreated" })
  return body.ttid
end

describe("simulator.interactions", function()
  it("accepts one and lets its life begin", function()
    local service = simulated_api.new()
    local path, channel_path, body = service:interaction {
      Channel = '{"type":"whatsapp","initiated_by":"api"}',
      Routing = '{"properties":{"workflow_sid":"WW1"}}',
      InteractionContextSid = "HQ" .. ("1"):rep(32),
    }
    assert.equal(path, body.url:match "^http://127.0.0.1:4010(.*)$")
    assert.equal("whatsapp", body.channel.type)
    assert.equal("WW1", body.routing.properties.workflow_sid)
    assert.equal("HQ" .. ("1"):rep(32), body.interaction_context_sid)
    assert.is_nil(body.webhook_ttid)
    assert.equal(1, #service.begun)
    assert.equal(body.sid, service.begun[1][1].sid)
    assert.same({}, service.told)
    assert.same(body, select(2, service:get(path)))
    local _, channel = service:get(channel_path)
    assert.equal("setup", channel.status)
    assert.equal(body.sid, channel.interaction_sid)
    local _, list = service:get(path .. "/Channels")
    assert.same({ channel }, list.channels)
  end)

  it("plays the scenario that the channel names", function()
    local service = simulated_api.new()
    service:interaction {
      Channel = '{"type":"sms","properties":{"scenario":"failed"}}' }
    assert.equal("failed", service.begun[1][2])
  end)

  it("refuses what the service would refuse", function()
    local service = simulated_api.new()
    local global = webhook(service, "global")
    local good = '{"type":"sms"}'
    for wrong, form in pairs {
      ["Missing required parameter Channel in the post body"] = {},
      ["Channel must be a JSON object"] = { Channel = "sms" },
      ["Channel must be a JSON"] = { Channel = '["sms"]' },
      ["Channel must be"] = { Channel = '{"type":' },
      ["Channel.type is missing"] = { Channel = "{}" },
      ["Channel.type must be one of"] = { Channel = '{"type":"fax"}' },
      ["Channel.initiated_by must be one of"] =
        { Channel = '{"type":"sms","initiated_by":"me"}' },
      ["Channel.properties.scenario must be one of"] =
        { Channel = '{"type":"sms","properties":{"scenario":"x"}}' },
      ["Routing must be a JSON object"] = { Channel = good, Routing = "1" },
      ["InteractionContextSid must be HQ"] =
        { Channel = good, InteractionContextSid = "HQ1" },
      ["WebhookTtid is not a webhook"] = { Channel = good, WebhookTtid = "x" },
      ["WebhookTtid is not a webhook of type interaction"] =
        { Channel = good, WebhookTtid = global },
    } do
      local status, body = service:post(PATH, form)
      assert.equal(400, status, wrong)
      assert.equal(20001, body.code)
      assert.equal(1, (body.message:find(wrong, 1, true)), body.message)
    end
    assert.same({}, service.begun)
  end)

  it("attaches a webhook at creation and later", function()
    local service = simulated_api.new()
    local ttid, other = webhook(service, "interaction"),
      webhook(service, "interaction")
    local path, _, body = service:interaction {
      Channel = '{"type":"sms"}', WebhookTtid = ttid }
    assert.equal(ttid, body.webhook_ttid)
    local status, updated = service:post(path, { WebhookTtid = other })
    assert.equal(200, status)
    assert.equal(other, updated.webhook_ttid)
    assert.equal(400, (service:post(path, { WebhookTtid = "nothing" })))
    assert.equal(other, select(2, service:get(path)).webhook_ttid)
  end)

  it("closes a channel once", function()
    local service = simulated_api.new()
    local _, path = service:interaction()
    for _ = 1, 2 do
      local status, body = service:post(path, { Status = "closed" })
      assert.equal(200, status)
      assert.equal("closed", body.status)
    end
    assert.equal(1, #service.told)
    assert.equal("closed", service.told[1].ChannelStatus)
  end)

  it("parks a channel where its routing is closed", function()
    local service = simulated_api.new()
    local _, path = service:interaction()
    assert.equal(400, (service:post(path, { Status = "inactive" })))
    assert.equal(400, (service:post(path, { Status = "active" })))
    assert.equal(400, (service:post(path, {})))
    assert.equal(400, (service:post(path, { Status = "closed",
      Routing = '{"status":"gone"}' })))
    assert.same({}, service.told)
    local status = service:post(path, { Status = "inactive",
      Routing = '{"status":"closed"}' })
    assert.equal(200, status)
    assert.equal("inactive", service.told[1].ChannelStatus)
  end)

  it("finds nothing under other SIDs", function()
    local service = simulated_api.new()
    local path = service:interaction()
    for _, missing in ipairs { PATH .. "/KD1", PATH .. "/KD1/Channels",
      path .. "/Channels/UO1", path .. "/Channels/UO1/Participants",
      path .. "/Channels/UO1/Invites",
      path .. "/Channels/UO1/Transfers/UX1" } do
      assert.equal(404, (service:get(missing)), missing)
    end
  end)
end)
