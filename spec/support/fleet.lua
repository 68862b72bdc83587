-- A fleet on Redis: what receives, three workers that handle, each a process
-- of its own, for specs that kill and stop them.
--
--   local f = fleet.new { nginx = true, no_leases = true, pause = 0.05 }
--   f.workers  f.servers  f.nginx  f.redis
--   f:fill()                       starts what does not run
--   fleet.kill(child)              with -9, without blocking the load
--   f:kill_redis()  f:kill_nginx()  f:kill_nginx_worker()
--   f:verdict(load)                what the journal says so far
--   f:balance(what, n, function(load) … end) -> verdict, of what was done
--   f:harass(what, n, function(f, i) … end) -> verdict, after n kills
--                                  n times under load
local crash = require "spec.support.crash"
local nginx = require "spec.support.nginx"
local process = require "spec.support.process"
local redis = require "spec.support.redis"
local torture = require "spec.support.torture"

local M = {}

--- Seconds that a worker may stand still and keep what it has.
M.LEASE = 0.6

local PARTITIONS = "partitions=12&timeout=2"

local SERVE = [[
require("flexhooks").serve { app = "spec/data/queue/app.lua",
  logger = function() end, grace = 5 }
]]

local WORK = [[
local flexhooks = require "flexhooks"
if os.getenv "NO_LEASES" then
  local scripts = require "flexhooks.queue.redis.scripts"
  for name, text in pairs(scripts) do
    scripts[name] = text:gsub("return owner == name and held == fence",
      "return true"):gsub("if owner == name then", "if owner then")
  end
end
local app = dofile "spec/data/queue/app.lua"
local worker = flexhooks.worker { queue = app.queue, router = app.router,
  concurrency = 16, handler_timeout = 0.4, lease = app.lease,
  backoff = { 0.05, 0.2 }, max_attempts = 1000,
  on_outcome = function(outcome, event, context)
    if outcome == "handled" then
      require("spec.support.journal").note("done", event, context)
    end
  end }
local signals = flexhooks.loop().poller:signals "TERM"
require("flexhooks.runtime.loop").add_source {
  fd = signals:fd(), interest = "r", run = function()
    if signals:next() then
      worker:stop(2)
    end
  end }
assert(worker:run())
app.queue:close()
]]

-- nginx hands on no variable that is not named.
local NGINX_MAIN = "env QUEUE; env JOURNAL; env MARK; env WORKER;"
local NGINX_HTTP = [[
  lua_shared_dict flexhooks 10m;
  init_by_lua_block {
    require("flexhooks.nginx").preload "%s/spec/data/queue/app.lua"
  }
]]
local NGINX_SERVER = [[
  location / { content_by_lua_block {
    require("flexhooks.nginx").handle "%s/spec/data/queue/app.lua" } }
]]

local serial = 0

local Fleet = { __name = "fleet" }
Fleet.__index = Fleet

local function environment(self, port)
  serial = serial + 1
  return { NO_LEASES = self.no_leases and "1", JOURNAL = self.journal,
    PORT = port, WORKER = "no", SLOW = "0.004", MARK = "m" .. serial,
    QUEUE = self.redis:url(PARTITIONS), LEASE = M.LEASE,
    TWILIO_AUTH_TOKEN = false }
end

local function start_nginx(self)
  self.nginx = nginx.start { workers = 2, main = NGINX_MAIN,
    http = NGINX_HTTP:format(process.top),
    server = NGINX_SERVER:format(process.top), env = environment(self) }
  self.ports = { self.nginx.port }
end

--- A fleet, of which nothing but Redis (and nginx) runs yet.
function M.new(options)
  local self = setmetatable({ folder = process.folder(),
    redis = redis.start(), ports = {}, servers = {}, workers = {},
    no_leases = options and options.no_leases,
    pause = options and options.pause }, Fleet)
  self.journal = process.write(self.folder .. "/journal", "")
  if options and options.nginx then
    start_nginx(self)
  else
    self.ports = { process.port(), process.port() }
  end
  return self
end

function Fleet:start(script, port)
  return process.spawn({ process.lua, "-e", script },
    { env = environment(self, port) })
end

--- Starts what does not run, as a supervisor would: a worker that finds no
-- Redis when it starts ends with an error.
function Fleet:fill()
  for i, port in ipairs(self.nginx and {} or self.ports) do
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

--- Ends one without blocking the load.
function M.kill(child)
  child:kill "KILL"
  crash.await("end of " .. child.name, function()
    return child:status()
  end)
end

function Fleet:kill_redis()
  M.kill(self.redis.process)
  self.redis.process = process.spawn { "redis-server", self.redis.config }
end

function Fleet:kill_nginx_worker()
  local pids = self.nginx:workers()
  if #pids > 0 then
    os.execute("kill -KILL " .. pids[math.random(#pids)] .. " 2>/dev/null")
  end
end

--- Kills the master; its orphans go on for a moment, and take the port with
-- them when they are killed in their turn.
function Fleet:kill_nginx()
  local master = self.nginx.child
  master:kill "STOP"
  local orphans = table.concat(self.nginx:workers(), " ")
  M.kill(master)
  require("flexhooks").sleep(0.05 * math.random())
  os.execute("kill -KILL " .. orphans .. " 2>/dev/null")
  crash.await("free port " .. self.nginx.port, function()
    return not process.listening(self.nginx.port)
  end)
  self.nginx:launch()
end

local function stop(self)
  local all = { self.nginx and self.nginx.child }
  for _, list in ipairs { self.servers, self.workers } do
    for _, child in pairs(list) do
      all[#all + 1] = child
    end
  end
  for _, child in ipairs(all) do
    local status = child:stop()
    assert(status == 0, ("%s: status %d\n%s"):format(child.name, status,
      child:stderr()))
  end
end

function Fleet:verdict(load)
  return crash.verdict(load, self.journal)
end

--- Runs f under load, then lets everything end, and draws the balance.
function Fleet:balance(what, times, f)
  self:fill()
  local load = crash.load(self.ports, 12, self.pause)
  load:run(function()
    f(load)
  end)
  process.eventually(function()
    return self.redis:cli("PING") == "PONG"
  end)
  self:fill()
  -- Those that had begun to start without Redis end now.
  if not self.no_leases then
    crash.wait_empty(self.redis:url(PARTITIONS), function()
      self:fill()
    end)
  end
  stop(self)
  local verdict = self:verdict(load)
  torture.row(what, times, verdict)
  return verdict
end

--- A balance of `times` kills at random moments; kill(fleet, n) is the nth.
function Fleet:harass(what, times, kill)
  local flexhooks = require "flexhooks" -- the product goes with the file
  return self:balance(what, times, function(load)
    for n = 1, times do
      flexhooks.sleep(0.1 + 0.15 * math.random())
      kill(self, n)
      torture.progress(what, n, times, load:told())
    end
    crash.await(times .. " acknowledged events", function()
      return #load.acknowledged > times
    end)
  end)
end

return M
