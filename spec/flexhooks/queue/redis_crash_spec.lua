-- Two servers receive, three workers handle; workers, servers and Redis itself
-- are killed at random under load, and workers are stopped for longer than a
-- lease.
local crash = require "spec.support.crash"
local flexhooks = require "flexhooks"
local process = require "spec.support.process"
local redis = require "spec.support.redis"

local KILLS = crash.kills(50)
local LEASE = 0.6

local SERVE = [[
require("flexhooks").serve { app = "spec/data/queue/app.lua",
  logger = function() end, grace = 5 }
]]

local WORK = [[
local flexhooks = require "flexhooks"
if os.getenv "NO_LEASES" then
  local scripts = require "flexhooks.queue.redis_scripts"
  for name, text in pairs(scripts) do
    scripts[name] = text:gsub("return owner == name and held == fence",
      "return true"):gsub("if owner == name then", "if owner then")
  end
end
local app = dofile "spec/data/queue/app.lua"
local worker = flexhooks.worker { queue = app.queue, router = app.router,
  concurrency = 16, handler_timeout = 0.4, lease = app.lease,
  backoff = { 0.05, 0.2 }, max_attempts = 1000 }
local signals = flexhooks.loop().poller:signals "TERM"
require("flexhooks.loop").add_source { fd = signals:fd(), interest = "r",
  run = function()
    if signals:next() then
      worker:stop(2)
    end
  end }
assert(worker:run())
app.queue:close()
]]

local serial = 0

local Setup = {}
Setup.__index = Setup

local function new_setup()
  local self = setmetatable({ folder = process.folder(),
    redis = redis.start(), ports = { process.port(), process.port() },
    servers = {}, workers = {} }, Setup)
  self.journal = self.folder .. "/journal"
  return self
end

function Setup:start(script, port)
  serial = serial + 1
  return process.spawn({ process.lua, "-e", script }, { env = {
    NO_LEASES = self.no_leases,
    JOURNAL = self.journal, PORT = port, WORKER = "no", SLOW = "0.004",
    QUEUE = self.redis:url "partitions=12&timeout=2", MARK = "m" .. serial,
    LEASE = LEASE, TWILIO_AUTH_TOKEN = false } })
end

-- Starts what does not run, as a supervisor would: a worker that finds no
-- Redis when it starts ends with an error.
function Setup:fill()
  for i, port in ipairs(self.ports) do
    if not self.servers[i] or self.servers[i]:status() then
      self.servers[i] = self:start(SERVE, port)
    end
  end
  for i = 1, 3 do
    if not self.workers[i] or self.workers[i]:status() then
      self.workers[i] = self:start(WORK)
    end
  end
end

-- Ends one without blocking the load.
local function kill(child)
  child:kill "KILL"
  while not child:status() do
    flexhooks.sleep(0.005)
  end
end

function Setup:kill_one(n)
  if n % 10 == 0 then
    kill(self.redis.process)
    self.redis.process = process.spawn { "redis-server", self.redis.config }
  else
    local list = n % 3 == 0 and self.servers or self.workers
    local i = math.random(#list)
    kill(list[i])
    self:fill()
  end
end

function Setup:queue()
  return flexhooks.queue(self.redis:url "partitions=12")
end

function Setup:wait_empty()
  local queue = self:queue()
  process.eventually(function()
    local stats = queue:stats()
    return stats and stats.ready + stats.running + stats.delayed == 0
  end, 60, "empty queue")
  assert.equal(0, queue:stats().dead)
  queue:close()
end

function Setup:stop()
  for _, list in ipairs { self.servers, self.workers } do
    for _, child in pairs(list) do
      assert.equal(0, child:stop(), child:stderr())
    end
  end
end

local function told(v, what)
  print(("   %s: %d acknowledged, %d handled, %d repeated, %d lost, "
    .. "%d out of order, %d late effects"):format(what, v.acknowledged,
    v.handled, v.repeated, v.lost, v.disordered, v.late))
end

-- Runs f under load, then lets everything end, and draws the balance.
local function balance(s, what, f)
  s:fill()
  local load = crash.load(s.ports, 12)
  load:run(f)
  process.eventually(function()
    return s.redis:cli("PING") == "PONG"
  end)
  s:fill()
  if not s.no_leases then
    s:wait_empty()
  end
  s:stop()
  local v = crash.verdict(load, s.journal)
  told(v, what)
  return v
end

describe("servers and workers on Redis", function()
  it("lose and reorder nothing over " .. KILLS .. " kills", function()
    local s = new_setup()
    local v = balance(s, KILLS .. " kills", function()
      for n = 1, KILLS do
        flexhooks.sleep(0.1 + 0.15 * math.random())
        s:kill_one(n)
      end
    end)
    assert.is_true(v.acknowledged > KILLS)
    assert.same({ 0, 0, 0 }, { v.lost, v.disordered, v.wrongly_repeated })
  end)

  -- A worker that sleeps through its lease finds itself fenced when it wakes.
  -- What its handlers do then lands late: counted, and documented.
  it("stay right while workers stand still", function()
    local s = new_setup()
    local v = balance(s, "6 workers stopped", function()
      for n = 1, 6 do
        flexhooks.sleep(0.2)
        local worker = s.workers[n % 3 + 1]
        worker:kill "STOP"
        flexhooks.sleep(2 * LEASE)
        worker:kill "CONT"
      end
    end)
    assert.same({ 0, 0, 0 }, { v.lost, v.disordered, v.wrongly_repeated })
  end)

  -- The control: workers that ignore leases fail the same test.
  it("are seen to repeat events where nobody heeds leases", function()
    local s = new_setup()
    s.no_leases = "1"
    local v = balance(s, "no leases", function()
      flexhooks.sleep(1.5)
    end)
    assert.is_true(v.wrongly_repeated > 0)
  end)
end)
