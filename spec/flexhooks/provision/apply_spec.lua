local flexhooks = require "flexhooks"
local apply = require "flexhooks.provision.apply"
local errors = require "flexhooks.error"
local host = require "flexhooks.host"
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
    bench:apply { hook(), hook(own) }
    local plan = bench:plan({ hook() }, { prune = true })
    assert(bench.client.webhooks:delete(plan.changes[2].ttid))
    assert.equal(1, assert(plan:apply()).delete)
  end)

  it("stops at the first failure and says what was done", function()
    local sent = 0
    local real = host.transport {}
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
    local real = host.transport {}
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
    local real = host.transport {}
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

  it("ends in the same state wherever it was killed before", function()
    assert(bench.client.webhooks:create(hook { friendly_name = "stale",
      webhook_url = url .. "/stale" }))
    assert(bench.client.webhooks:create(hook(own)))
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
