local delivery = require "flexhooks.simulator.delivery"
local errors = require "flexhooks.error"
local signature = require "flexhooks.signature"

local EVENT = { EventType = "onChannelCreated", AccountSid = "AC1",
  MediaChannelType = "sms & more" }
local KEYS = { auth_token = "token", idempotency_token = "uuid" }

local function request(url, method)
  return delivery.request({ webhook_url = url, webhook_method = method },
    EVENT, KEYS)
end

describe("simulator.delivery", function()
  it("posts a signed form with the service's headers", function()
    local sent = request("https://h.example/e?a=1#rc=2", "POST")
    assert.equal("POST", sent.method)
    assert.equal("https://h.example/e?a=1", sent.url)
    assert.equal("AccountSid=AC1&EventType=onChannelCreated"
      .. "&MediaChannelType=sms+%26+more", sent.body)
    assert.equal("application/x-www-form-urlencoded; charset=UTF-8",
      sent.headers["Content-Type"])
    assert.equal("uuid", sent.headers["I-Twilio-Idempotency-Token"])
    assert.equal("TwilioProxy/1.1", sent.headers["User-Agent"])
    assert.is_true(signature.validate { auth_token = "token",
      signature = sent.headers["X-Twilio-Signature"], method = "POST",
      url = "https://h.example/e?a=1", params = EVENT })
  end)

  it("moves user name and password into a header, and signs the URL",
    function()
      for _, method in ipairs { "POST", "GET" } do
        local sent = request("https://flex:pw@h.example/e?a=1#rc=2", method)
        assert.equal("https://h.example/e?a=1", sent.url:match "^[^&]*")
        assert.equal("Basic ZmxleDpwdw==", sent.headers.Authorization)
        assert.is_true(signature.validate { auth_token = "token",
          signature = sent.headers["X-Twilio-Signature"], method = method,
          url = method == "GET" and sent.url or "https://h.example/e?a=1",
          params = method == "POST" and EVENT or nil })
      end
    end)

  it("is signed by a shared key, with the header that names it", function()
    local id = "webhooks_sharedkey_1"
    for _, method in ipairs { "POST", "GET" } do
      local sent = delivery.request({ webhook_method = method,
        webhook_url = "https://h.example/e#rc=2" }, EVENT, {
          shared_key = "secret", shared_key_id = id,
          algorithm = "HMAC_SHA256", idempotency_token = "uuid" })
      local settings = sent.headers["X-Twilio-Webhooks-Signature-Settings"]
      assert.equal("key=" .. id .. ",algorithm=HMAC_SHA256", settings)
      assert.is_true(signature.validate { shared_keys = { [id] = "secret" },
        signature_settings = settings, method = method, url = sent.url,
        signature = sent.headers["X-Twilio-Signature"],
        params = method == "POST" and EVENT or nil })
    end
    assert.is_nil(request("https://h.example/e", "POST")
      .headers["X-Twilio-Webhooks-Signature-Settings"])
  end)

  it("gets with the fields behind the URL's own query", function()
    for url, start in pairs {
      ["https://h.example/e"] = "https://h.example/e?AccountSid=AC1",
      ["https://h.example/e?a=1#x"] = "https://h.example/e?a=1&AccountSid=AC1",
    } do
      local sent = request(url, "GET")
      assert.equal(start, sent.url:sub(1, #start))
      assert.is_nil(sent.body)
      assert.is_nil(sent.headers["Content-Type"])
      assert.is_true(signature.validate { auth_token = "token",
        signature = sent.headers["X-Twilio-Signature"], method = "GET",
        url = sent.url })
    end
  end)

  it("reads the overrides of the fragment, within their bounds", function()
    local url, overrides = delivery.split "https://h/e"
    assert.equal("https://h/e", url)
    assert.same({ retries = 1, retry_on = { ct = true }, connect_timeout = 5,
      timeout = 15 }, overrides)
    url, overrides = delivery.split
      "https://h/e?q#rc=3&rp=5xx,rt&ct=200&rt=2000&tt=9000&sni=h"
    assert.equal("https://h/e?q", url)
    assert.same({ retries = 3, retry_on = { ["5xx"] = true, rt = true },
      connect_timeout = 0.2, timeout = 2 }, overrides)
    overrides = select(2, delivery.split
      "https://h/#rc=99&ct=1&tt=99999&rt=x")
    assert.equal(5, overrides.retries)
    assert.equal(0.1, overrides.connect_timeout)
    assert.equal(15, overrides.timeout)
  end)

  it("tries again once, and only where connecting failed", function()
    local _, usual = delivery.split "https://h/"
    for _, kind in ipairs { "connect", "dns", "tls" } do
      local err = errors.new(kind, "x")
      assert.is_true(delivery.again(usual, 1, nil, err))
      assert.is_false(delivery.again(usual, 2, nil, err))
    end
    assert.is_false(delivery.again(usual, 1, nil, errors.new("timeout", "x")))
    for _, status in ipairs { 200, 204, 302, 400, 500 } do
      assert.is_false(delivery.again(usual, 1, { status = status }))
    end
  end)

  it("tries again as the overrides say", function()
    for policy, statuses in pairs {
      ["4xx"] = { [400] = true, [499] = true, [500] = false },
      ["5xx"] = { [404] = false, [500] = true, [599] = true },
      ["all"] = { [200] = false, [404] = true, [503] = true },
    } do
      local _, overrides = delivery.split("https://h/#rc=2&rp=" .. policy)
      for status, again in pairs(statuses) do
        local response = { status = status }
        assert.equal(again, delivery.again(overrides, 2, response))
        assert.is_false(delivery.again(overrides, 3, response))
      end
    end
    local _, overrides = delivery.split "https://h/#rc=1&rp=rt"
    assert.is_true(delivery.again(overrides, 1, nil,
      errors.new("timeout", "x")))
    assert.is_false(delivery.again(overrides, 1, nil,
      errors.new("connect", "x")))
  end)
end)
