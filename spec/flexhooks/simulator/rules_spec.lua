local rules = require "flexhooks.simulator.rules"
local simulated_api = require "spec.support.simulated_api"

local LIST, SETTINGS = "/v1/Webhooks/Rules", "/v1/Webhooks/Settings/"
local KEY = { id = "webhooks_sharedkey_1", algorithm = "HMAC_SHA1" }

describe("simulator.rules", function()
  it("has no rule if the auth token signs", function()
    assert.is_table(rules.routes)
    local service = simulated_api.new()
    local status, list = service:get(LIST)
    assert.equal(200, status)
    assert.equal("rules", list.meta.key)
    assert.same({}, list.rules)
    assert.equal(404, (service:get(SETTINGS .. "webhooks_setting_1")))
  end)

  it("has one for every URL if a shared key signs", function()
    local service = simulated_api.new { shared_key = KEY }
    local _, list = service:get(LIST)
    assert.equal(1, #list.rules)
    assert.equal("DEFAULT", list.rules[1].matchType)
    local status, setting = service:get(SETTINGS
      .. list.rules[1].settings[1].settingId)
    assert.equal(200, status)
    assert.equal(KEY.id, setting.signature.sharedKeyId)
    assert.equal(KEY.algorithm, setting.signature.algorithm)
    assert.equal(404, (service:get(SETTINGS .. "other")))
    assert.equal(405, (service:post(LIST, {})))
  end)
end)
