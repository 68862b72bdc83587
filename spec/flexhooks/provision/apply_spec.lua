local flexhooks = require "flexhooks"
local apply = require "flexhooks.provision.apply"
local errors = require "flexhooks.error"
local runtime = require "flexhooks.runtime.current"
local process = require "spec.support.process"
local provisioned = require "spec.support.provisioned"

local hook, own, url = provisioned.hook, provisioned.own, provisioned.url
local bench

before_each(function()
  bench = provisioned.start()
end)

after_each(function()
  bench:stop()
end)

describe("applying", function()
  it("is what a plan does", function()
    assert.same({ create = 0, update = 0, replace = 0, delete = 0,
      unchanged = 1 }, apply.run({}, { { action = "unchanged" } }))
  end)

  it("tells of each change", function()
    local told = {}
    local plan = bench:plan { hook(), hook(own) }
    assert(plan:apply { on_change = function(change, webhook, err)
      told[#told + 1] = change.action .. webhook.ttid .. tostring(err)
    end })
    assert.equal("create" .. plan.changes[1].webhook.ttid .. "nil", told[1])
    assert.equal(2, #told)
  end)

  it("creates anew what was deleted since the plan was made", function()
    bench:apply { hook() }
    local changed = hook { webhook_events = { "onChannelCreated" } }
    local plan = bench:plan { changed }
    assert(bench.client.webhooks:delete(plan.changes[1].ttid))
    assert(plan:apply())
    bench:settled { hook { webhook_events = { "onChannelCreated" } } }
  end)

  it("does not mind that what it deletes is gone", function()
    local mine = hook { friendly_name = "teamA/all" }
    bench:apply { mine, hook { friendly_name = "teamA/own",
      webhook_url = url .. "/own" } }
    local plan = bench:plan({ mine }, { prune = true, owner = "teamA" })
    assert(bench.client.webhooks:delete(plan.changes[2].ttid))
    assert.equal(1, assert(plan:apply()).delete)
  end)

  -- What was planned, and what happens before it is applied.
  local LATER = {
    ["renamed to another owner's"] = function(webhook)
      assert(webhook:update { friendly_name = "teamB/x" })
    end,
    ["re-pointed to another origin"] = function(webhook)
      assert(webhook:update { webhook_url = "https://b.example/x" })
    end,
  }

  for title, happens in pairs(LATER) do
    it("leaves alone what was " .. title .. " since the plan", function()
      local entry = hook { friendly_name = "teamA/x" }
      local stale = hook { friendly_name = "teamA/stale",
        webhook_url = url .. "/stale" }
      for _, hooks in ipairs {
        { hook { friendly_name = "teamA/x", webhook_method = "GET" } },
        { hook { friendly_name = "teamA/x", type = "interaction" } },
        { hook { friendly_name = "teamA/y" } },
        { stale },
      } do
        bench:apply({ entry }, { owner = "teamA" })
        local plan = bench:plan(hooks, { owner = "teamA", prune = true })
        local ttid = bench.client.webhooks:list()[1].ttid
        happens(bench.client.webhooks:get(ttid))
        local before = bench:registered()
        local done, err = plan:apply()
        assert.is_nil(done)
        assert.equal("cancelled", err.kind)
        assert.matches("plan again", err.message)
        assert.is_true(#bench:registered() <= #before + 1)
        assert.is_truthy(bench.client.webhooks:get(ttid), "it is gone")
        for _, webhook in ipairs(bench.client.webhooks:list()) do
          assert(webhook:delete())
        end
      end
    end)
  end

  it("lets two teams apply at once", function()
    local teams = {}
    for i, team in ipairs { "teamA", "teamAB", "teamA-B" } do
      teams[i] = { owner = team, hook { friendly_name = team .. "/x" },
        hook { friendly_name = team .. "/y", webhook_url = url .. "/y" } }
      assert(bench.client.webhooks:create(hook {
        friendly_name = team .. "/stale", webhook_url = url .. "/" .. i }))
    end
    local plans = {}
    for i, hooks in ipairs(teams) do
      plans[i] = bench:plan(hooks, { prune = true })
    end
    flexhooks.run(function()
      local _, failures = flexhooks.map(plans, 3, function(plan)
        return plan:apply()
      end)
      assert.is_nil(failures)
    end)
    assert.equal(6, #bench:registered())
    for _, hooks in ipairs(teams) do
      bench:settled(hooks, { prune = true })
    end
  end)

  it("stops at the first failure and says what was done", function()
    local sent = 0
    local real = runtime.transport {}
    local transport = {}
    function transport.send(_, request)
      sent = sent + (request.method == "POST" and 1 or 0)
      if request.method == "POST" and sent == 2 then
        return { status = 400, headers = {}, body = '{"code":20001,'
          .. '"message":"no","status":400}' }
      end
      return real:send(request)
    end
    local failing = bench:new_client { transport = transport }
    local plan = assert(flexhooks.plan(failing, { hook(), hook(own) }))
    local done, err = plan:apply()
    assert.is_nil(done)
    assert.equal("http", err.kind)
    assert.equal(20001, err.code)
    assert.matches("create own failed", err.message)
    assert.equal(1, err.details.done.create)
    assert.equal(1, #bench:registered())
    real:close()
    bench:apply { hook(), hook(own) }
    assert.equal(2, #bench:registered())
  end)

  -- A transport that loses the answers to POSTs.
  local function losing(real, lose)
    local posts = 0
    return { send = function(_, request)
      local answer, err = real:send(request)
      if request.method == "POST" then
        posts = posts + 1
        if lose(posts) then
          return nil, errors.new("reset",
            "the answer was lost", { sent = true })
        end
      end
      return answer, err
    end }
  end

  it("looks up a create or an update whose answer was lost", function()
    local real = runtime.transport {}
    local unlucky = bench:new_client { transport = losing(real, function()
      return true
    end) }
    for _, hooks in ipairs {
      { hook(), hook(own) },
      { hook { webhook_events = { "onParticipantLeft" } }, hook(own) },
      { hook { type = "interaction" }, hook(own) },
    } do
      assert(assert(flexhooks.plan(unlucky, hooks)):apply())
      bench:settled(hooks)
      assert.equal(2, #bench:registered())
    end
    real:close()
  end)

  it("ends well where two apply at once", function()
    local hooks = { hook(), hook(own) }
    local plans = {}
    for i = 1, 5 do
      plans[i] = bench:plan(hooks)
    end
    flexhooks.run(function()
      local done, failures = flexhooks.map(plans, 5, function(plan)
        return plan:apply()
      end)
      assert.is_nil(failures)
      assert.equal(5, #done)
    end)
    assert.equal(2, #bench:registered())
    bench:settled(hooks)
  end)

  -- Whoever made the other had looked before ours was there.
  it("leaves one of two that were made at the same time", function()
    local real = runtime.transport {}
    local other
    local transport = {}
    function transport.send(_, request)
      local answer, err = real:send(request)
      if request.method == "POST" then
        flexhooks.sleep(0.01) -- the ttid of the next is greater
        other = assert(bench.client.webhooks:create(hook()))
      end
      return answer, err
    end
    local crowded = bench:new_client { transport = transport }
    local plan = assert(flexhooks.plan(crowded, { hook() }))
    assert(plan:apply())
    local left = assert(bench.client.webhooks:list())
    assert.equal(1, #left)
    assert.is_true(left[1].ttid < other.ttid)
    assert.equal(left[1].ttid, plan.changes[1].webhook.ttid)
    real:close()
  end)

  it("leaves one of two that differ in the password, as it wants it",
    function()
      local real = runtime.transport {}
      local old = hook { webhook_url = "https://flex:OLD@h.example/e" }
      local new = hook { webhook_url = "https://flex:NEW@h.example/e" }
      local transport = {}
      function transport.send(_, request)
        if request.method == "POST" and not transport.other then
          transport.other = assert(bench.client.webhooks:create(old))
          flexhooks.sleep(0.01) -- the ttid of the next is greater
        end
        return real:send(request)
      end
      local crowded = bench:new_client { transport = transport }
      assert(assert(flexhooks.plan(crowded, { new })):apply())
      assert.equal(1, #bench:registered())
      assert.equal(transport.other.ttid, bench.client.webhooks:list()[1].ttid)
      bench:settled { new }
      real:close()
    end)

  it("ends in the same state wherever it was killed before", function()
    assert(bench.client.webhooks:create(hook { friendly_name = "teamA/stale",
      webhook_url = url .. "/stale" }))
    assert(bench.client.webhooks:create(hook { friendly_name = "teamA/own",
      type = "interaction", webhook_url = url .. "/own" }))
    local runs = 0
    repeat
      runs = runs + 1
      local status = process.run({ process.lua,
        "spec/support/apply_killed.lua", bench.base_url, tostring(runs) })
      assert.is_true(status == 0 or status == 137, "status " .. status)
    until status == 0
    assert.is_true(runs > 8, "killed at " .. runs .. " places only")
    local hooks = dofile "spec/data/hooks.lua"
    bench:settled(hooks, { prune = true })
    assert.equal(#hooks, #bench:registered())
  end)
end)
