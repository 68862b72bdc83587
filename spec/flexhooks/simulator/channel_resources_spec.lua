local simulated_api = require "spec.support.simulated_api"

local MEDIA = '{"address":"+15550100"}'

local function begin()
  local service = simulated_api.new()
  local _, path = service:interaction()
  return service, path
end

local function told(service)
  local names = {}
  for i, event in ipairs(service.told) do
    names[i] = event.EventType
  end
  return names
end

describe("simulator.channel_resources", function()
  it("lets participants join, change and leave", function()
    local service, path = begin()
    local status, agent = service:post(path .. "/Participants", {
      Type = "agent", MediaProperties = MEDIA,
      RoutingProperties = '{"task_sid":"WT1"}' })
    assert.equal(200, status)
    assert.equal("agent", agent.type)
    assert.equal("WT1", agent.routing_properties.task_sid)
    assert.equal("WT1", service.told[1].TaskSid)
    local _, list = service:get(path .. "/Participants")
    assert.same({ agent }, list.participants)
    assert.equal("participants", list.meta.key)
    local one = path .. "/Participants/" .. agent.sid
    assert.equal(200, (service:post(one, { Status = "wrapup" })))
    assert.equal(200, (service:post(one, { Status = "closed" })))
    assert.equal(404, (service:post(one, { Status = "closed" })))
    assert.same({ "onParticipantJoined", "onParticipantUpdated",
      "onParticipantLeft" }, told(service))
    local _, _, response = service:get(path .. "/Participants")
    assert.matches('"participants":%[%]}$', response.body)
  end)

  it("refuses participants that the service would refuse", function()
    local service, path = begin()
    for wrong, form in pairs {
      ["Missing required parameter Type"] = { MediaProperties = MEDIA },
      ["Missing required parameter MediaProperties"] = { Type = "agent" },
      ["Type must be one of"] = { Type = "robot", MediaProperties = MEDIA },
      ["MediaProperties must be a JSON object"] =
        { Type = "agent", MediaProperties = "x" },
      ["RoutingProperties must be a JSON object"] =
        { Type = "agent", MediaProperties = MEDIA, RoutingProperties = "[]" },
    } do
      local status, body = service:post(path .. "/Participants", form)
      assert.equal(400, status, wrong)
      assert.equal(1, (body.message:find(wrong, 1, true)), body.message)
    end
    assert.same({}, service.told)
  end)

  it("invites", function()
    local service, path = begin()
    assert.equal(400, (service:post(path .. "/Invites", {})))
    local status, invite = service:post(path .. "/Invites",
      { Routing = '{"properties":{"queue_sid":"WQ1"}}' })
    assert.equal(200, status)
    assert.matches("^KG%x+$", invite.sid)
    assert.equal("WQ1", invite.routing.properties.queue_sid)
    assert.equal(invite.sid, service.invites[1].sid)
    assert.same({ invite }, select(2, service:get(path .. "/Invites")).invites)
  end)

  it("transfers, in JSON", function()
    local service, path = begin()
    local from = "UT" .. ("1"):rep(32)
    local status, transfer = service:post_json(path .. "/Transfers",
      { type = "warm", from = from, to = "WK1" })
    assert.equal(201, status)
    assert.equal("warm", transfer.type)
    assert.equal("active", transfer.status)
    assert.equal(from, transfer.from)
    assert.equal("2001-09-09T01:46:40Z", transfer.date_created)
    assert.is_nil(transfer.note_sid)
    local one = path .. "/Transfers/" .. transfer.sid
    assert.same(transfer, select(2, service:get(one)))
    service.time = service.time + 60
    local _, updated = service:post_json(one, { status = "completed" })
    assert.equal("completed", updated.status)
    assert.equal("warm", updated.type)
    assert.equal("2001-09-09T01:47:40Z", updated.date_updated)
  end)

  it("refuses transfers that the service would refuse", function()
    local service, path = begin()
    for _, wrong in ipairs { { type = "lukewarm" }, { from = "UT1" },
      { status = "x" } } do
      assert.equal(400, (service:post_json(path .. "/Transfers", wrong)))
    end
    assert.equal(400, (service:post(path .. "/Transfers", { type = "warm" })))
  end)

  it("adds nothing to a channel that has ended", function()
    local service, path = begin()
    service:post(path, { Status = "closed" })
    assert.equal(400, (service:post(path .. "/Participants",
      { Type = "agent", MediaProperties = MEDIA })))
    assert.equal(400, (service:post(path .. "/Invites", { Routing = "{}" })))
    assert.equal(400, (service:post_json(path .. "/Transfers",
      { type = "cold" })))
    assert.equal(1, #service.told)
  end)
end)
