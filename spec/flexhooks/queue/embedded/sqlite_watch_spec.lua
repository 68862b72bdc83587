local flexhooks = require "flexhooks"
local lfs = require "lfs"
local process = require "spec.support.process"
local queues = require "spec.support.queues"
local sqlite_db = require "flexhooks.queue.embedded.sqlite_db"

local path, url, queue

before_each(function()
  path = process.folder() .. "/q.db"
  url = "sqlite:" .. path
  queue = flexhooks.queue(url, { synchronous = "off" })
end)

after_each(function()
  queue:close()
end)

local function size(suffix)
  return lfs.attributes(path .. suffix, "size")
end

local function truncate(suffix, bytes)
  assert.equal(0, (process.run { "truncate", "-s", bytes, path .. suffix }))
end

local function store(id, bytes)
  return queue:store { queues.item(id, { event = { EventType = "onX",
    InteractionSid = "KD1", Big = ("x"):rep(bytes or 1) } }) }
end

local function checkpoint(mode)
  local db = assert(sqlite_db.open(path, 1000))
  db:execute("PRAGMA wal_checkpoint(" .. mode .. ")")
  db:close()
end

local function refuses(suffix)
  for _ = 1, 2 do
    local ok, err = store "refused"
    assert.is_nil(ok)
    assert.equal("queue", err.kind)
    assert.matches(path .. suffix .. " was truncated", err.message, 1, true)
  end
end

-- Handles what waits; only the steps of the worker are written.
local function work(count)
  local router, seen = flexhooks.router(), 0
  local worker = flexhooks.worker { queue = queue, router = router }
  router:on("*", function()
    seen = seen + 1
    if seen == count then
      worker:stop()
    end
  end)
  return flexhooks.run(worker.run, worker), seen
end

describe("a file that is truncated while it is open", function()
  for _, bytes in ipairs { 0, 1, 4096 } do
    it("takes nothing more: q.db, to " .. bytes, function()
      for n = 1, 20 do
        assert.is_true(store("a" .. n, 4000))
      end
      checkpoint "PASSIVE"
      assert.is_true(store "b") -- the queue sees how long the file is
      truncate("", bytes)
      refuses ""
      queue:close()
    end)
  end

  for _, bytes in ipairs { 0, 100, 8000 } do
    it("takes nothing more: q.db-wal, to " .. bytes, function()
      for n = 1, 20 do
        assert.is_true(store("a" .. n, 4000))
      end
      truncate("-wal", bytes)
      refuses "-wal"
    end)
  end

  it("is noticed after the first commit", function()
    assert.is_true(store "a")
    queue:close()
    queue = flexhooks.queue(url)
    assert.equal(1, queue:stats().ready)
    assert.equal(0, size "-wal")
    assert.is_true(store "b")
    truncate("-wal", 0)
    refuses "-wal"
  end)

  it("is noticed if only steps are written since", function()
    for n = 1, 50 do
      assert.is_true(store("a" .. n))
    end
    truncate("", 0)
    assert.is_true((work(50)))
    refuses ""
  end)

  it("is not taken for a new queue", function()
    for n = 1, 50 do
      assert.is_true(store("a" .. n, 100000))
    end
    checkpoint "TRUNCATE"
    truncate("", 0)
    -- More than SQLite keeps in memory: reading fails.
    for id = 1, 50 do
      queue:discard("a" .. id)
      queue:get("a" .. id)
    end
    flexhooks.run(function()
      local router = flexhooks.router()
      router:on("*", function() end)
      local worker = flexhooks.worker { queue = queue, router = router }
      local running = flexhooks.spawn(worker.run, worker)
      flexhooks.sleep(0.3)
      worker:stop()
      return running
    end)
    refuses ""
    assert.is_true(size "" < 5e6)
  end)
end)

describe("a file that another connection makes shorter", function()
  it("takes events after VACUUM", function()
    for n = 1, 20 do
      assert.is_true(store("a" .. n, 10000))
    end
    assert.is_true((work(20)))
    checkpoint "TRUNCATE"
    local before = size ""
    local db = assert(sqlite_db.open(path, 1000))
    db:execute "VACUUM"
    db:close()
    checkpoint "TRUNCATE"
    assert.is_true(size "" < before)
    assert.is_true(store "b")
    assert.is_true(store "c")
    assert.equal(2, queue:stats().ready)
  end)

  it("takes events after a checkpoint truncates the log", function()
    for n = 1, 5 do
      assert.is_true(store("a" .. n, 10000))
      checkpoint "TRUNCATE"
      assert.equal(0, size "-wal")
    end
    truncate("-wal", 0)
    assert.is_true(store "b")
    assert.equal(6, queue:stats().ready)
  end)
end)

it("the owner's own limit on the log is no truncation", function()
  assert.is_true(store("a", 7e7))
  assert.is_true(size "-wal" > 67108864)
  local longest = size "-wal"
  for n = 1, 5 do
    assert.is_true(store("b" .. n))
  end
  assert.is_true(size "-wal" < longest)
  assert.equal(6, queue:stats().ready)
end)
