local flexhooks = require "flexhooks"
local process = require "spec.support.process"
local queues = require "spec.support.queues"
local refusal = require "spec.support.refusal"
local sqlite_db = require "flexhooks.queue.embedded.sqlite_db"

local item = queues.item
local path, url

before_each(function()
  path = process.folder() .. "/q.db"
  url = "sqlite:" .. path
end)

-- A task for each item, so that they share a turn and its transaction.
local function store_at_once(queue, items)
  local results = {}
  flexhooks.run(function()
    for i, it_ in ipairs(items) do
      flexhooks.spawn(function()
        local ok, verdicts = queue:store { it_ }
        results[i] = ok and verdicts[1] or verdicts
      end)
    end
  end)
  return results
end

describe("what is in a queue of one process", function()
  it("is counted in whole numbers on every Lua", function()
    local queue = flexhooks.queue(url)
    assert.is_true(queue:store { item("first") })
    local stats = queue:stats()
    assert.same({ "1", "0", "0", "0" }, { tostring(stats.ready),
      tostring(stats.running), tostring(stats.delayed), tostring(stats.dead) })
    queue:close()
  end)
end)

describe("a queue that is owned", function()
  it("says so to a second one of the same process too", function()
    local first, second = flexhooks.queue(url), flexhooks.queue(url)
    assert.is_true(first:store { item("first") })
    local ok, err = second:store { item("second") }
    assert.is_nil(ok)
    assert.same({ "queue", "owned" }, { err.kind, err.reason })
    assert.matches("another queue object of this one", err.message)
    first:close()
    assert.is_true(second:store { item("second") })
    second:close()
  end)
end)

