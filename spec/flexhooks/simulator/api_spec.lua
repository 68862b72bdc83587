local simulated_api = require "spec.support.simulated_api"

local CONFIGURATION = "/v1/Configuration"

describe("simulator.api", function()
  it("tells the instance", function()
    local status, body, response = simulated_api.new():get(CONFIGURATION)
    assert.equal(200, status)
    assert.equal(simulated_api.instance_sid, body.flex_instance_sid)
    assert.equal(simulated_api.account_sid, body.account_sid)
    assert.equal("application/json", response.headers["content-type"])
    assert.matches("^RQ%x+$", response.headers["twilio-request-id"])
  end)

  it("refuses whoever it does not know, before anything else", function()
    local service = simulated_api.new()
    for _, authorization in ipairs { "", "Basic QUMxOnRvaw==", "Bearer x",
      "Basic QUNhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYTpUT0tFTg==" } do
      for _, path in ipairs { CONFIGURATION, "/v1/Nothing" } do
        local status, body, response = service:send("GET", path,
          { authorization = authorization })
        assert.equal(401, status)
        assert.equal(20003, body.code)
        assert.equal(401, body.status)
        assert.equal("https://www.twilio.com/docs/errors/20003",
          body.more_info)
        assert.is_not_nil(response.headers["www-authenticate"])
      end
    end
  end)

  it("knows its paths, exactly", function()
    local service = simulated_api.new()
    for _, path in ipairs { "/", "/v1/Nothing", "/v2/token/",
      "/v1/Interactions/", CONFIGURATION .. "/",
      "/v1/Interactions/KD1/Channels/UO1/Invites/KG1" } do
      local status, body = service:get(path)
      assert.equal(404, status, path)
      assert.equal(20404, body.code)
      assert.equal("The requested resource " .. path .. " was not found",
        body.message)
    end
  end)

  it("knows each path's methods", function()
    local service = simulated_api.new()
    for path, method in pairs { [CONFIGURATION] = "POST",
      ["/v1/Interactions"] = "GET", ["/v1/Interactions/KD1"] = "DELETE",
      [simulated_api.webhooks_path] = "PUT" } do
      local status, body = service:send(method, path)
      assert.equal(405, status, path)
      assert.equal(20004, body.code)
    end
  end)

  it("takes forms where forms belong", function()
    local status, body = simulated_api.new():send("POST", "/v1/Interactions",
      { body = '{"Channel":{}}', content_type = "application/json" })
    assert.equal(415, status)
    assert.equal(20415, body.code)
  end)

  it("limits the rate of each endpoint, and recovers", function()
    local service = simulated_api.new { rate_limit = 2 }
    assert.equal(200, (service:get(CONFIGURATION)))
    assert.equal(200, (service:get(CONFIGURATION)))
    local status, body, response = service:get(CONFIGURATION)
    assert.equal(429, status)
    assert.equal(20429, body.code)
    assert.equal("1", response.headers["retry-after"])
    assert.equal(200, (service:get(simulated_api.webhooks_path)))
    service.time = service.time + 1
    assert.equal(200, (service:get(CONFIGURATION)))
  end)

  it("throttles and fails by chance", function()
    local status, body = simulated_api.new({ throttle = 1 }):get(CONFIGURATION)
    assert.equal(429, status)
    assert.equal(20429, body.code)
    local response
    status, body, response = simulated_api.new({ outage = 1 }):get "/"
    assert.equal(503, status)
    assert.equal("text/html", response.headers["content-type"])
    assert.matches("<html>", body)
  end)

  it("never processes what it throttles", function()
    local service = simulated_api.new { throttle = 1 }
    service:post("/v1/Interactions", { Channel = '{"type":"sms"}' })
    assert.same({}, service.begun)
  end)

  it("grants OAuth tokens that work until they end", function()
    local service = simulated_api.new { client_id = "OQ1",
      client_secret = "secret" }
    local form = { grant_type = "client_credentials", client_id = "OQ1",
      client_secret = "secret" }
    local status, body = service:post("/v2/token", form)
    assert.equal(200, status)
    assert.equal("Bearer", body.token_type)
    assert.equal(3600, body.expires_in)
    local bearer = { authorization = "Bearer " .. body.access_token }
    assert.equal(200, (service:send("GET", CONFIGURATION, bearer)))
    service.time = service.time + 3600
    assert.equal(401, (service:send("GET", CONFIGURATION, bearer)))
    form.client_secret = "other"
    status, body = service:post("/v2/token", form)
    assert.equal(401, status)
    assert.equal("invalid_client", body.error)
  end)

  it("shows the journal of the caller's account", function()
    local _, _, response = simulated_api.new():get "/simulator/journal"
    assert.equal('{"deliveries":[],"events":[{"account_sid":"'
      .. simulated_api.account_sid .. '"}],"pending":true}', response.body)
  end)
end)
