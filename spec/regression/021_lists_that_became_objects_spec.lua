-- An empty list was decoded to a table like any other, and sent as an object
-- again. A whole number beyond 2^53 became another one.
local d = require "spec.support.deliveries"
local flexhooks = require "flexhooks"
local json = require "flexhooks.json"
local scripted = require "spec.support.scripted"
local simulator = require "spec.support.simulator"
local testing = require "flexhooks.testing"

local SID = "KD" .. ("0"):rep(32)
local CHANNEL = "UO" .. ("0"):rep(32)
local NUMBER = json.encode(json.decode "9007199254740993")
local ROUTING = '{"properties":{"any":{},"list":[],"n":' .. NUMBER
  .. ',"nested":[[]]}}'

describe("a list that was decoded", function()
  local function new_client(transport, changes)
    local options = { account_sid = simulator.account_sid,
      auth_token = simulator.auth_token, transport = transport }
    for name, value in pairs(changes or {}) do
      options[name] = value
    end
    return flexhooks.client(options)
  end

  it("is sent as a list again, in forms and in JSON", function()
    local answer = { status = 200, body = { sid = SID, channel = {
      sid = CHANNEL }, routing = json.decode(ROUTING) } }
    local transport = testing.transport { answer, answer, answer, answer }
    local client = new_client(transport)
    local fetched = assert(client.interactions:get(SID))
    assert.equal(ROUTING, json.encode(fetched.routing))
    assert(client.interactions:create { routing = fetched.routing,
      channel = { type = "sms", participants = json.array {} } })
    local form = require("flexhooks.core").decode_form(
      transport.requests[2].body)
    for _, pair in ipairs(form) do
      form[pair[1]] = pair[2]
    end
    assert.equal(ROUTING, form.Routing)
    assert.equal('{"participants":[],"type":"sms"}', form.Channel)
    local body = assert(client:request("GET", "/v1/Interactions/" .. SID))
    assert(client:request("POST", "/v1/Interactions", { json = body }))
    assert.matches('"routing":' .. ROUTING, transport.requests[4].body, 1,
      true)
    client:close()
  end)

  it("passes the simulator", function()
    local service = simulator.start()
    local client = new_client(nil, { base_url = service.url })
    local made = assert(client.interactions:create {
      channel = { type = "sms", initiated_by = "api" },
      routing = json.decode(ROUTING) })
    local fetched = assert(client.interactions:get(made.sid))
    assert.equal(ROUTING, json.encode(fetched.routing))
    client:close()
    service.child:stop()
  end)

  it("reaches a handler, and leaves it, as a list", function()
    local crm = scripted.start {
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" }
    local router = flexhooks.router()
    router:on("*", function(event)
      assert(flexhooks.http(crm.url, { json = event }))
    end)
    local receiver = flexhooks.receiver { router = router,
      auth_token = d.token, public_url = d.url }
    local event = { EventType = "onNew", AccountSid = simulator.account_sid,
      InteractionSid = SID, routing = json.decode(ROUTING) }
    flexhooks.run(function()
      assert.equal(200, receiver:handle(testing.request(event, {
        auth_token = d.token, url = d.url,
        content_type = "application/json" })).status)
    end)
    assert.matches('"routing":' .. ROUTING, crm:requests()[1].body, 1, true)
    crm.child:stop()
  end)
end)
