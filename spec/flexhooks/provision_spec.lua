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

  it("prunes what its owner has, at any URL, and only when asked", function()
    local mine = hook { friendly_name = "teamA/all" }
    for name, at in pairs { ["teamA/old"] = url .. "/old",
      ["teamA/moved"] = "https://other.example/", ["teamAB/x"] = url .. "/ab",
      ["teamA"] = url .. "/bare", ["teama/x"] = url .. "/lower",
      ["teamB/x"] = url .. "/b", ["x teamA/y"] = url .. "/behind" } do
      assert(bench.client.webhooks:create(hook { friendly_name = name,
        webhook_url = at }))
    end
    local unnamed = hook { webhook_url = url .. "/unnamed" }
    unnamed.friendly_name = nil
    assert(bench.client.webhooks:create(unnamed))
    local hooks = { owner = "teamA", mine }
    local plan = bench:plan(hooks)
    assert.same({ "create teamA/all" }, actions(plan))
    assert.matches("teamA/old %(flex_[%w_]+%) is not in the file; prune "
      .. "deletes it", tostring(plan))
    plan = bench:plan(hooks, { prune = true })
    local list = actions(plan)
    table.sort(list)
    assert.same({ "create teamA/all", "delete teamA/moved",
      "delete teamA/old" }, list)
    assert.equal(2, assert(plan:apply()).delete)
    assert.equal(7, #bench:registered())
    bench:settled(hooks, { prune = true })
    bench:settled({ mine }, { prune = true, owner = "teamA" })
  end)

  it("prunes nothing without an owner, and says what it left", function()
    bench:apply { hook(), hook(own), hook { friendly_name = "teamA/x",
      webhook_url = url .. "/x" } }
    local new = hook { friendly_name = "new", webhook_url = url .. "/new" }
    local plan = bench:plan({ hook(), new }, { prune = true })
    assert.same({ "unchanged all", "create new" }, actions(plan))
    for _, name in ipairs { "own", "teamA/x" } do
      assert.matches("! " .. name .. " (flex_", tostring(plan):gsub("%(%g+%)",
        "(flex_"), 1, true)
    end
    local done, err = plan:apply()
    assert.is_nil(done)
    assert.equal("argument", err.kind)
    assert.matches("--owner NAME", err.message, 1, true)
    assert.equal(0, err.details.done.create)
    assert.equal(tostring(err), tostring(plan:refusal()))
    assert.equal(3, #bench:registered())
    assert.is_nil(bench:plan({ hook() }):refusal())
  end)

  it("refuses every entry that lacks the owner's prefix, at once", function()
    local hooks = { owner = "teamA", hook { friendly_name = "teamAB/x" },
      hook { friendly_name = "teamA/good", webhook_url = url .. "/good" },
      hook { friendly_name = "teamA", webhook_url = "ftp://company.example" },
      hook { webhook_url = url .. "/3" }, hook { webhook_url = url .. "/4" } }
    hooks[5].friendly_name = nil
    local ok, err = pcall(flexhooks.plan, bench.client, hooks)
    assert.is_false(ok)
    assert.equal(5, #err.details)
    for i, wanted in ipairs { 'entry 1 %("teamAB/x"%): its friendly_name '
      .. 'must begin with "teamA/"', "entry 3.*webhook_url", "entry 3.*begin",
      "entry 4.*begin", "entry 5: .*begin" } do
      assert.matches("^" .. wanted, err.details[i])
    end
    assert.matches("and 4 more", err.message)
    hooks = { hook { friendly_name = "teamA/x" } }
    assert.is_false((pcall(bench.plan, bench, hooks, { owner = "teamB" })))
    assert.is_true((pcall(bench.plan, bench, hooks, { owner = "teamA" })))
  end)

  it("takes as owner what tells one team from another", function()
    for _, owner in ipairs { "teamA", "a", "team.a-1_b", ("x"):rep(64) } do
      bench:plan({ owner = owner, hook { friendly_name = owner .. "/x" } },
        { owner = owner })
    end
    for _, owner in ipairs { "", "team/A", "/", "teamA/", "team A", "té",
      "team%a", ".", "-a", "a\n", ("x"):rep(65), 5, true } do
      for _, call in ipairs { { { owner = owner } }, { {}, { owner = owner } },
      } do
        local ok, err = pcall(bench.plan, bench, call[1], call[2])
        assert.is_false(ok, tostring(owner))
        assert.matches("owner' must be ", tostring(err))
      end
    end
    local ok, err = pcall(bench.plan, bench, { owner = "teamA" },
      { owner = "teamB" })
    assert.is_false(ok)
    assert.matches('the file\'s owner is "teamA", but "teamB" was given',
      tostring(err))
  end)

  it("re-points a webhook of another origin only if it is told to",
    function()
      local theirs = assert(bench.client.webhooks:create(hook {
        webhook_url = "https://b.example/e" }))
      local plan = bench:plan { hook(), hook(own) }
      assert.same({ "update all", "create own" }, actions(plan))
      assert.is_true(plan.changes[1].repoints)
      assert.matches("~ re%-points \"all\"  %(" .. theirs.ttid, tostring(plan))
      local done, err = plan:apply()
      assert.is_nil(done)
      assert.equal("argument", err.kind)
      assert.matches("--repoint", err.message, 1, true)
      assert.equal(1, #bench:registered())
      assert.equal("https://b.example/e",
        bench.client.webhooks:get(theirs.ttid).webhook_url)
      assert(plan:apply { repoint = true })
      assert.equal(url, bench.client.webhooks:get(theirs.ttid).webhook_url)
      plan = bench:plan({ hook { webhook_url = "https://c.example" } },
        { repoint = true })
      assert.is_nil(plan:refusal())
      assert.equal(1, assert(plan:apply()).update)
    end)

  it("takes another scheme or port for another origin, not another spelling",
    function()
      bench:apply { hook() }
      for at, repoints in pairs {
        ["http://company.example/flex/events"] = true,
        ["https://company.example:8443/flex/events"] = true,
        ["HTTPS://Company.Example:443/other#rc=1"] = false,
        ["https://me:secret@company.example/other"] = false,
      } do
        local change = bench:plan({ hook { webhook_url = at } }).changes[1]
        assert.equal("update", change.action)
        assert.equal(repoints, change.repoints or false)
      end
      local replaced = bench:plan { hook { type = "interaction",
        webhook_url = "https://b.example" } }
      assert.same({ "replace all" }, actions(replaced))
      assert.matches("± re-points", tostring(replaced), 1, true)
      assert.is_nil(replaced:apply())
    end)

  it("moves an owner's webhook only for a file of that owner", function()
    bench:apply { hook { friendly_name = "teamB/x" } }
    local moved = hook { friendly_name = "teamB/x", webhook_url = url .. "/2" }
    assert.is_nil(bench:plan({ moved }):apply())
    assert(bench:plan({ owner = "teamB", moved }):apply())
  end)

  it("never adopts the webhook of another owner", function()
    assert(bench.client.webhooks:create(hook { friendly_name = "teamB/x" }))
    for _, hooks in ipairs {
      { owner = "teamA", hook { friendly_name = "teamA/x" } }, { hook() },
    } do
      local plan = bench:plan(hooks)
      assert.equal("create", plan.changes[1].action)
      assert.matches("teamB/x %(flex_[%w_]+%) delivers to the URL of "
        .. hooks[1].friendly_name .. " too", tostring(plan))
    end
    local plan = bench:plan { owner = "teamB",
      hook { friendly_name = "teamB/y" } }
    assert.same({ "update teamB/y" }, actions(plan))
    assert.is_true(plan.changes[1].adopted)
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

describe("a plan of URLs with passwords", function()
  local function at(userinfo, changes)
    local entry = hook {}
    entry.webhook_url = url:gsub("//", "//" .. userinfo .. "@")
    for name, value in pairs(changes or {}) do
      entry[name] = value
    end
    return entry
  end

  it("knows the webhook again, by name and by URL, and shows none", function()
    bench:apply { at "flex:OLD" }
    for _, name in ipairs { "all", "renamed" } do
      local hooks = { at("flex:NEW", { friendly_name = name }) }
      bench:apply { at "flex:OLD" }
      local plan = bench:plan(hooks)
      assert.same({ "update " .. name }, actions(plan))
      assert.not_matches("OLD", tostring(plan))
      assert.not_matches("NEW", tostring(plan))
      local field = plan.changes[1].fields.webhook_url
      assert.equal(field.from, field.to)
      assert.matches("flex:****@", plan.changes[1].webhook_url, 1, true)
      assert(plan:apply())
      assert.equal(1, #bench:registered())
      assert.equal(hooks[1].webhook_url,
        bench.client.webhooks:list()[1].webhook_url)
      bench:settled(hooks)
    end
  end)

  it("keeps the registered password in the place of ****", function()
    bench:apply { at "flex:OLD" }
    bench:settled { at "flex:****" }
    local events = { webhook_events = { "onParticipantLeft" } }
    bench:apply { at("flex:****", events) }
    local moved = at("flex:****", events)
    moved.webhook_url = moved.webhook_url .. "/new#rc=3"
    bench:apply { moved }
    assert.equal("https://flex:OLD@company.example/flex/events/new#rc=3",
      bench.client.webhooks:list()[1].webhook_url)
    bench:settled { moved }
  end)

  it("refuses **** if there is no such password", function()
    bench:apply { hook() }
    for _, hooks in ipairs { { at "flex:****" },
      { hook(), at("flex:****", { friendly_name = "new",
        webhook_url = "https://flex:****@company.example/new" }) },
    } do
      local plan = bench:plan(hooks)
      assert.matches("! **** in the URL of", tostring(plan), 1, true)
      local done, err = plan:apply()
      assert.is_nil(done)
      assert.equal("argument", err.kind)
      assert.matches("write the password", err.message)
    end
    assert.equal(1, #bench:registered())
    bench:apply { at "flex:OLD" }
    local elsewhere = at("flex:****",
      { webhook_url = "https://flex:****@b.example/" })
    assert.is_nil(bench:plan({ elsewhere }, { repoint = true }):apply())
    assert.is_nil(bench:plan({ at "other:****" }):apply())
  end)

  it("takes entries that differ in the password alone for one", function()
    local ok, err = pcall(bench.plan, bench, { at "flex:A",
      at("flex:B", { friendly_name = "again" }) })
    assert.is_false(ok)
    assert.matches("its URL and type are those of entry 1", tostring(err))
    ok, err = pcall(bench.plan, bench, { hook(), hook {
      friendly_name = "again",
      webhook_url = "HTTPS://Company.Example:443/x/../flex/%65vents" } })
    assert.is_false(ok)
    assert.matches("its URL and type are those of entry 1", tostring(err))
  end)

  it("adopts what RFC 3986 calls equal, and gives it the file's spelling",
    function()
      assert(bench.client.webhooks:create(hook { friendly_name = "old",
        webhook_url = "HTTPS://Company.Example:443/x/../flex/%65vents" }))
      local plan = bench:plan { hook() }
      assert.same({ "update all" }, actions(plan))
      assert(plan:apply())
      assert.same(1, #bench:registered())
      assert.equal(url, bench.client.webhooks:list()[1].webhook_url)
    end)

  it("exports none, and a file that plans to no changes", function()
    bench:apply { at "flex:OLD", at("flex:OLD", { friendly_name = "own",
      type = "interaction" }) }
    local text = assert(flexhooks.export(bench.client))
    assert.not_matches("OLD", text)
    bench:settled(assert((loadstring or load)(text))())
  end)

  it("shows none that the API answers with", function()
    local testing = require "flexhooks.testing"
    local entry = at "flex:OLD"
    local client = bench:new_client { instance_sid = "GO" .. ("0"):rep(32),
      transport = testing.transport {
        { status = 200, body = { data = require("flexhooks.json").array {},
          meta = { key = "data" } } },
        { status = 400, body = { code = 20001, message = "Invalid WebhookUrl "
          .. entry.webhook_url, details = { entry.webhook_url } } },
      } }
    local plan = assert(flexhooks.plan(client, { entry }))
    local _, err = plan:apply()
    assert.equal(20001, err.code)
    assert.not_matches("OLD", tostring(err))
    assert.not_matches("OLD", err.details.cause.details[1])
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

  it("writes the webhooks of one owner, and the owner", function()
    for _, name in ipairs { "teamA/x", "teamAB/x", "teamB/x", "teamA" } do
      assert(bench.client.webhooks:create(hook { friendly_name = name,
        webhook_url = url .. "/" .. name }))
    end
    local text = assert(flexhooks.export(bench.client, { owner = "teamA" }))
    local hooks = assert((loadstring or load)(text))()
    assert.equal("teamA", hooks.owner)
    assert.equal(1, #hooks)
    assert.equal("teamA/x", hooks[1].friendly_name)
    bench:settled(hooks, { prune = true })
    assert.has_error(function()
      flexhooks.export(bench.client, { owner = "" })
    end)
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