describe("a transaction that fails", function()
  local queue

  before_each(function()
    queue = flexhooks.queue(url)
    assert.is_true(queue:store { item("first", { token_key = "first" }) })
  end)

  after_each(function()
    queue:close()
    queue = nil
  end)

  local function db()
    return queue.backend.storage.db
  end

  -- Both kinds of claim are free again, and the file is as it was.
  local function check_released(names)
    for _, name in ipairs(names) do
      local ok, verdicts = queue:store({ item(name, { token_key = name,
        twin_key = name, source = "g" }) }, { sources = 2 })
      assert.is_true(ok, tostring(verdicts))
      assert.equal("stored", verdicts[1])
    end
    assert.equal(1 + #names, queue:stats().ready)
  end

  it("stores none of a full disk's items, and claims none", function()
    local pages = db():value "PRAGMA page_count"
    db():execute(("PRAGMA max_page_count=%d"):format(pages + 1))
    local big = ("x"):rep(10000)
    local function try(name)
      return item(name, { token_key = name, twin_key = name, source = "g",
        event = { EventType = "onX", InteractionSid = "KD1", Big = big } })
    end
    local ok, err = queue:store({ try "a", try "b" }, { sources = 2 })
    assert.is_nil(ok)
    assert.equal("queue", err.kind)
    assert.matches("full", err.message)
    assert.equal(1, queue:stats().ready)
    db():execute("PRAGMA max_page_count=1000000")
    check_released { "a", "b" }
  end)

  it("keeps what fits when its parts are tried alone", function()
    local pages = db():value "PRAGMA page_count"
    db():execute(("PRAGMA max_page_count=%d"):format(pages + 2))
    local big = item("big", { event = { EventType = "onX",
      InteractionSid = "KD1", Big = ("x"):rep(100000) } })
    local results = store_at_once(queue, { item "a", big, item "b" })
    assert.equal("stored", results[1])
    assert.equal("queue", results[2].kind)
    assert.equal("stored", results[3])
    assert.equal(3, queue:stats().ready)
  end)

  it("waits for a lock a moment only, and then says so", function()
    local other = assert(sqlite_db.open(path, 0))
    other:execute("BEGIN EXCLUSIVE")
    local storage, tried = queue.backend.storage, 0
    local transaction = storage.transaction
    storage.transaction = function(...)
      tried = tried + 1
      return transaction(...)
    end
    local results = store_at_once(queue, { item "a", item "b", item "c" })
    for i = 1, 3 do
      assert.matches("locked", results[i].message)
    end
    assert.equal(1, tried)
    storage.transaction = nil
    other:execute("ROLLBACK")
    other:close()
    check_released { "a", "b", "c" }
  end)

  it("is tried on a new connection after an I/O error", function()
    local before = db()
    local transaction = queue.backend.storage.transaction
    queue.backend.storage.transaction = function(storage)
      return transaction(storage, true, function()
        error("disk I/O error", 0)
      end)
    end
    local ok, err = queue:store({ item("a", { token_key = "a",
      twin_key = "a", source = "g" }) }, { sources = 2 })
    assert.is_nil(ok)
    assert.matches("I/O", err.message)
    queue.backend.storage.transaction = nil
    check_released { "a" }
    assert.is_not_equal(before, db())
    assert.same({ "duplicate" }, { select(2, queue:store { item("first",
      { token_key = "first" }) })[1] })
  end)

  it("refuses more than max_events", function()
    queue:close()
    queue = flexhooks.queue(url, { max_events = 2 })
    assert.is_nil((queue:store { item "a", item "b" }))
    assert.is_true(queue:store { item "a" })
    local ok, err = queue:store { item "b" }
    assert.is_nil(ok)
    assert.matches("full", err.message)
  end)
end)

describe("a queue", function()
  it("that was forked does not touch its parent's queue", function()
    local queue = flexhooks.queue(url)
    assert.is_true(queue:store { item "a" })
    local core = require "flexhooks.core"
    local pid = core.pid
    queue.backend.pid = function()
      return pid() + 1
    end
    local ok, err = queue:store { item "b" }
    assert.is_nil(ok)
    assert.equal("forked", err.reason)
    queue.backend.pid = pid
    queue:close()
    ok, err = queue:store { item "b" }
    assert.is_nil(ok)
    assert.equal("closed", err.kind)
  end)
end)

-- Each in turn raises, as any call may for want of memory.
describe("a step that is refused", function()
  local REFUSED = {
    host = { require "flexhooks.runtime.current", "now" },
    transaction = { require "flexhooks.queue.embedded.transaction",
      "new", "store", "step" },
    claims = { require "flexhooks.queue.embedded.claims", "batch" },
    envelope = { require "flexhooks.queue.item_codec", "encode" },
  }
  local RULE = { sources = 2 }

  local function claiming(id)
    return item(id, { token_key = id, twin_key = id })
  end

  -- Stores and steps of one turn, and of those that come after it.
  local function use(queue, told)
    for _, id in ipairs { "a", "b" } do
      pcall(queue.submit, queue, { items = { claiming(id) }, rule = RULE,
        done = function()
          told[id] = (told[id] or 0) + 1
        end })
    end
    flexhooks.spawn(pcall, queue.store, queue, { item "c" })
    pcall(queue.discard, queue, "none")
    pcall(queue.store, queue, { item "d" })
  end

  local function check(functions, open)
    refusal.each(functions, function(refused)
      local queue, told = open(), {}
      assert.is_true(queue:store({ item "first" }, RULE))
      refused.begin()
      flexhooks.run(use, queue, told)
      refused.over()
      assert.is_true((told.a or 1) == 1 and (told.b or 1) == 1)
      flexhooks.run(function()
        for _, id in ipairs { "a", "b" } do
          -- What was not stored comes again.
          assert.is_true(queue:store({ claiming(id) }, RULE))
          assert.equal("queued", assert(queue:get(id)).state)
        end
        assert.equal("not_found", select(2, queue:discard "none").kind)
      end)
      queue:close()
    end)
  end

  it("stops nothing in SQLite", function()
    local number = 0
    local function open()
      number = number + 1
      return flexhooks.queue(url .. number, { synchronous = "off" })
    end
    check(REFUSED, open)
    check({ host = { require "flexhooks.runtime.current",
      "at_turn_end", "event" } }, open)
  end)

  it("stops nothing in memory", function()
    check(REFUSED, function()
      return flexhooks.queue "memory:"
    end)
  end)

  it("stops nothing in the storage", function()
    local queue = flexhooks.queue(url)
    local methods = { queue.backend.storage, "owner", "open", "last_seq",
      "restore", "transaction", "insert", "claim" }
    local count = 0
    refusal.each({ storage = methods }, function(refused)
      queue.backend.claims, queue.backend.generation = nil, nil
      count = count + 1
      refused.begin()
      local stored = { pcall(queue.store, queue, { claiming("e" .. count) },
        RULE) }
      refused.over()
      assert.is_true(not stored[1] or stored[2] or stored[3].kind == "queue")
      assert.is_true(queue:store({ claiming("e" .. count) }, RULE))
      assert.equal("queued", assert(queue:get("e" .. count)).state)
    end)
    queue:close()
  end)

  -- The statement that cannot be undone for want of memory.
  it("leaves no transaction open", function()
    local queue = flexhooks.queue(url)
    assert.is_true(queue:store { item "first" })
    local storage = queue.backend.storage
    local db = storage.db
    function storage.insert()
      error("no insert", 0)
    end
    local real = db.connection
    db.connection = setmetatable({ execute = function(_, sql)
      if sql == "ROLLBACK" then
        return nil, "LuaSQL: out of memory"
      end
      return real:execute(sql)
    end }, { __gc = function()
      debug.getmetatable(real).__gc(real)
    end })
    local ok, err = queue:store { item "a" }
    assert.is_nil(ok)
    assert.matches("no insert", err.message)
    storage.insert = nil
    assert.is_true(queue:store { item "a" })
    assert.equal(2, queue:stats().ready)
    queue:close()
  end)
end)
