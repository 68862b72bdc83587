local api = require "spec.support.canned"
local sids = require "spec.data.sids"

local client, transport

local function connect(answers, options)
  client, transport = api.client(answers, options)
end

after_each(function()
  if client then
    client:close()
  end
end)

describe("an object", function()
  it("carries the wire's names, and the whole answer in data", function()
    connect { { body = api.webhook { brand_new = { a = 1 }, refresh = "taken",
      created_at = "taken" } } }
    local webhook = client.webhooks:get(api.ttid)
    assert.equal("https://company.example/flex/events", webhook.webhook_url)
    assert.same({ a = 1 }, webhook.brand_new)
    assert.equal("function", type(webhook.refresh))
    assert.equal("taken", webhook.data.refresh)
    assert.equal(1738867188.602, webhook.created_at)
    assert.equal("taken", webhook.data.created_at)
    assert.is_nil(webhook.no_such_field)
  end)

  it("shows what it is", function()
    connect {}
    assert.equal("flexhooks.webhook: " .. api.ttid,
      tostring(client.webhooks:ref(api.ttid)))
    assert.equal("flexhooks.interaction: " .. sids.interaction,
      tostring(client.interactions:ref(sids.interaction)))
  end)

  it("is refreshed in place, losing what is gone", function()
    connect { { body = api.webhook { friendly_name = "old", brand_new = 1 } },
      { body = api.webhook { webhook_method = "GET" } } }
    local webhook = client.webhooks:get(api.ttid)
    assert.equal(webhook, webhook:refresh())
    assert.equal("GET", webhook.webhook_method)
    assert.is_nil(webhook.friendly_name)
    assert.is_nil(webhook.brand_new)
    assert.is_nil(webhook.data.friendly_name)
  end)

  it("stays as it was where a refresh fails", function()
    connect { { body = api.webhook { friendly_name = "old" } },
      { status = 404 },
      { body = { ttid = 5 } } }
    local webhook = client.webhooks:get(api.ttid)
    for _, kind in ipairs { "not_found", "protocol" } do
      local refreshed, err = webhook:refresh()
      assert.is_nil(refreshed)
      assert.equal(kind, err.kind)
      assert.equal("old", webhook.friendly_name)
    end
  end)

  it("of a ref is whole after a refresh", function()
    connect { { body = api.webhook() } }
    local webhook = client.webhooks:ref(api.ttid)
    assert.equal(0, #transport.requests)
    assert.equal(api.ttid, webhook.ttid)
    assert.is_nil(webhook.data)
    assert.is_nil(webhook.type)
    assert(webhook:refresh())
    assert.equal("global", webhook.type)
  end)

  it("can be copied into a new one", function()
    connect { { body = api.webhook { brand_new = 1 } },
      { body = api.webhook() },
      { body = api.webhook() } }
    local webhook = client.webhooks:get(api.ttid)
    local copy = {}
    for name, value in pairs(webhook) do
      copy[name] = value
    end
    copy.brand_new = nil
    assert(client.webhooks:create(copy))
    assert.same({ Type = "global", WebhookEvents = "onChannelCreated",
      WebhookMethod = "POST",
        WebhookUrl = "https://company.example/flex/events" },
      api.form(transport.requests[2].body))
    assert(client.webhooks:create(api.webhook()))
    assert.equal(transport.requests[2].body, transport.requests[3].body)
  end)

  it("that lost its id says so", function()
    connect {}
    local webhook = client.webhooks:ref(api.ttid)
    webhook.ttid = "../Accounts"
    for _, method in ipairs { "refresh", "delete" } do
      local err = api.raised(function()
        webhook[method](webhook)
      end)
      assert.matches("webhook:" .. method .. ": ttid must be a ttid",
        err.message,
        1, true)
    end
    assert.equal(0, #transport.requests)
  end)
end)

describe("a call", function()
  it("takes options of its own last", function()
    connect { { status = 204 }, { body = api.webhook() },
      { body = api.webhook() },
      { body = api.webhook() }, { body = { data = {} } },
        { body = { data = {} } },
      { body = api.webhook() }, { body = api.webhook() }, { status = 204 } }
    local o, webhooks = { timeout = 7, max_retries = 0 }, client.webhooks
    webhooks:delete(api.ttid, o)
    webhooks:get(api.ttid, o)
    webhooks:update(api.ttid, { friendly_name = "x" }, o)
    webhooks:create({ webhook_url = "https://a.example",
      webhook_events = { "*" } }, o)
    webhooks:list({}, o)
    webhooks:each(nil, o)()
    local webhook = webhooks:ref(api.ttid)
    webhook:refresh(o)
    webhook:update({ friendly_name = "x" }, o)
    webhook:delete(o)
    assert.equal(9, #transport.requests)
    for _, request in ipairs(transport.requests) do
      assert.equal(7, request.timeout)
      assert.equal(7, request.connect_timeout)
    end
  end)

  it("that lists takes them in its only table too", function()
    local page = { body = { data = {} } }
    connect { page, page, page }
    client.webhooks:list { timeout = 7, limit = 3 }
    client.webhooks:each { timeout = 7, max_retries = 0 }()
    client.webhooks:list({ timeout = 5 }, { timeout = 7 })
    assert.equal(3, #transport.requests)
    for _, request in ipairs(transport.requests) do
      assert.equal(7, request.timeout)
    end
    for _, call in ipairs { "list", "each" } do
      local err = api.raised(function()
        client.webhooks[call](client.webhooks, { timeout = 0 })
      end)
      assert.matches("resource_spec.lua:%d+: client.webhooks:" .. call
        .. ": option 'timeout'", err.message)
    end
  end)

  it("is repeated as often as its options say", function()
    local SOON = { ["Retry-After"] = "0" }
    connect { { status = 429, headers = SOON }, { status = 429,
      headers = SOON } }
    local _, err = client.webhooks:get(api.ttid, { max_retries = 1 })
    assert.equal(2, err.attempts)
    assert.equal(2, #transport.requests)
  end)

  it("to nobody's object is a mistake that names the fix", function()
    connect {}
    local webhook = client.webhooks:ref(api.ttid)
    local channels = client.interactions:ref(sids.interaction).channels
    for what, f in pairs {
      ["client.webhooks:create(…)"] = function()
        client.webhooks.create { webhook_url = "https://a.example" }
      end,
      ["client.webhooks:get(…)"] = function()
        client.webhooks.get(api.ttid)
      end,
      ["client.webhooks:list(…)"] = function()
        client.webhooks.list()
      end,
      ["client.webhooks:each(…)"] = function()
        client.webhooks.each {}
      end,
      ["client.webhooks:update(…)"] = function()
        client.webhooks.update(api.ttid, {})
      end,
      ["client.webhooks:delete(…)"] = function()
        client.webhooks.delete(api.ttid)
      end,
      ["client.webhooks:ref(…)"] = function()
        client.webhooks.ref(api.ttid)
      end,
      ["webhook:refresh(…)"] = function()
        webhook.refresh()
      end,
      ["webhook:update(…)"] = function()
        webhook.update { friendly_name = "x" }
      end,
      ["webhook:delete(…)"] = function()
        webhook.delete()
      end,
      ["interaction.channels:list(…)"] = function()
        channels.list {}
      end,
      ["client.interactions:create(…)"] = function()
        client.interactions.create(client.webhooks, {})
      end,
    } do
      local err = api.raised(f)
      assert.equal("argument", err.kind)
      assert.matches("is a method: call it with ':', as in " .. what,
        err.message,
        1, true)
      assert.matches("resource_spec.lua:%d+: ", err.message)
    end
    assert.equal(0, #transport.requests)
  end)

  local METHODS = { "create", "get", "list", "each", "update", "delete", "ref",
    "refresh", "request", "instance" }

  local function subjects()
    local interaction = client.interactions:ref(sids.interaction)
    local channel = interaction.channels:ref(sids.channel)
    return { client, client.webhooks, client.interactions,
      client.webhooks:ref(api.ttid), interaction, interaction.channels,
        channel,
      channel.participants, channel.participants:ref(sids.participant),
      channel.invites, channel.transfers,
      channel.transfers:ref(sids.make "UX") }
  end

  -- Every method with every kind of argument in every position, on real
  -- objects and on nonsense: an error object is raised, or returned, and no
  -- other error.
  it("survives nonsense", function()
    local nonsense = { false, true, 0, -1, 0.5, 0 / 0, 1 / 0, "", "x", "\0",
      ("x"):rep(1e5), {}, { 1 }, { x = 1 }, print, coroutine.create(print),
      io.stdout }
    local send = { send = function()
      return { status = 400, body = "{}" }
    end }
    connect({}, { transport = send, rate_limit = 1e9 })
    local called, others = 0, {}
    local function call(method, ...)
      local ok, raised = pcall(method, ...)
      called = called + 1
      if not ok and (type(raised) ~= "table" or raised.kind ~= "argument") then
        others[#others + 1] = tostring(raised)
      end
    end
    for _, subject in ipairs(subjects()) do
      for _, name in ipairs(METHODS) do
        local method = subject[name]
        for _, value in ipairs(method and nonsense or {}) do
          call(method)
          call(method, value)
          call(method, subject)
          call(method, subject, value)
          call(method, subject, nil, value)
          call(method, subject, value, value, value)
          call(method, subject, "GET", value)
          call(method, subject, "GET", "/x", value)
        end
      end
    end
    assert.same({}, others)
    assert.is_true(called > 4000)
  end)

  it("takes three hundred arguments", function()
    connect {}
    local many = {}
    for i = 1, 300 do
      many[i] = "x"
    end
    local err = api.raised(client.webhooks.create,
      (table.unpack or unpack)(many))
    assert.equal("argument", err.kind)
  end)
end)

describe("an answer", function()
  -- what to call, the answer's object, a plain part of the message
  local function get_webhook()
    return client.webhooks:get(api.ttid)
  end
  local function get_interaction()
    return client.interactions:get(sids.interaction)
  end
  local function get_channel()
    return client.interactions:ref(sids.interaction).channels:get(sids.channel)
  end
  local U = "https://flex-api.twilio.com/v1/x"
  local ROWS = {
    { get_webhook, { ttid = 5 }, "ttid must be a ttid" },
    { get_webhook, { url = U }, "ttid must be a ttid" },
    { get_webhook, { ttid = "../x", url = U }, "ttid must be a ttid" },
    { get_webhook, { ttid = api.ttid .. "?a=b" }, "ttid must be a ttid" },
    { get_webhook, api.webhook { webhook_url = 5 },
      "webhook_url must be string, got number" },
    { get_webhook, api.webhook { webhook_events = "onX" },
      "webhook_events must be array, got string" },
    { get_webhook, api.webhook { friendly_name = true },
      "friendly_name must be string, got boolean" },
    { get_interaction, { sid = 5 }, "sid must be a SID: KD" },
    { get_interaction, { sid = sids.channel }, "sid must be a SID: KD" },
    { get_interaction, { sid = sids.interaction, url = 5 },
      "url must be string, got number" },
    { get_interaction, { sid = sids.interaction, links = "x" },
      "links must be object, got string" },
    { get_interaction, { sid = sids.interaction, webhook_ttid = {} },
      "webhook_ttid must be string, got table" },
    { get_channel, { sid = sids.channel, error_code = "19025" },
      "error_code must be number, got string" },
    { get_channel, { sid = sids.channel, status = 1 },
      "status must be string, got number" },
  }
  for i, row in ipairs(ROWS) do
    it("of the wrong type is refused by name: " .. i, function()
      connect { { body = row[2],
        headers = { ["Twilio-Request-Id"] = "RQ1" } } }
      local object, err = row[1]()
      assert.is_nil(object)
      assert.equal("protocol", err.kind)
      assert.matches("in the answer, " .. row[3], err.message, 1, true)
      assert.same({ "GET", 200, "RQ1", 1 },
        { err.method, err.status, err.request_id, err.attempts })
      assert.equal(1, #transport.requests)
    end)
  end

  it("with a null URL is refused, one without is not", function()
    connect { { body = '{"sid":"' .. sids.interaction .. '","url":null}' },
      { body = '{"sid":"' .. sids.interaction .. '","routing":null}' },
      { body = '{"ttid":"' .. api.ttid .. '","webhook_url":null}' } }
    local _, err = get_interaction()
    assert.equal("protocol", err.kind)
    assert.matches("url must be string, got null", err.message, 1, true)
    assert.is_nil(assert(get_interaction()).routing)
    _, err = get_webhook()
    assert.matches("webhook_url must be string, got null", err.message, 1,
      true)
  end)

  for what, body in pairs { ["not JSON"] = "<html>", ["not JSON: "] = "",
    ["not a JSON object"] = "5", ["it is null"] = "null" } do
    it("that is " .. what .. " is refused", function()
      connect { { body = body }, { body = body } }
      local _, err = get_webhook()
      assert.equal("protocol", err.kind)
      assert.matches(what, err.message, 1, true)
      assert.is_nil(err.maybe_applied)
      _, err = client.webhooks:update(api.ttid, { friendly_name = "x" })
      assert.equal("protocol", err.kind)
      assert.is_true(err.maybe_applied)
    end)
  end

  it("to a DELETE may hold anything", function()
    connect { { status = 204 }, { status = 200, body = "gone" },
      { status = 202, body = "{" } }
    for _ = 1, 3 do
      assert.is_true(client.webhooks:delete(api.ttid))
    end
  end)

  it("of any 2xx will do", function()
    connect { { status = 200, body = api.webhook() },
      { status = 201, body = api.webhook() }, { status = 202,
      body = api.webhook() } }
    for _ = 1, 3 do
      assert(get_webhook())
    end
  end)
end)

describe("a copy of the machinery", function()
  it("makes classes of descriptions", function()
    local resource = require "flexhooks.client.resources.resource"
    local ids = require "flexhooks.util.ids"
    local Thing = resource.define { name = "thing", plural = "things",
      id = "sid",
      id_check = ids.sid "XX", answer = { sid = "string" }, get = true }
    local sent = {}
    local things = resource.open(Thing, { call = function(_, request)
      sent[#sent + 1] = request.path
      return { sid = sids.make "XX" }, {}
    end }, "/v1/Things")
    assert.equal(sids.make "XX", things:get(sids.make "XX").sid)
    assert.same({ "/v1/Things/" .. sids.make "XX" }, sent)
    assert.is_nil(things.create)
    assert.is_nil(things.list)
    assert.is_nil(things:ref(sids.make "XX").delete)
  end)
end)
