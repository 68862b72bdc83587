local events = require "flexhooks.events"
local flexhooks = require "flexhooks"
local testing = require "flexhooks.testing"

local URL = "https://company.example/flex/events?team=a%20b#rc=2"

local router, seen

local function receiver(changes)
  local given = { auth_token = "secret", public_url = URL, router = router,
    methods = { "GET", "POST" } }
  for name, value in pairs(changes or {}) do
    given[name] = value
  end
  return flexhooks.receiver(given)
end

local function request(event, changes)
  local given = { auth_token = "secret", url = URL }
  for name, value in pairs(changes or {}) do
    given[name] = value
  end
  return testing.request(event, given)
end

before_each(function()
  router, seen = flexhooks.router(), {}
  router:on("*", function(event, context)
    seen[#seen + 1] = { event = event, context = context }
  end)
end)

describe("testing.event", function()
  it("is whole and lawful, whatever its type", function()
    for _, name in ipairs(events.names()) do
      local event = testing.event(name)
      local copy = {}
      for field, value in pairs(event) do
        copy[field] = value
      end
      assert.same(event, (events.normalize(copy)))
      for field in pairs(events.fields(name)) do
        assert.is_not_nil(event[field], field)
      end
    end
  end)

  it("takes an older name and is canonical", function()
    assert.equal("onChannelStatusUpdated",
      testing.event("onChannelUpdated").EventType)
  end)

  it("has SIDs of its own, and one account", function()
    local a = testing.event "onChannelCreated"
    local b = testing.event "onChannelCreated"
    assert.not_equal(a.InteractionSid, b.InteractionSid)
    assert.equal(a.AccountSid, b.AccountSid)
  end)

  it("takes fields, and leaves out what is false", function()
    local event = testing.event("onParticipantJoined",
      { ParticipantType = "customer", TaskSid = false, Tag = "x" })
    assert.equal("customer", event.ParticipantType)
    assert.is_nil(event.TaskSid)
    assert.equal("x", event.Tag)
  end)

  it("raises for what it does not know", function()
    for _, arguments in ipairs { { "onChanelCreated" }, { 5 }, {},
      { "onChannelCreated", "x" } } do
      local ok, err = pcall(function()
        return (testing.event(arguments[1], arguments[2]))
      end)
      assert.is_false(ok)
      assert.equal("argument", err.kind)
      assert.is_truthy(err.message:find("testing_spec.lua:%d+: testing.event"))
    end
  end)
end)

describe("testing.request", function()
  for _, changes in ipairs {
    {}, { method = "GET" }, { content_type = "application/json" },
    { content_type = "application/x-www-form-urlencoded" },
  } do
    it("is taken by a receiver, as " .. (changes.method or "POST") .. " "
      .. (changes.content_type or ""), function()
        for _, name in ipairs(events.names()) do
          seen = {}
          local event = testing.event(name, { Tag = "ü&=+ %", Empty = "" })
          local response = receiver():handle(request(event, changes))
          assert.equal(200, response.status)
          assert.same(event, seen[1].event)
          assert.equal(name, seen[1].context.wire_type)
        end
      end)
  end

  it("is signed by a shared key in place of the token", function()
    local id = "webhooks_sharedkey_1"
    local event = testing.event "onChannelCreated"
    for _, algorithm in ipairs { "HMAC_SHA1", "HMAC_SHA256" } do
      local r = receiver { auth_token = false, shared_keys = { [id] = {
        secret = "shared", algorithm = algorithm } } }
      for _, changes in ipairs { {}, { method = "GET" },
        { content_type = "application/json" } } do
        changes.auth_token, changes.url = nil, URL
        changes.shared_key, changes.shared_key_id = "shared", id
        changes.algorithm = algorithm ~= "HMAC_SHA256" and algorithm or nil
        local made = testing.request(event, changes)
        assert.equal("key=" .. id .. ",algorithm=" .. algorithm,
          made.headers["X-Twilio-Webhooks-Signature-Settings"])
        assert.equal(200, r:handle(made).status)
      end
    end
    assert.is_nil(request(event)
      .headers["X-Twilio-Webhooks-Signature-Settings"])
  end)

  it("sends a repeated field, and a list of events", function()
    receiver():handle(request(testing.event("onChannelCreated",
      { Tag = { "b", "a" } })))
    assert.same({ "a", "b" }, seen[1].event.Tag)
    receiver():handle(request({ testing.event "onChannelCreated",
      testing.event "onParticipantLeft" },
      { content_type = "application/json" }))
    assert.equal("onChannelCreated", seen[2].event.EventType)
    assert.equal("onParticipantLeft", seen[3].event.EventType)
  end)

  it("sends numbers with all their digits", function()
    receiver():handle(request(testing.event("onChannelCreated",
      { Large = 1e15, Whole = 5.0, Third = 1 / 3, Yes = true })))
    local event = seen[1].event
    assert.same({ "1000000000000000", "5", "0.3333333333333333", "true" },
      { event.Large, event.Whole, event.Third, event.Yes })
  end)

  it("has a token of its own, or the one given", function()
    local r, event = receiver(), testing.event "onChannelCreated"
    r:handle(request(event))
    r:handle(request(event))
    assert.equal(2, #seen)
    r:handle(request(event, { idempotency_token = "t" }))
    r:handle(request(event, { idempotency_token = "t" }))
    assert.equal(3, #seen)
    local header = request(event).headers["I-Twilio-Idempotency-Token"]
    assert.is_truthy(header:find "^%x+%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x+$")
  end)

  it("takes headers, and leaves out what is false", function()
    local made = request(testing.event "onChannelCreated", { headers = {
      ["X-Twilio-Signature"] = false, Host = "x", ["Content-Type"] = "a/b" } })
    assert.is_nil(made.headers["X-Twilio-Signature"])
    assert.equal("x", made.headers.Host)
    assert.equal("a/b", made.headers["Content-Type"])
    assert.equal("/flex/events?team=a%20b", made.target)
  end)

  it("raises for what cannot be signed or sent", function()
    local event = testing.event "onChannelCreated"
    for _, arguments in ipairs {
      { "x", { auth_token = "a", url = URL } },
      { event },
      { event, { url = URL } },
      { event, { auth_token = "a" } },
      { event, { auth_token = "a", url = "flex/events" } },
      { event, { auth_token = "a", url = "ftp://company.com/" } },
      { event, { auth_token = "a", url = URL, method = "PUT" } },
      { event, { auth_token = "a", url = URL, content_type = "a/b" } },
      { event, { auth_token = "a", urls = URL } },
      { event, { shared_key = "a", url = URL } },
      { event, { shared_key_id = "webhooks_sharedkey_1", url = URL } },
      { event, { shared_key = "a", shared_key_id = "x", url = URL } },
      { event, { auth_token = "a", shared_key = "a", url = URL,
        shared_key_id = "webhooks_sharedkey_1" } },
      { event, { algorithm = "HMAC_SHA1", url = URL } },
      { event, { shared_key = "a", url = URL, algorithm = "HMAC_SHA512",
        shared_key_id = "webhooks_sharedkey_1" } },
      { { Deep = { { 1 } } }, { auth_token = "a", url = URL } },
      { { Hole = { "a", nil, "c" } }, { auth_token = "a", url = URL } },
      { { Number = 0 / 0 }, { auth_token = "a", url = URL } },
      { { f = print }, { auth_token = "a", url = URL } },
      { { event }, { auth_token = "a", url = URL, method = "GET" } },
      { { f = print }, { auth_token = "a", url = URL,
        content_type = "application/json" } },
    } do
      local ok, err = pcall(function()
        return (testing.request(arguments[1], arguments[2]))
      end)
      assert.is_false(ok)
      assert.is_truthy(tostring(err):find("testing.request", 1, true))
    end
  end)
end)

describe("testing.context", function()
  it("is whole, and a router takes it", function()
    local context = testing.context { attempt = 3, client = {} }
    local event = testing.event "onChannelCreated"
    assert.is_true(router:dispatch(event, context))
    assert.equal(context, seen[1].context)
    assert.equal(3, context.attempt)
    assert.equal("onChannelCreated", context.wire_type)
    context.log("info", "x")
  end)

  it("is a copy", function()
    local given = { state = { 1 } }
    testing.context(given)
    assert.is_nil(given.id)
    assert.has_error(function() testing.context "x" end)
  end)
end)

describe("testing.transport", function()
  it("answers from a list", function()
    local transport = testing.transport { { status = 204 } }
    assert.equal(204, transport:send({ method = "GET", url = "u" }).status)
    assert.equal("u", transport.requests[1].url)
  end)
end)
