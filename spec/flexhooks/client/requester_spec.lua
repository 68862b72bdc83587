local api = require "spec.support.canned"
local canned = require "flexhooks.testing.canned_transport"
local requesters = require "flexhooks.client.requester"
local settings = require "flexhooks.client.settings"
local sids = require "spec.data.sids"

local shared, transport

local function open(answers, options)
  transport = canned.new(answers)
  local given = { account_sid = sids.account, auth_token = api.token,
    transport = transport }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  shared = assert(requesters.new(assert(settings.read(given))))
end

after_each(function()
  shared:close()
end)

describe("session:send", function()
  it("fills in what the settings say", function()
    open({ {}, {} }, { timeout = 7, connect_timeout = 3 })
    shared:send({ method = "GET", url = shared.base_url .. "/v1/x" }, {})
    shared:send({ method = "POST", url = shared.base_url .. "/v1/x",
      body = "a=b", content_type = "text/plain" }, { timeout = 2 })
    local first, second = transport.requests[1], transport.requests[2]
    assert.same({ 7, 3 }, { first.timeout, first.connect_timeout })
    assert.same({ 2, 2 }, { second.timeout, second.connect_timeout })
    assert.equal("application/json", first.headers.accept)
    assert.is_nil(first.headers["content-type"])
    assert.equal("text/plain", second.headers["content-type"])
    assert.matches("^Basic ", first.headers.authorization)
  end)
end)

describe("session.request", function()
  it("checks what the user gave", function()
    open {}
    local request = requesters.request(shared, "POST", "/v1/x",
      { form = { A = 1 }, query = { B = 2 }, headers = { ["X-C"] = "3" } })
    assert.same({ "POST", "https://flex-api.twilio.com/v1/x?B=2", "A=1",
      "3" }, { request.method, request.url, request.body,
      request.headers["X-C"] })
    for what, arguments in pairs {
      ["argument 2 must be a path"] = { "x", {} },
      ["option 'query': "] = { "/x", { query = { "a" } } },
      ["option 'headers': "] = { "/x", { headers = { Host = "x" } } },
      ["not both"] = { "/x", { form = {}, json = 1 } },
    } do
      local made, wrong = requesters.request(shared, "GET", arguments[1],
        arguments[2])
      assert.is_nil(made)
      assert.matches(what, wrong, 1, true)
    end
  end)
end)

describe("session:call", function()
  it("is a JSON object, or true for DELETE", function()
    open { { body = { a = 1 } }, { status = 204 }, { body = "[1]" },
      { body = "5" }, { status = 500 } }
    assert.same({ a = 1 }, (shared:call({ method = "GET", path = "/v1/x",
      query = { { "A", "b c" } } }, {})))
    assert.matches("/v1/x%?A=b[+%%]", transport.requests[1].url)
    assert.is_true((shared:call({ method = "DELETE", path = "/v1/x" }, {})))
    assert.same({ 1 }, (shared:call({ method = "GET", path = "/v1/x" }, {})))
    local data, err = shared:call({ method = "GET", path = "/v1/x" }, {})
    assert.is_nil(data)
    assert.equal("protocol", err.kind)
    data, err = shared:call({ method = "POST", path = "/v1/x" }, {})
    assert.is_nil(data)
    assert.equal("http", err.kind)
  end)
end)

describe("session:own", function()
  it("follows links to its own origin alone", function()
    open {}
    local home = "https://flex-api.twilio.com"
    assert.equal(home .. "/v1/x?a=b", shared:own(home .. "/v1/x?a=b"))
    assert.equal(home .. "/v1/x", shared:own "/v1/x")
    for _, link in ipairs { "", "v1", "/", "//evil.example/", home,
      home .. ".evil.example/", home .. "@evil.example/", home .. ":444/",
      "http://flex-api.twilio.com/", "file:///x", home .. "/a b",
      home .. "/a\\b", home .. "/a#b", home .. "/\0" } do
      assert.is_nil(shared:own(link), link)
    end
  end)
end)

describe("session:instance", function()
  local CONFIGURATION = { body = { flex_instance_sid = sids.instance } }

  it("is the one that was configured", function()
    open({}, { instance_sid = sids.instance })
    assert.equal(sids.instance, shared:instance {})
    assert.equal(0, #transport.requests)
  end)

  it("is asked for once", function()
    open { CONFIGURATION }
    for _ = 1, 3 do
      assert.equal(sids.instance, (shared:instance {}))
    end
    assert.equal(1, #transport.requests)
    assert.equal("https://flex-api.twilio.com/v1/Configuration",
      transport.requests[1].url)
  end)

  it("is asked for again after a failure", function()
    open { { status = 403 }, CONFIGURATION }
    local instance, err = shared:instance {}
    assert.is_nil(instance)
    assert.equal("auth", err.kind)
    assert.equal(sids.instance, (shared:instance {}))
  end)

  for _, value in ipairs { 5, "", "../x", sids.account } do
    it("must be one: " .. tostring(value), function()
      open { { body = { flex_instance_sid = value } } }
      local instance, err = shared:instance {}
      assert.is_nil(instance)
      assert.equal("protocol", err.kind)
      assert.matches("flex_instance_sid", err.message)
      assert.matches("/v1/Configuration$", err.url)
    end)
  end
end)

describe("session:close", function()
  it("wipes the secrets, once", function()
    open {}
    local header = shared.auth.header
    shared:close()
    shared:close()
    assert.is_false(pcall(header.reveal, header))
  end)

  it("waits with the secrets for what still runs", function()
    local kept
    open { function(request)
      shared:close()
      kept = pcall(shared.auth.header.reveal, shared.auth.header)
      return { status = 400, body = { message = "no " .. request.method
        .. api.token } }
    end }
    local _, err = shared:send({ method = "GET",
      url = shared.base_url .. "/v1/x" }, {})
    assert.is_true(kept)
    assert.not_matches(api.token, tostring(err), 1, true)
    assert.is_false(pcall(shared.auth.header.reveal, shared.auth.header))
  end)
end)
