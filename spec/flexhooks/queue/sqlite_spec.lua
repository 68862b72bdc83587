local contract = require "spec.support.queue_contract"
local flexhooks = require "flexhooks"
local luasql = require "luasql.sqlite3"
local process = require "spec.support.process"

local function item(id, extra)
  local made = { id = id, received_at = flexhooks.now(), source = "default",
    event = { EventType = "onX", InteractionSid = "KD1" } }
  for name, value in pairs(extra or {}) do
    made[name] = value
  end
  return made
end

local path, url

before_each(function()
  path = process.folder() .. "/q.db"
  url = "sqlite:" .. path
end)

describe("the queue in SQLite", function()
  contract(function(options)
    return flexhooks.queue(url, options)
  end)
end)

describe("an SQLite file", function()
  it("keeps events, dead letters and claims", function()
    local queue = flexhooks.queue(url)
    local rule = { sources = 2 }
    assert.is_true(queue:store({ item("a", { token_key = "t" }),
      item("b", { twin_key = "f", source = "g" }),
      item("c", { event = false, raw = "{", reason = "malformed" }) }, rule))
    queue:close()
    queue = flexhooks.queue(url)
    local ok, verdicts = queue:store({ item("a", { token_key = "t" }),
      item("d", { twin_key = "f", source = "i" }),
      item("e", { twin_key = "f", source = "i" }) }, rule)
    assert.is_true(ok)
    assert.same({ "duplicate", "duplicate", "stored" }, verdicts)
    assert.same({ 3, 1 }, { queue:stats().ready, queue:stats().dead })
    assert.equal("{", queue:get("c").raw)
    queue:close()
  end)

  it("forgets claims whose window is over", function()
    local queue = flexhooks.queue(url)
    local rule = { window = 1, entries = 50, twin_window = 1 }
    for call = 1, 30 do
      local items = {}
      for n = 1, 100 do
        items[n] = item("x", { token_key = call .. "-" .. n })
      end
      assert.is_true(queue:store(items, rule))
    end
    queue:close()
    local db = luasql.sqlite3():connect(path)
    local cursor = db:execute("SELECT count(*) FROM claims")
    local count = cursor:fetch()
    cursor:close()
    assert.is_true(count < 2000, count .. " claims are kept")
    db:close()
  end)

  it("is refused where a newer flexhooks wrote it, and left as it is",
    function()
      local queue = flexhooks.queue(url)
      assert.is_true(queue:store { item "a" })
      queue:close()
      local db = luasql.sqlite3():connect(path)
      db:execute("UPDATE meta SET value = 2")
      db:close()
      local before = process.read(path)
      local ok, err = flexhooks.queue(url):store { item "b" }
      assert.is_nil(ok)
      assert.equal("queue", err.kind)
      assert.matches("version 2", err.message)
      assert.equal(before, process.read(path))
    end)

  it("is refused where it is no database, or in no folder", function()
    process.write(path, ("no database"):rep(1000))
    local ok, err = flexhooks.queue(url):store { item "a" }
    assert.is_nil(ok)
    assert.matches("not a database", err.message)
    ok, err = flexhooks.queue("sqlite:/no/such/folder/q.db"):stats()
    assert.is_nil(ok)
    assert.matches("unable to open", err.message)
  end)

  it("is named by a path", function()
    for _, wrong in ipairs { "sqlite:", "sqlite::memory:", "sqlite://host/x",
      "sqlite:a\0b", "file:x", "x.db", "" } do
      local ok, err = pcall(function()
        local queue = flexhooks.queue(wrong)
        return queue
      end)
      assert.is_false(ok)
      assert.equal("argument", err.kind)
      assert.matches("sqlite_spec.lua", err.message)
    end
    local queue = flexhooks.queue("sqlite://" .. path)
    assert.is_true(queue:store { item "a" })
    queue:close()
  end)
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

  local function connection()
    return queue.backend.storage.connection
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
    local pages = connection():execute("PRAGMA page_count"):fetch()
    connection():execute(("PRAGMA max_page_count=%d"):format(pages + 1))
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
    connection():execute("PRAGMA max_page_count=1000000")
    check_released { "a", "b" }
  end)

  it("keeps what fits when its parts are tried alone", function()
    local pages = connection():execute("PRAGMA page_count"):fetch()
    connection():execute(("PRAGMA max_page_count=%d"):format(pages + 2))
    local big = item("big", { event = { EventType = "onX",
      InteractionSid = "KD1", Big = ("x"):rep(100000) } })
    local results = store_at_once(queue, { item "a", big, item "b" })
    assert.equal("stored", results[1])
    assert.equal("queue", results[2].kind)
    assert.equal("stored", results[3])
    assert.equal(3, queue:stats().ready)
  end)

  it("waits for a lock a moment only, and then says so", function()
    local other = luasql.sqlite3():connect(path)
    other:execute("BEGIN EXCLUSIVE")
    local began = flexhooks.clock()
    local results = store_at_once(queue, { item "a", item "b", item "c" })
    for i = 1, 3 do
      assert.matches("locked", results[i].message)
    end
    assert.is_true(flexhooks.clock() - began < 3)
    other:execute("ROLLBACK")
    other:close()
    check_released { "a", "b", "c" }
  end)

  it("is tried on a new connection after an I/O error", function()
    local before = connection()
    local transaction = queue.backend.storage.transaction
    queue.backend.storage.transaction = function(storage)
      return transaction(storage, function()
        error("disk I/O error", 0)
      end)
    end
    local ok, err = queue:store({ item("a", { token_key = "a",
      twin_key = "a", source = "g" }) }, { sources = 2 })
    assert.is_nil(ok)
    assert.matches("I/O", err.message)
    queue.backend.storage.transaction = nil
    check_released { "a" }
    assert.is_not_equal(before, connection())
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

-- What only another process, or another user, can show.
local CHILD = [[
local flexhooks = require "flexhooks"
local queue = flexhooks.queue(%q)
local ok, err = queue:store { { id = %q, received_at = 1,
  event = { EventType = "onX", InteractionSid = "KD1", Big = (%q):rep(%d) } } }
io.write(tostring(ok), "|", ok and "" or err.kind .. "|" .. err.message)
%s
]]

local function child(id, size, more)
  return CHILD:format(url, id, "x", size or 1, more or "")
end

describe("a process", function()
  it("survives a file that may not grow", function()
    local script = child("a", 200000, [[
      local more, why = queue:store { { id = "b", received_at = 1,
        event = { EventType = "onX", InteractionSid = "KD1" } } }
      io.write("|", tostring(more), "|", tostring(why))
    ]])
    assert.equal(0, (process.run { process.lua, "-e", child "zero" }))
    -- In blocks of 512 bytes; the signal is ignored, as it is under systemd
    -- with IgnoreSIGPIPE's like.
    local _, out = process.run { "sh", "-c", "trap '' XFSZ; ulimit -f 200; "
      .. 'exec "$0" -e "$1"', process.lua, script }
    assert.matches("^nil|queue|", out)
    local queue = flexhooks.queue(url)
    assert.is_false((queue:get "a") ~= nil)
    assert.equal("queued", queue:get("zero").state)
    queue:close()
  end)

  it("that may only read the file gets an error", function()
    assert.equal(0, (process.run { process.lua, "-e", child "zero" }))
    os.execute(("chmod 0444 %s*; chmod 0555 %s"):format(path,
      path:match "^(.*)/"))
    local id = process.run { "test", "-w", path } == 0
    local command = { process.lua, "-e", child "a" }
    if id then -- root may write everything: let somebody else try
      command = { "setpriv", "--reuid=65534", "--regid=65534",
        "--clear-groups", process.lua, "-e", child "a" }
    end
    local _, out, stderr = process.run(command)
    os.execute(("chmod 0777 %s; chmod 0666 %s*"):format(path:match "^(.*)/",
      path))
    assert.matches("^nil|queue|", out .. stderr)
  end)

  it("owns its file, and answers for it", function()
    local owner = process.spawn { process.lua, "-e", child("held", 1, [[
      io.stdout:flush()
      flexhooks.run(function()
        local ends = flexhooks.clock() + 20
        while queue:stats().dead == 0 and flexhooks.clock() < ends do
          flexhooks.sleep(0.02)
          queue:store { { id = "dead", raw = "{", reason = "malformed" } }
        end
        while queue:stats().dead > 0 and flexhooks.clock() < ends do
          flexhooks.sleep(0.02)
        end
        flexhooks.sleep(0.5)
      end)
    ]]) }
    owner:wait_output "true"
    local queue = flexhooks.queue(url)
    process.eventually(function()
      local stats = queue:stats()
      return stats and stats.dead == 1
    end)
    assert.equal(1, queue:stats().ready)
    assert.equal("dead", queue:dead_letters()[1].id)
    assert.equal("queued", queue:get("held").state)
    local ok, err = queue:replay "dead"
    assert.is_nil(ok)
    assert.equal("not_an_event", err.reason)
    ok, err = queue:replay "no such"
    assert.is_nil(ok)
    assert.equal("not_found", err.kind)
    assert.is_true(queue:discard "dead")
    ok, err = queue:store { item "b" }
    assert.is_nil(ok)
    assert.same({ "queue", "owned" }, { err.kind, err.reason })
    local worker = flexhooks.worker { queue = queue,
      router = flexhooks.router() }
    ok, err = worker:run()
    assert.is_nil(ok)
    assert.equal("owned", err.reason)
    assert.equal(0, owner:wait(10))
    assert.is_true(queue:store { item "b" })
    queue:close()
  end)

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
