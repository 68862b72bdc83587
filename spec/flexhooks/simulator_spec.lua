local flexhooks = require "flexhooks"
local process = require "spec.support.process"
local simulator = require "flexhooks.simulator"

local ACCOUNT = "AC" .. ("a"):rep(32)
local EVENTS = require("flexhooks.events").names()

-- Runs `f(sim, client)` beside a simulator of its own.
local function with(settings, f)
  settings.account_sid = settings.account_sid or ACCOUNT
  settings.auth_token = settings.auth_token or "token"
  settings.speed = settings.speed or 200
  flexhooks.run(function()
    local sim = assert(simulator.new(settings))
    local client = flexhooks.client { account_sid = ACCOUNT,
      auth_token = "token", base_url = sim.url, max_retries = 0 }
    local ok, err = xpcall(f, debug.traceback, sim, client)
    sim:close()
    if not ok then
      error(err, 0)
    end
  end)
end

-- Calls `f(url, handled)` beside the product's own server; `handled` lists
-- the types of the events that its handler got.
local function receive(f, changes)
  local handled, server = {}, nil
  local router = flexhooks.router()
  router:on("*", function(event)
    handled[#handled + 1] = event.EventType
  end)
  local port = process.port()
  local url = "http://127.0.0.1:" .. port .. "/flex/events"
  local app = { router = router, auth_token = "token", public_url = url,
    sources = { [url .. "/own"] = "interaction" },
    methods = { "POST", "GET" }, port = port }
  for name, value in pairs(changes or {}) do
    app[name] = value
  end
  local task = flexhooks.spawn(function()
    return assert(flexhooks.serve {
      app = app,
      logger = function() end,
      signals = false,
      on_ready = function(it)
        server = it
      end,
    })
  end)
  while not server do
    local _, err = task:wait(0.01)
    assert(err and err.kind == "timeout", err)
  end
  f(url, handled)
  server:stop(1)
  task:wait()
end

local function begin(client, fields)
  fields.channel = fields.channel or { type = "sms" }
  return assert(client.interactions:create(fields))
end

local function statuses(deliveries)
  local list = {}
  for i, delivery in ipairs(deliveries) do
    list[i] = delivery.status or delivery.error
  end
  return list
end

describe("simulator", function()
  it("answers our client", function()
    with({ instance_sid = "GO" .. ("b"):rep(32) }, function(_, client)
      for i = 1, 5 do
        local webhook = assert(client.webhooks:create {
          webhook_url = "https://h.example/" .. i,
          webhook_events = { "onChannelCreated" },
          type = i == 1 and "interaction" or "global",
        })
        assert.matches("^flex_interactionwebhook_", webhook.ttid)
      end
      assert.equal(5, #assert(client.webhooks:list { page_size = 2 }))
      local own = assert(client.webhooks:list { type = "interaction" })[1]
      assert(own:update { friendly_name = "x" })
      assert.equal("x", assert(client.webhooks:get(own.ttid)).friendly_name)
      assert.is_true(own:delete())
      local gone, err = client.webhooks:get(own.ttid)
      assert.is_nil(gone)
      assert.equal("not_found", err.kind)
      assert.equal(20404, err.code)
      assert.matches("^RQ", err.request_id)
    end)
  end)

  it("shows an interaction with all that hangs on it", function()
    with({ scenario = "open" }, function(sim, client)
      local interaction = begin(client, {})
      assert.is_true(sim:settle(60))
      local channel = assert(interaction.channels:list())[1]
      assert.equal("active", channel.status)
      assert.equal("customer",
        assert(channel.participants:list())[1].type)
      local agent = assert(channel.participants:create {
        type = "agent", media_properties = { name = "A" } })
      assert(channel.participants:update(agent.sid, { status = "closed" }))
      assert(channel.invites:create { routing = { properties = {} } })
      assert.equal(1, #assert(channel.invites:list()))
      local transfer = assert(channel.transfers:create {
        type = "warm", to = "WK1" })
      assert.equal("active",
        assert(channel.transfers:get(transfer.sid)).status)
      assert(channel.transfers:update(transfer.sid, { status = "completed" }))
      assert(interaction.channels:update(channel.sid, { status = "closed" }))
      assert.is_true(sim:settle(60))
      local events = sim:history()
      assert.equal("onChannelStatusUpdated", events[#events].event.EventType)
    end)
  end)

  it("delivers to the global webhook and the interaction's own", function()
    with({}, function(sim, client)
      receive(function(url, handled)
        assert(client.webhooks:create { webhook_url = url,
          webhook_events = EVENTS })
        local own = assert(client.webhooks:create { type = "interaction",
          webhook_url = url .. "/own", webhook_events = EVENTS,
          webhook_method = "GET" })
        begin(client, { webhook = own })
        begin(client, { channel = { type = "voice" } })
        assert.is_true(sim:settle(60))
        local events, deliveries = sim:history()
        assert.equal(16, #events)
        assert.equal(24, #deliveries)
        for _, status in ipairs(statuses(deliveries)) do
          assert.equal(200, status)
        end
        assert.equal(16, #handled)
      end)
    end)
  end)

  it("is refused where it signs wrongly", function()
    with({ missign = 1, scenario = "failed" }, function(sim, client)
      receive(function(url, handled)
        assert(client.webhooks:create { webhook_url = url,
          webhook_events = EVENTS })
        begin(client, {})
        assert.is_true(sim:settle(60))
        assert.same({ 403, 403 }, statuses(select(2, sim:history())))
        assert.same({}, handled)
      end)
    end)
  end)

  it("signs with a shared key, rightly or wrongly", function()
    local id = "webhooks_sharedkey_1"
    for missign, expected in pairs { [0] = 200, [1] = 403 } do
      with({ missign = missign, scenario = "failed", shared_key = "secret",
        shared_key_id = id, algorithm = "HMAC_SHA1" }, function(sim, client)
          receive(function(url)
            assert(client.webhooks:create { webhook_url = url,
              webhook_events = EVENTS })
            begin(client, {})
            assert.is_true(sim:settle(60))
            assert.same({ expected, expected },
              statuses(select(2, sim:history())))
          end, { auth_token = false, shared_keys = { [id] = {
            secret = "secret", algorithm = "HMAC_SHA1" } } })
        end)
    end
  end)

  it("brings trouble from the seed, the same every time", function()
    local function troubles(seed)
      local list = {}
      with({ seed = seed, drop = 0.5 }, function(sim, client)
        assert(client.webhooks:create { webhook_url = "http://127.0.0.1:1/",
          webhook_events = EVENTS })
        begin(client, {})
        assert.is_true(sim:settle(60))
        for i, outcome in ipairs(statuses(select(2, sim:history()))) do
          list[i] = outcome
        end
      end)
      return list
    end
    local first = troubles "a"
    assert.equal(8, #first)
    assert.same(first, troubles "a")
    assert.not_same(first, troubles "b")
  end)

  it("tries a refused connection once more", function()
    with({ scenario = "failed" }, function(sim, client)
      assert(client.webhooks:create { webhook_url = "http://127.0.0.1:1/",
        webhook_events = EVENTS })
      begin(client, {})
      assert.is_true(sim:settle(60))
      local _, deliveries = sim:history()
      assert.equal("connect", deliveries[1].error)
      assert.equal(2, deliveries[1].attempts)
    end)
  end)

  it("stops in the middle of a life", function()
    with({ speed = 0.01 }, function(sim, client)
      begin(client, {})
      assert.is_false(sim:idle())
      assert.is_false(sim:settle(0.02))
      sim:close()
      sim:close()
      local _, err = client.interactions:get("KD" .. ("0"):rep(32))
      assert.equal("connect", err.kind)
    end)
  end)

  it("refuses options that make no sense", function()
    for wrong, settings in pairs {
      ["unknown option 'spede' %(did you mean 'speed'%?%)"] = { spede = 2 },
      ["'drop' must be at most 1"] = { drop = 2 },
      ["'shared_key' is missing"] = { shared_key_id = "x" },
      ["'shared_key' has a name"] = { shared_key_id = "x",
        shared_key = "y" },
      ["'scenario' must be one of"] = { scenario = "x" },
      ["'account_sid' needs 'auth_token'"] = { account_sid = ACCOUNT },
    } do
      local ok, err = pcall(simulator.new, settings)
      assert.is_false(ok)
      assert.matches(wrong, tostring(err))
    end
  end)

  it("says why it cannot listen", function()
    with({}, function(sim)
      local other, err = simulator.new { port = sim.port }
      assert.is_nil(other)
      assert.equal("listen", err.kind)
    end)
  end)

  it("serves until it is told to stop", function()
    assert.is_function(simulator.serve)
    local command = require "spec.support.command"
    for _, signal in ipairs { "TERM", "INT" } do
      local child = command.spawn({ "simulate", "--port", "0" })
      assert.matches("^%d+$", child:wait_output
        "listening on http://127%.0%.0%.1:(%d+)\n")
      assert.equal(0, child:stop(signal))
      assert.equal("", child:stderr())
    end
  end)
end)
