local flexhooks = require "flexhooks"
local provision = require "flexhooks.provision"
local provisioned = require "spec.support.provisioned"

local hook, own, url = provisioned.hook, provisioned.own, provisioned.url
local bench

before_each(function()
  bench = provisioned.start()
end)

after_each(function()
  bench:stop()
end)

-- "create all" for each change.
local function actions(plan)
  local list = {}
  for i, change in ipairs(plan.changes) do
    list[i] = change.action .. " " .. (change.friendly_name or "-")
  end
  return list
end

describe("a plan", function()
  it("creates what is missing, and then there is nothing to do", function()
    local hooks = { hook(), hook(own) }
    local plan = bench:plan(hooks)
    assert.same({ "create all", "create own" }, actions(plan))
    assert.same({}, bench:registered())
    assert.equal(2, assert(plan:apply()).create)
    assert.equal(2, #bench:registered())
    bench:settled(hooks)
    assert.same({ "unchanged all", "unchanged own" },
      actions(bench:plan(hooks)))
  end)

  it("compares events as a set of canonical names", function()
    bench:apply { hook { webhook_events = { "onChannelUpdated",
      "onChannelCreated" } } }
    bench:settled { hook { webhook_events = { "onChannelCreated",
      "onChannelStatusUpdated", "onChannelCreated" } } }
    bench:apply { hook { webhook_events = { "*" } } }
    bench:settled { hook { webhook_events = flexhooks.events.names() } }
  end)

  it("changes only what differs, field by field", function()
    bench:apply { hook(), hook(own) }
    local plan = bench:plan { hook { webhook_events = { "onChannelCreated" },
      webhook_url = url .. "/new" }, hook(own) }
    assert.same({ "update all", "unchanged own" }, actions(plan))
    local fields = plan.changes[1].fields
    assert.same({ from = url, to = url .. "/new" }, fields.webhook_url)
    assert.is_nil(fields.type)
    assert.matches('webhook_url: "' .. url .. '" -> "' .. url .. '/new"',
      tostring(plan), 1, true)
    assert.matches("webhook_events: - onParticipantJoined", tostring(plan), 1,
      true)
    local ttid = plan.changes[1].ttid
    assert.equal(1, assert(plan:apply()).update)
    assert.equal(url .. "/new",
      assert(bench.client.webhooks:get(ttid)).webhook_url)
  end)

  it("leaves alone what the file does not say", function()
    bench:apply { hook { webhook_method = "GET" } }
    bench:settled { hook() }
    assert.equal("GET", bench.client.webhooks:list()[1].webhook_method)
  end)

  it("replaces where the type changes, the new one first", function()
    bench:apply { hook() }
    local old = bench.client.webhooks:list()[1].ttid
    local plan = bench:plan { hook { type = "interaction" } }
    assert.same({ "replace all" }, actions(plan))
    assert.equal(1, assert(plan:apply()).replace)
    local list = assert(bench.client.webhooks:list())
    assert.equal(1, #list)
    assert.equal("interaction", list[1].type)
    assert.not_equal(old, list[1].ttid)
  end)

  it("adopts what has another name, but the same url and type", function()
    local old = hook { friendly_name = "old" }
    local made = assert(bench.client.webhooks:create(old))
    local plan = bench:plan { hook() }
    assert.same({ "update all" }, actions(plan))
    assert.is_true(plan.changes[1].adopted)
    assert(plan:apply())
    assert.equal("all", bench.client.webhooks:get(made.ttid).friendly_name)
  end)

  it("lets no entry adopt what another has by name", function()
    assert(bench.client.webhooks:create(hook { friendly_name = "b" }))
    local plan = bench:plan { hook { friendly_name = "a" },
      hook { friendly_name = "b", webhook_url = url .. "/b" } }
    assert.same({ "create a", "update b" }, actions(plan))
  end)

  it("prunes what it owns, and only when asked", function()
    bench:apply { hook(), hook(own) }
    assert(bench.client.webhooks:create(hook { friendly_name = "theirs",
      webhook_url = "https://other.example/events" }))
    local unnamed = hook { webhook_url = url .. "/unnamed" }
    unnamed.friendly_name = nil
    assert(bench.client.webhooks:create(unnamed))
    local plan = bench:plan { hook() }
    assert.same({ "unchanged all" }, actions(plan))
    assert.matches("own .* is not in the file; prune deletes it",
      tostring(plan))
    plan = bench:plan({ hook() }, { prune = true })
    assert.same({ "unchanged all", "delete own" }, actions(plan))
    assert.equal(1, assert(plan:apply()).delete)
    assert.equal(3, #bench:registered())
    bench:settled({ hook() }, { prune = true })
  end)

  it("asks nothing of the API where an entry is wrong", function()
    local untouched = bench:new_client { transport = { send = function()
      error "a request was sent"
    end } }
    for wanted, hooks in pairs {
      ["entry 2: must be a table"] = { hook(), 7 },
      ["did you mean 'webhook_url'"] = { hook { webhok_url = url } },
      ["did you mean 'onChannelCreated'"] = {
        hook { webhook_events = { "onChannelCreate" } } },
      ["entry 1 %(\"all\"%): parameter 'webhook_url'"] = {
        hook { webhook_url = "ftp://company.example" } },
      ["its friendly_name is that of entry 1"] = { hook(),
        hook { webhook_url = url .. "/2" } },
      ["its URL and type are those of entry 1"] = { hook(),
        hook { friendly_name = "again" } },
      ["a list of webhooks is expected, got string"] = "hooks",
      ["it has the key 'all'"] = { all = hook() },
      ["%(and 1 more%)"] = { 1, 2 },
    } do
      local ok, err = pcall(flexhooks.plan, untouched, hooks)
      assert.is_false(ok)
      assert.equal("argument", err.kind)
      assert.matches(wanted, tostring(err))
    end
  end)

  it("refuses wrong arguments where they were given", function()
    for _, call in ipairs {
      function() flexhooks.plan({}, {}) end,
      function() flexhooks.plan(bench.client, {}, { prun = true }) end,
      function() bench:plan({}).apply() end,
      function() bench:plan({}):apply { on_chang = print } end,
      function() flexhooks.export() end,
    } do
      local ok, err = pcall(call)
      assert.is_false(ok)
      assert.equal("argument", err.kind)
      assert.matches("provision_spec", err.message)
    end
  end)

  it("hands on what the API says", function()
    local stranger = bench:new_client { auth_token = "another" }
    assert(bench.client.webhooks:list())
    local plan, err = flexhooks.plan(stranger, { hook() })
    assert.is_nil(plan)
    assert.equal("auth", err.kind)
    local nowhere = bench:new_client { base_url = "http://127.0.0.1:1" }
    plan, err = flexhooks.plan(nowhere, { hook() })
    assert.is_nil(plan)
    assert.equal("connect", err.kind)
  end)
end)

describe("export", function()
  it("writes a file that plans to no changes", function()
    bench:apply { hook { friendly_name = 'quotes " and \\ and\nlines' },
      hook(own) }
    local unnamed = hook { webhook_url = url .. "/unnamed" }
    unnamed.friendly_name = nil
    assert(bench.client.webhooks:create(unnamed))
    local text = assert(flexhooks.export(bench.client))
    local hooks = assert((loadstring or load)(text))()
    assert.equal(3, #hooks)
    bench:settled(hooks, { prune = true })
  end)

  it("writes what cannot stand beside another as a comment", function()
    assert(bench.client.webhooks:create(hook()))
    assert(bench.client.webhooks:create(hook()))
    local text = assert(flexhooks.export(bench.client))
    assert.matches("repeats the name, or the URL and type, of", text, 1, true)
    assert.equal(1, #assert((loadstring or load)(text))())
  end)
end)

describe("drift", function()
  it("tells both ways where a file and a router differ", function()
    local router = flexhooks.router()
    router:on("onChannelCreated", function() end)
    router:on("onParticipantLeft", function() end)
    local unhandled, unsubscribed = flexhooks.drift({ hook() }, router)
    assert.same({ "onParticipantJoined" }, unhandled)
    assert.same({ "onParticipantLeft" }, unsubscribed)
    router:on("*", function() end)
    unhandled = provision.drift({ hook() }, router)
    assert.same({}, unhandled)
  end)
end)
