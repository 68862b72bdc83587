local check = dofile "examples/demo/check.lua"
local demos = require "spec.support.demo"
local process = require "spec.support.process"

local function event(name, interaction, status)
  return { event = { EventType = name, InteractionSid = interaction,
    ChannelStatus = status } }
end

-- What three witnesses saw who bear out every claim, to be spoilt by tests.
local function witnesses()
  local journal, record = { events = {}, deliveries = {} }, {}
  for i, entry in ipairs { event("onInteractionCreated", "KD1"),
    event("onChannelStatusUpdated", "KD1", "active"),
    event("onInteractionCreated", "KD2"),
    event("onChannelStatusUpdated", "KD1", "closed") } do
    entry.recipients = entry.event.InteractionSid == "KD1" and 2 or 1
    journal.events[i], record[i] = entry, { event = entry.event }
    for _ = 1, entry.recipients do
      table.insert(journal.deliveries, { status = 200, attempts = 1 })
    end
  end
  return {
    journal = journal,
    record = record,
    metrics = 'flexhooks_events_handled_total 4\n'
      .. 'flexhooks_events_failed_total 0\n'
      .. 'flexhooks_events_duplicate_total{kind="twin"} 2\n'
      .. 'flexhooks_events_duplicate_total{kind="token"} 1\n',
    forgery = { status = 403, counted = 1 },
    webhooks = { listed = 2, left = 0 },
  }
end

-- The numbers of the claims that do not hold.
local function broken(seen, expected)
  local list = {}
  for i, claim in ipairs(check.claims(seen, expected or 4)) do
    if claim[2] ~= true then
      list[#list + 1] = i
    end
  end
  return list
end

local HAPPENED, ONCE, ORDER, NONE_FAILED, ANSWERED, TWICE, FORGERY, WEBHOOKS =
  1, 2, 3, 4, 5, 6, 7, 8

describe("the demo's check", function()
  it("holds where all went well", function()
    local seen = witnesses()
    assert.same({}, broken(seen))
    -- Interactions may be handled in any order among each other.
    seen.record[2], seen.record[3] = seen.record[3], seen.record[2]
    assert.same({}, broken(seen))
    -- Strangers may have knocked beside the forger.
    seen.forgery.counted = 3
    assert.same({}, broken(seen))
  end)

  it("notices what one witness alone saw", function()
    for _, row in ipairs {
      { { ONCE, ORDER }, function(seen)
        table.remove(seen.record)
      end },
      { { ONCE, ORDER }, function(seen)
        seen.record[5] = seen.record[4]
      end },
      { { ONCE }, function(seen)
        seen.record[5] = event("onChannelCreated", "KD3")
      end },
      { { ORDER }, function(seen)
        seen.record[2], seen.record[4] = seen.record[4], seen.record[2]
      end },
      { { NONE_FAILED }, function(seen)
        seen.record[2].failed = true
      end },
      { { ANSWERED }, function(seen)
        seen.journal.deliveries[1].status = 500
      end },
      { { ANSWERED }, function(seen)
        seen.journal.deliveries[1].status = nil
      end },
      { { ANSWERED }, function(seen)
        seen.journal.deliveries[1].attempts = 2
      end },
      { { ANSWERED }, function(seen)
        table.remove(seen.journal.deliveries)
      end },
      { { FORGERY }, function(seen)
        seen.forgery.status = 200
      end },
      { { FORGERY }, function(seen)
        seen.forgery.valid = true
      end },
      { { FORGERY }, function(seen)
        seen.forgery.counted = 0
      end },
      { { WEBHOOKS }, function(seen)
        seen.webhooks.left = 1
      end },
      { { WEBHOOKS }, function(seen)
        seen.webhooks.listed = 1
      end },
    } do
      local seen = witnesses()
      row[2](seen)
      assert.same(row[1], broken(seen))
    end
  end)

  it("asks the receiver too", function()
    for line, wanted in pairs {
      ["flexhooks_events_handled_total 4"] = ONCE,
      ["flexhooks_events_duplicate_total{kind=\"twin\"} 2"] = TWICE,
      ["flexhooks_events_failed_total 0"] = NONE_FAILED,
    } do
      local seen = witnesses()
      seen.metrics = seen.metrics:gsub(line:gsub("%p", "%%%0"),
        (line:gsub("%d$", "7")))
      assert.same({ wanted }, broken(seen))
    end
  end)

  it("notices too few events", function()
    assert.same({ HAPPENED }, broken(witnesses(), 5))
  end)

  it("holds next to nothing where nothing happened", function()
    local seen = witnesses()
    seen.journal = { events = {}, deliveries = {} }
    seen.record = {}
    assert.same({ HAPPENED, ONCE, ANSWERED, TWICE }, broken(seen))
  end)
end)

local function spawn(folder, host)
  return demos.spawn("examples/demo/run", folder, nil, host)
end

describe("the demo", function()
  it("runs twice at once, on other ports, and verifies itself", function()
    local folder = process.folder()
    local one, two = spawn(folder), spawn(folder)
    for _, demo in ipairs { one, two } do
      local status = demo:wait(60)
      local out = demo:stdout()
      assert.equal(0, status, out .. demo:stderr())
      assert.equal("", demo:stderr())
      assert.is_nil(out:find("✗", 1, true))
      assert.is_nil(out:find("\27", 1, true))
      assert.equal(8, select(2, out:gsub("  ✓ ", "")))
      assert.equal(18, select(2, out:gsub("\n *[%d.]+ s  ", "")))
    end
    assert.not_equal(one:stdout():match "receiver +(%S+)",
      two:stdout():match "receiver +(%S+)")
    demos.assert_gone(folder)
  end)

  it("runs with nginx as the receiver, by the example nginx.conf", function()
    if process.lua ~= "luajit" then
      return -- nginx's Lua is LuaJIT, whatever else runs
    end
    local demo = spawn(process.folder(), "nginx")
    assert.equal(0, demo:wait(60), demo:stdout() .. demo:stderr())
    assert.matches("✓ each was handled exactly once", demo:stdout())
    assert.matches("✓ the forgery was refused", demo:stdout())
  end)

  it("leaves nothing behind when it is interrupted", function()
    for _, signal in ipairs { "INT", "TERM", "HUP" } do
      local folder = process.folder()
      local demo = spawn(folder)
      demo:wait_output "Events, as they are handled"
      assert.is_true(demo:stop(signal) > 128)
      demos.assert_gone(folder)
    end
  end)

  it("fails when the receiver dies", function()
    local folder = process.folder()
    local demo = spawn(folder)
    demo:wait_output "onParticipantJoined"
    demos.kill(folder, "serve")
    assert.equal(1, demo:wait(60))
    assert.matches("demo: ", demo:stderr())
    demos.assert_gone(folder)
  end)
end)
