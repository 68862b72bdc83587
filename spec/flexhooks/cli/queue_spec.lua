local command = require "spec.support.command"
local flexhooks = require "flexhooks"
local json = require "flexhooks.json"
local process = require "spec.support.process"
local queue_command = require "flexhooks.cli.queue"

local url, env

local function item(id, more)
  local made = { id = id, received_at = 1700000000, source = "default",
    event = { EventType = "onChannelCreated",
      InteractionSid = "KD" .. ("a"):rep(32), Note = "it's \"\0é\n" } }
  for name, value in pairs(more or {}) do
    made[name] = value
  end
  return made
end

-- One event that waits, one dead letter of a handler, one that is no event.
before_each(function()
  url = "sqlite:" .. process.folder() .. "/q.db"
  env = { FLEXHOOKS_QUEUE = url }
  local queue = flexhooks.queue(url)
  local router = flexhooks.router()
  router:on("*", function()
    error "the CRM is away\27[2J"
  end)
  assert.is_true(queue:store { item "failed",
    { id = "raw", received_at = 1, raw = "{\0", reason = "malformed" } })
  flexhooks.run(function()
    local worker = flexhooks.worker { queue = queue, router = router,
      max_attempts = 1 }
    local running = flexhooks.spawn(worker.run, worker)
    while queue:stats().dead < 2 do
      flexhooks.sleep(0.005)
    end
    worker:stop()
    running:wait()
  end)
  assert.is_true(queue:store { item "waits" })
  queue:close()
end)

local function run(...)
  local status, out, err = command.run({ "queue", ... }, env)
  return out, status, err
end

describe("cli.queue, of an event with an empty list", function()
  it("prints it as JSON, and as Lua that makes the same", function()
    local queue = flexhooks.queue(url)
    assert.is_true(queue:store { item("lists", { event =
      json.decode '{"EventType":"onX","a":[],"b":{},"c":[{"d":[]}]}' }) })
    queue:close()
    local out = run("show", "lists", "--json")
    assert.matches('"a":[],"b":{},"c":[{"d":[]}]', out, 1, true)
    out = run("show", "lists", "--fixture")
    assert.equal('{"EventType":"onX","a":[],"b":{},"c":[{"d":[]}]}',
      json.encode(assert((loadstring or load)(out))()))
  end)
end)

describe("cli.queue", function()
  it("counts", function()
    assert.is_function(queue_command.configure)
    assert.is_function(queue_command.run)
    local out = run "stats"
    assert.matches("ready +1\n", out)
    assert.matches("dead +2\n", out)
    local stats = json.decode((run("stats", "--json")))
    assert.same({ 1, 0, 2 }, { stats.ready, stats.running, stats.dead })
  end)

  it("lists dead letters", function()
    local out = run "dead"
    assert.matches("failed +2023%-11%-14T22:13:20Z +onChannelCreated", out)
    assert.matches("the CRM is away", out)
    assert.matches("raw .*malformed", out)
    out = run("dead", "--reason", "exhausted", "--json")
    local letters = json.decode(out)
    assert.equal(1, #letters)
    assert.equal("failed", letters[1].id)
  end)

  it("shows one, and makes a fixture of it", function()
    local out = run("show", "failed")
    assert.matches("state +dead", out)
    assert.matches("attempt 1: .*the CRM is away\\x1b%[2J\n", out)
    assert.is_nil(out:find "\27")
    assert.matches("queue_spec.lua", out)
    out = run("show", "failed", "--fixture")
    local chunk = assert((loadstring or load)(out))
    assert.same(item().event, chunk())
    local _, status, err = run("show", "raw", "--fixture")
    assert.equal(1, status)
    assert.matches("no event", err)
    _, status, err = run("show", "unknown")
    assert.equal(1, status)
    assert.matches("no event has the id", err)
  end)

  it("shows events that are no text, with all their digits", function()
    local queue = flexhooks.queue(url)
    local odd = { Bytes = "\255", ["\27[2J"] = { 0.1 + 0.2, [30] = "\254" } }
    assert.is_true(queue:store { item("odd", { event = odd }) })
    queue:close()
    local out = run("show", "odd", "--json")
    local shown = assert(json.decode(out)).event
    assert.same({ "\239\191\189", 0.1 + 0.2 },
      { shown.Bytes, shown["\27[2J"][1] })
    out = run("show", "odd")
    assert.is_nil(out:find "\27")
    assert.matches("0.30000000000000004,null", out, 1, true)
    out = run("show", "odd", "--fixture")
    assert.same(odd, assert((loadstring or load)(out))())
  end)

  it("replays and discards", function()
    local _, status, err = run("replay", "failed")
    assert.equal(0, status, err)
    assert.matches("state +queued", (run("show", "failed")))
    _, status = run("replay", "failed")
    assert.equal(1, status)
    _, status, err = run("discard", "--reason", "malformed")
    assert.equal(0, status)
    assert.matches("discarded: 1", err)
    assert.matches("dead +0\n", (run "stats"))
    _, status, err = run "discard"
    assert.equal(2, status)
    assert.matches("say which", err)
  end)

  it("makes no queue where it only looks", function()
    local path = process.folder() .. "/typo.db"
    env = { FLEXHOOKS_QUEUE = "sqlite:" .. path }
    for _, arguments in ipairs { { "stats" }, { "dead" }, { "show", "x" },
      { "tail" }, { "replay", "x" }, { "discard", "x" } } do
      local out, status, err = run((table.unpack or unpack)(arguments))
      assert.equal(1, status)
      assert.equal("", out)
      assert.matches("typo.db: there is no such queue", err, 1, true)
      assert.is_nil(io.open(path))
      assert.is_nil(io.open(path .. ".lock"))
    end
  end)

  it("sees nothing of another process's memory", function()
    local _, status, err = run("stats", "--queue", "Memory:")
    assert.equal(2, status)
    assert.matches("a queue in memory is its process's own", err)
  end)

  it("wants a queue", function()
    env = { FLEXHOOKS_QUEUE = false }
    local _, status, err = run "stats"
    assert.equal(2, status)
    assert.matches("FLEXHOOKS_QUEUE", err)
    _, status, err = run("stats", "--queue", "redis://:hunter2@host")
    assert.equal(2, status)
    assert.is_nil(err:find("hunter2", 1, true))
    env = { FLEXHOOKS_QUEUE = "mysql:x" }
    _, status, err = run "stats"
    assert.equal(2, status)
    assert.matches("must begin with sqlite:", err)
  end)
end)
