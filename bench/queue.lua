-- What a queue costs, beside what its database costs alone.
--
--   lua5.4 bench/queue.lua NAME [batches]
--
-- SQLite: events stored before they are answered, against bare INSERTs of the
-- same bytes by the same driver in transactions of the same size. Redis: the
-- same against redis-benchmark's XADD of the same size and pipelining. Each
-- event comes by itself, as a server's receiver brings it; "in one call" it
-- comes with the others of its turn. All sides take turns, so that what
-- disturbs the machine disturbs them alike.
-- Then, for both, what a worker handles of a backlog, and the way of an event
-- at a moderate pace. All on this machine's disk, with the durable settings.
local flexhooks = require "flexhooks"
local runtime = require "flexhooks.runtime.current"
local luasql = require "luasql.sqlite3"
local process = require "spec.support.process"
local redis = require "spec.support.redis"
local testing = require "flexhooks.testing"

local NAME = arg[1]
local COUNT = tonumber(arg[2]) or 60 -- batches in a turn of either side
local TURNS = 4
local BATCHES = { 1, 10, 100 } -- events in one turn of the loop
local CONCURRENCY = 100
local PACE = 500 -- events a second, for the way of one
local SECONDS = 2

local events = {}
for line = 1, 500 do
  events[line] = testing.event("onParticipantJoined",
    { InteractionSid = ("KD%032x"):format(line) })
end

-- An event of its own, made just before, as when it is received.
local function event(n)
  local made = {}
  for name, value in pairs(events[n % #events + 1]) do
    made[name] = value
  end
  return made
end

local function item(n)
  return { id = ("%032x"):format(n), event = event(n),
    source = "default", received_at = 1700000000.123,
    wire_type = "onParticipantJoined", token_key = ("%032x"):format(n) }
end

local body = #require("flexhooks.queue.item_codec").encode(item(1))

local made = 0

local function new_items(count)
  local items = {}
  for i = 1, count do
    made = made + 1
    items[i] = item(made)
  end
  return items
end

local RULE = {}

-- One by one and with as many fields as a server's receiver.
local function submit(queue, items)
  local left, all = #items, runtime.event()
  local function done(store)
    assert(not store.err, store.err)
    left = left - 1
    if left == 0 then
      all:set()
    end
  end
  for i = 1, #items do
    queue:submit { items = { items[i] }, rule = RULE, done = done,
      err = false, receiver = queue, reply = submit, whom = items[i] }
  end
  all:wait()
end

local function store_together(queue, items)
  assert(queue:store(items))
end

-- Seconds that it takes until all of these batches are stored.
local function store_all(queue, store, count, batch)
  local seconds = 0
  flexhooks.run(function()
    for _ = 1, count do
      local items = new_items(batch)
      local began = flexhooks.clock()
      store(queue, items)
      seconds = seconds + flexhooks.clock() - began
    end
  end)
  return seconds
end

local function bare_database(path)
  local db = luasql.sqlite3():connect(path)
  assert(db:execute "PRAGMA journal_mode=WAL"):close()
  db:execute "PRAGMA synchronous=FULL"
  db:execute "CREATE TABLE t(seq INTEGER PRIMARY KEY, body TEXT)"
  return db
end

local bare_seq = 0

local function insert_all(db, count, batch)
  local text = ("x"):rep(body)
  local began = flexhooks.clock()
  for _ = 1, count do
    db:execute "BEGIN IMMEDIATE"
    for _ = 1, batch do
      bare_seq = bare_seq + 1
      assert(db:execute("INSERT INTO t VALUES(" .. bare_seq .. ",'" .. text
        .. "')"))
    end
    assert(db:execute "COMMIT")
  end
  return flexhooks.clock() - began
end

-- Runs a worker on this queue until `done` returns true, at most two minutes.
local function work(queue, on_event, done)
  local router = flexhooks.router()
  router:on("*", on_event)
  local worker = flexhooks.worker { queue = queue, router = router,
    concurrency = CONCURRENCY }
  local running = flexhooks.spawn(worker.run, worker)
  local ends = flexhooks.clock() + 120
  while not done() do
    assert(flexhooks.clock() < ends, "the worker is not done after 120 s")
    flexhooks.sleep(0.001)
  end
  worker:stop()
  assert(running:wait())
end

-- What was stored so far, and a little more.
local function handle_backlog(queue)
  store_all(queue, store_together, 10, 100)
  local stored = made
  local handled, began = 0, flexhooks.clock()
  flexhooks.run(work, queue, function()
    handled = handled + 1
  end, function()
    return handled == stored
  end)
  return stored / (flexhooks.clock() - began)
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
        local one = item(made + sent)
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

-- All sides in turn; a side is { name, function(batches, batch) -> seconds }.
local function compare(kind, sides)
  for _, batch in ipairs(BATCHES) do
    local seconds = {}
    for _ = 1, TURNS do
      for i, side in ipairs(sides) do
        seconds[i] = (seconds[i] or 0) + side[2](COUNT, batch)
      end
    end
    for i, side in ipairs(sides) do
      row(("%s, %s: %d at once"):format(kind, NAME, batch), side[1],
        TURNS * COUNT * batch / seconds[i], "events/s")
    end
  end
end

local function measure(kind, bare_name, bare, queue)
  made = 0
  compare(kind, { { bare_name, bare },
    { "stored", function(...)
      return store_all(queue, submit, ...)
    end },
    { "stored in one call", function(...)
      return store_all(queue, store_together, ...)
    end } })
  row(kind .. ": handle a backlog", NAME, handle_backlog(queue), "events/s")
  row(kind .. ": from stored to handled, p99", NAME, p99(queue), "ms")
  queue:close()
end

local function add_all(port, count, batch)
  local _, out = process.run { "redis-benchmark", "-p", port,
    "-n", count * batch, "-c", "1", "-P", batch, "--csv", "XADD", "s", "*",
    "l", ("x"):rep(34), "b", ("x"):rep(body) }
  return count * batch / tonumber(out:match '\n"[^"]*","([%d.]+)"')
end

local ok, err = pcall(function()
  local folder, server = process.folder(), redis.start()
  local db = bare_database(folder .. "/bare.db")
  measure("sqlite", "bare INSERTs", function(count, batch)
    return insert_all(db, count, batch)
  end, flexhooks.queue("sqlite:" .. folder .. "/q.db"))
  db:close()
  measure("redis", "redis-benchmark XADD", function(count, batch)
    return add_all(server.port, count, batch)
  end, flexhooks.queue(server:url()))
end)
process.stop_all()
assert(ok, err)
