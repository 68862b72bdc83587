-- kill -9 of the server at random moments under load, over and over; and power
-- cuts, after which each file is as it was when it was last synced.
local crash = require "spec.support.crash"
local flexhooks = require "flexhooks"
local process = require "spec.support.process"
local torture = require "spec.support.torture"

local KILLS = torture.times(100)

local function environment(folder, port, extra)
  local env = { JOURNAL = folder .. "/journal", PORT = port,
    QUEUE = "sqlite:" .. folder .. "/q.db", TWILIO_AUTH_TOKEN = false,
    SLOW = "0.004" }
  for name, value in pairs(extra or {}) do
    env[name] = value
  end
  return env
end

local SERVE = [[
require("flexhooks").serve { app = "spec/data/queue/app.lua",
  logger = function() end, grace = 10 }
]]

local function start(folder, port, mark, extra)
  local env = environment(folder, port, extra)
  env.MARK = "m" .. mark
  return process.spawn({ process.lua, "-e", SERVE }, { env = env })
end

-- Waits with the load running, so never blocks.
local function kill(child)
  child:kill "KILL"
  crash.await("end of a server", function()
    return child:status()
  end)
end

-- Starts and kills servers under load; `after(n)` runs between two of them.
local function kill_often(kills, what, folder, extra, after)
  local port = process.port()
  local load = crash.load({ port })
  load:run(function()
    for n = 1, kills do
      local child = start(folder, port, n, extra)
      crash.await("listener on " .. port, function()
        assert(not child:status(), child:stderr())
        return process.listening(port)
      end)
      flexhooks.sleep(0.12 * math.random())
      crash.await(n .. " acknowledged events", function()
        return #load.acknowledged > n
      end)
      kill(child)
      if after then
        after(n)
      end
      torture.progress(what, n, kills, load:told())
    end
  end)
  return load, port
end

-- A last server that nobody kills; then the balance.
local function settle(what, kills, load, folder, port, extra)
  local child = start(folder, port, "last", extra)
  child:wait_port(port)
  if not extra or not extra.QUEUE then
    crash.wait_empty("sqlite:" .. folder .. "/q.db")
  end
  assert.equal(0, child:stop())
  local verdict = crash.verdict(load, folder .. "/journal")
  torture.row(what, kills, verdict)
  return verdict
end

describe("a server with an SQLite queue", function()
  it("loses, reorders and invents nothing over " .. KILLS .. " kills",
    function()
      local folder = process.folder()
      local what = "SQLite: server killed"
      local load, port = kill_often(KILLS, what, folder)
      local v = settle(what, KILLS, load, folder, port)
      assert.is_true(v.acknowledged > KILLS)
      crash.assert_clean(v)
    end)

  -- The control: a queue that is not durable fails the same test.
  it("is seen to lose events where the queue is in memory", function()
    local folder = process.folder()
    local extra = { QUEUE = "memory:", SLOW = "0.9" }
    local what = "control: killed without a file"
    local load, port = kill_often(5, what, folder, extra)
    local v = settle(what, 5, load, folder, port, extra)
    assert.is_true(v.lost > 0)
  end)
end)

describe("a power cut", function()
  local shim

  setup(function()
    shim = process.folder() .. "/powercut.so"
    assert.equal(0, (process.run { "cc", "-shared", "-fPIC", "-o", shim,
      "spec/support/powercut.c", "-ldl" }))
  end)

  -- What was not synced is gone.
  local function cut(folder)
    for _, name in ipairs { "q.db", "q.db-wal", "q.db-shm" } do
      os.remove(folder .. "/" .. name)
    end
    os.execute(("cp %s/kept/*.db %s/kept/*.db-wal %s/ 2>/dev/null"):format(
      folder, folder, folder))
  end

  local function run(what, cuts, synchronous)
    local folder = process.folder()
    os.execute("mkdir " .. folder .. "/kept")
    local extra = { LD_PRELOAD = shim, POWERCUT = folder .. "/kept",
      SYNCHRONOUS = synchronous, SLOW = "0.1" }
    local load, port = kill_often(cuts, what, folder, extra, function()
      cut(folder)
    end)
    return settle(what, cuts, load, folder, port,
      { SYNCHRONOUS = synchronous })
  end

  it("costs nothing that was acknowledged", function()
    local v = run("SQLite: power cut", math.ceil(KILLS / 10), "full")
    assert.same({ 0, 0 }, { v.lost, v.disordered })
  end)

  -- The control: without syncing, the same test sees losses.
  it("is seen to cost events where nothing is synced", function()
    local v = run("control: power cut, nothing synced", 3, "off")
    assert.is_true(v.lost > 0)
  end)
end)
