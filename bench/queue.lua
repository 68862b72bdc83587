-- What a queue costs, beside what its database costs alone.
--
--   lua5.4 bench/queue.lua NAME [events] [batch]
--
-- SQLite: events stored before they are answered, against bare INSERTs of the
-- same bytes by the same driver in transactions of the same size. Redis: the
-- same against redis-benchmark's XADD of the same size and pipelining. Then,
-- for both, what a worker handles of a backlog, and the way of an event at a
-- moderate pace. All on this machine's disk, with the durable settings.
local flexhooks = require "flexhooks"
local luasql = require "luasql.sqlite3"
local process = require "spec.support.process"
local redis = require "spec.support.redis"
local testing = require "flexhooks.testing"

local NAME = arg[1]
local EVENTS = tonumber(arg[2]) or 10000
local BATCH = tonumber(arg[3]) or 100
local PACE = 500 -- events a second, for the way of one
local SECONDS = 2

local events = {}
for line = 1, 500 do
  events[line] = testing.event("onParticipantJoined",
    { InteractionSid = ("KD%032x"):format(line) })
end

local function item(n)
  return { id = ("%032x"):format(n), event = events[n % #events + 1],
    source = "default", received_at = 1700000000.123,
    wire_type = "onParticipantJoined", token_key = ("%032x"):format(n) }
end

local body = #require("flexhooks.queue.envelope").encode(item(1))

-- Tasks that store one event each, BATCH of them in a turn of the loop.
local function store_all(queue)
  local began = flexhooks.clock()
  flexhooks.run(function()
    for from = 1, EVENTS, BATCH do
      local tasks = {}
      for n = from, from + BATCH - 1 do
        tasks[#tasks + 1] = flexhooks.spawn(queue.store, queue, { item(n) })
      end
      for _, task in ipairs(tasks) do
        assert(task:wait())
      end
    end
  end)
  return EVENTS / (flexhooks.clock() - began)
end

local function bare_inserts(path)
  local db = luasql.sqlite3():connect(path)
  assert(db:execute "PRAGMA journal_mode=WAL"):close()
  db:execute "PRAGMA synchronous=FULL"
  db:execute "CREATE TABLE t(seq INTEGER PRIMARY KEY, body TEXT)"
  local text = ("x"):rep(body)
  local began = flexhooks.clock()
  for from = 1, EVENTS, BATCH do
    db:execute "BEGIN IMMEDIATE"
    for n = from, from + BATCH - 1 do
      assert(db:execute("INSERT INTO t VALUES(" .. n .. ",'" .. text .. "')"))
    end
    assert(db:execute "COMMIT")
  end
  local rate = EVENTS / (flexhooks.clock() - began)
  db:close()
  return rate
end

-- A worker on this queue until `done` says so.
local function work(queue, on_event, done)
  local router = flexhooks.router()
  router:on("*", on_event)
  local worker = flexhooks.worker { queue = queue, router = router,
    concurrency = BATCH }
  local running = flexhooks.spawn(worker.run, worker)
  while not done() do
    flexhooks.sleep(0.001)
  end
  worker:stop()
  assert(running:wait())
end

local function handle_backlog(queue)
  local handled, began = 0, flexhooks.clock()
  flexhooks.run(work, queue, function()
    handled = handled + 1
  end, function()
    return handled == EVENTS
  end)
  return EVENTS / (flexhooks.clock() - began)
end

-- Milliseconds that all but one in a hundred events take from their arrival
-- to their handler.
local function p99(queue)
  local took, sent = {}, 0
  flexhooks.run(function()
    flexhooks.spawn(work, queue, function(_, context)
      took[#took + 1] = (flexhooks.now() - context.received_at) * 1000
    end, function()
      return #took == PACE * SECONDS
    end)
    local began = flexhooks.clock()
    while sent < PACE * SECONDS do
      local due = math.floor((flexhooks.clock() - began) * PACE)
      while sent < math.min(due, PACE * SECONDS) do
        sent = sent + 1
        local one = item(EVENTS + sent)
        one.received_at = flexhooks.now()
        flexhooks.spawn(queue.store, queue, { one })
      end
      flexhooks.sleep(0.002)
    end
  end)
  table.sort(took)
  return took[math.ceil(#took * 0.99)]
end

local function row(subject, variant, value, unit)
  print(("%s\t%s\t%.4g\t%s"):format(subject, variant, value, unit))
end

local function measure(kind, bare_name, bare, queue)
  row(kind .. ": store", NAME, store_all(queue), "events/s")
  row(kind .. ": store", bare_name, bare(), "events/s")
  row(kind .. ": handle a backlog", NAME, handle_backlog(queue), "events/s")
  row(kind .. ": from stored to handled, p99", NAME, p99(queue), "ms")
  queue:close()
end

local function xadds(port)
  local _, out = process.run { "redis-benchmark", "-p", port, "-n", EVENTS,
    "-c", "1", "-P", BATCH, "--csv", "XADD", "s", "*", "l", ("x"):rep(34),
    "b", ("x"):rep(body) }
  return tonumber(out:match '\n"[^"]*","([%d.]+)"')
end

local ok, err = pcall(function()
  local folder, server = process.folder(), redis.start()
  measure("sqlite", "bare INSERTs", function()
    return bare_inserts(folder .. "/bare.db")
  end, flexhooks.queue("sqlite:" .. folder .. "/q.db"))
  measure("redis", "redis-benchmark XADD", function()
    return xadds(server.port)
  end, flexhooks.queue(server:url()))
end)
process.stop_all()
assert(ok, err)
