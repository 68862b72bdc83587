-- What a queue costs, beside what its database costs alone, in one run.
--
--   lua5.4 bench/queue.lua [events] [batch]     bench/queue.sh for the table
--
-- SQLite: events stored before they are answered, against bare INSERTs of the
-- same bytes by the same driver in transactions of the same size. Redis: the
-- same against redis-benchmark's XADD of the same size and pipelining. Then
-- from stored to handled, for both. Everything is on this machine's disk, with
-- the durable settings.
local flexhooks = require "flexhooks"
local luasql = require "luasql.sqlite3"
local process = require "spec.support.process"
local redis = require "spec.support.redis"
local testing = require "flexhooks.testing"

local EVENTS = tonumber(arg[1]) or 20000
local BATCH = tonumber(arg[2]) or 100

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

local function percentile(list, p)
  table.sort(list)
  return list[math.max(1, math.ceil(#list * p))] or 0
end

-- Stores at the pace at which they are handled, and measures each event's way.
local function end_to_end(queue)
  local router, took, handled = flexhooks.router(), {}, 0
  router:on("*", function(_, context)
    handled = handled + 1
    took[handled] = flexhooks.now() - context.received_at
  end)
  local began = flexhooks.clock()
  flexhooks.run(function()
    local worker = flexhooks.worker { queue = queue, router = router,
      concurrency = BATCH }
    flexhooks.spawn(worker.run, worker)
    for from = 1, EVENTS, BATCH do
      local tasks = {}
      for n = from, from + BATCH - 1 do
        local one = item(EVENTS + n)
        one.received_at = flexhooks.now()
        tasks[#tasks + 1] = flexhooks.spawn(queue.store, queue, { one })
      end
      for _, task in ipairs(tasks) do
        assert(task:wait())
      end
    end
    while handled < EVENTS do
      flexhooks.sleep(0.001)
    end
    worker:stop()
  end)
  local rate = EVENTS / (flexhooks.clock() - began)
  return rate, percentile(took, 0.99) * 1000
end

local function row(subject, variant, value, unit)
  print(("%s\t%s\t%.4g\t%s"):format(subject, variant, value, unit))
end

local function stored(queue)
  local rate = store_all(queue)
  queue:close()
  return rate
end

-- One queue for what is stored, another for what is handled too.
local function measure(name, bare_name, new, bare)
  local subject = "events stored, " .. name
  row(subject, "flexhooks", stored(new()), "events/s")
  row(subject, bare_name, bare(), "events/s")
  local queue = new()
  local rate, p99 = end_to_end(queue)
  queue:close()
  row("stored and handled", name, rate, "events/s")
  row("stored and handled, p99", name, p99, "ms")
end

local function bench_sqlite(folder)
  local count = 0
  local function path()
    count = count + 1
    return folder .. "/" .. count .. ".db"
  end
  measure("SQLite", "bare INSERTs", function()
    return flexhooks.queue("sqlite:" .. path())
  end, function()
    return bare_inserts(path())
  end)
end

local function bench_redis()
  local server = redis.start()
  local count = 0
  measure("Redis", "redis-benchmark XADD", function()
    count = count + 1
    return flexhooks.queue(server:url("prefix=b" .. count))
  end, function()
    local _, out = process.run { "redis-benchmark", "-p", server.port, "-n",
      EVENTS, "-c", "1", "-P", BATCH, "--csv", "XADD", "s", "*", "l",
      ("x"):rep(34), "b", ("x"):rep(body) }
    return tonumber(out:match '\n"[^"]*","([%d.]+)"')
  end)
end

print(("# queue: %d events of %d bytes, %d in a turn"):format(EVENTS, body,
  BATCH))
local ok, err = pcall(function()
  bench_sqlite(process.folder())
  bench_redis()
end)
process.stop_all()
assert(ok, err)
