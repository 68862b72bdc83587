local check = dofile "examples/demo/check.lua"
local process = require "spec.support.process"

local function event(name, interaction, extra)
  return { event = { EventType = name, InteractionSid = interaction,
    ChannelStatus = extra } }
end

-- A journal and a record that bear out every claim, to be spoilt by tests.
local function witnesses()
  local journal = { events = {}, deliveries = {} }
  local record = {}
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
  return journal, record
end

local function failing(journal, record, events)
  local list = {}
  for _, claim in ipairs(check.events(journal, record,
    { events = events or 4 })) do
    if not claim[2] then
      list[#list + 1] = claim[1]
    end
  end
  return list
end

local ONCE = "each event was handled exactly once"
local ORDER = "in each interaction, in the order it happened"

describe("the demo's check", function()
  it("holds where all went well", function()
    local journal, record = witnesses()
    assert.same({}, failing(journal, record))
    -- Interactions may be handled in any order among each other.
    record[2], record[3] = record[3], record[2]
    assert.same({}, failing(journal, record))
  end)

  it("misses what was not handled", function()
    local journal, record = witnesses()
    table.remove(record)
    assert.same({ ONCE, ORDER }, failing(journal, record))
  end)

  it("notices what was handled twice", function()
    local journal, record = witnesses()
    record[5] = record[4]
    assert.same({ ONCE, ORDER }, failing(journal, record))
  end)

  it("notices another order", function()
    local journal, record = witnesses()
    record[2], record[4] = record[4], record[2]
    assert.same({ ORDER }, failing(journal, record))
  end)

  it("notices an event that nobody raised", function()
    local journal, record = witnesses()
    record[5] = event("onChannelCreated", "KD3")
    assert.same({ ONCE }, failing(journal, record))
  end)

  it("notices too few events", function()
    local journal, record = witnesses()
    assert.same({ "5 events happened" }, failing(journal, record, 5))
  end)

  it("notices deliveries that failed, were repeated or not made", function()
    for _, spoil in ipairs {
      function(list) list[1].status = 500 end,
      function(list) list[1].status = nil end,
      function(list) list[1].attempts = 2 end,
      function(list) table.remove(list) end,
      function(list) table.insert(list, { status = 200, attempts = 1 }) end,
    } do
      local journal, record = witnesses()
      spoil(journal.deliveries)
      assert.same({ "7 deliveries, each answered 200 at the first attempt" },
        failing(journal, record))
    end
  end)

  it("notices that nothing came twice", function()
    local journal, record = witnesses()
    for _, entry in ipairs(journal.events) do
      entry.recipients = 1
    end
    for _ = 1, 3 do
      table.remove(journal.deliveries)
    end
    assert.same({ "0 events came through both webhooks" },
      failing(journal, record))
  end)

  it("notices a handler that failed", function()
    local journal, record = witnesses()
    record[2].failed = true
    assert.same({ "no handler failed" }, failing(journal, record))
  end)

  it("holds nothing where there was nothing", function()
    assert.is_true(#failing({ events = {}, deliveries = {} }, {}) > 2)
  end)
end)

-- Ids of processes whose environment names the folder.
local function processes_of(folder)
  local pipe = assert(io.popen("grep -lsa 'TMPDIR=" .. folder
    .. "' /proc/[0-9]*/environ"))
  local list = pipe:read "*a"
  pipe:close()
  return list
end

local function spawn(folder)
  return process.spawn({ "examples/demo/run" },
    { env = { LUA = process.lua, TMPDIR = folder } })
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
      assert.matches("✓ 18 events happened", out)
      assert.matches("✓ each event was handled exactly once", out)
      assert.matches("✓ the forgery was refused", out)
    end
    assert.not_equal(one:stdout():match "receiver +(%S+)",
      two:stdout():match "receiver +(%S+)")
    assert.equal("", processes_of(folder))
    assert.equal("", (io.popen("ls " .. folder):read "*a"))
  end)

  it("leaves nothing behind when it is interrupted", function()
    for _, signal in ipairs { "INT", "TERM" } do
      local folder = process.folder()
      local demo = spawn(folder)
      demo:wait_output "Events, as they are handled"
      local begun = os.time()
      assert.is_true(demo:stop(signal) > 128)
      assert.is_true(os.time() - begun < 5)
      assert.equal("", processes_of(folder))
      assert.equal("", (io.popen("ls " .. folder):read "*a"))
    end
  end)
end)
