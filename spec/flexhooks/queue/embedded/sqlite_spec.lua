local contract = require "spec.support.queue_contract"
local flexhooks = require "flexhooks"
local lfs = require "lfs"
local luasql = require "spec.support.luasql"
local process = require "spec.support.process"
local queues = require "spec.support.queues"
local sqlite_db = require "flexhooks.queue.embedded.sqlite_db"

local item = queues.item
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

local function keeps_all()
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
end

describe("an SQLite file", function()
  for _, version in ipairs(luasql.VERSIONS) do
    it("keeps events, dead letters and claims with LuaSQL " .. version,
      function()
        luasql.use(version)
        keeps_all()
      end)
  end

  it("forgets claims whose window is over", function()
    local queue = flexhooks.queue(url)
    local rule = { window = 1, entries = 50, twin_window = 1 }
    for call = 1, 500 do
      local items = {}
      for n = 1, 3 do
        items[n] = item("x", { token_key = call .. "-" .. n })
      end
      assert.is_true(queue:store(items, rule))
    end
    queue:close()
    local db = assert(sqlite_db.open(path, 0))
    local count = db:value "SELECT count(*) FROM claims"
    assert.is_true(count < 250, count .. " transactions' claims are kept")
    db:close()
  end)

  it("is refused where a newer flexhooks wrote it, and left as it is",
    function()
      local queue = flexhooks.queue(url)
      assert.is_true(queue:store { item "a" })
      queue:close()
      local db = assert(sqlite_db.open(path, 0))
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

  it("is there where it only cannot be opened", function()
    local folder = path:match "^(.*)/"
    local function exists(name)
      return flexhooks.queue("sqlite:" .. folder .. name):exists()
    end
    process.write(folder .. "/file", "x")
    for _, name in ipairs { "/none.db", "/no/q.db", "/file/q.db" } do
      local there, err = exists(name)
      assert.is_nil(there)
      assert.equal("not_found", err.kind)
    end
    assert(lfs.link("loop", folder .. "/loop", true))
    assert.is_true(exists "/loop")
    assert.is_true(exists "/file")
  end)

  it("stays locked when its process asks whether it is there", function()
    local queue = flexhooks.queue(url)
    assert.is_true(queue:store { item "a" })
    assert.is_true(flexhooks.queue(url):exists())
    -- The last connection that is closed deletes the log.
    assert.equal(0, (process.run { process.lua, "-e", ([[
      local file = require "flexhooks.queue.embedded.sqlite_db"
      local db = assert(file.open(%q, 0))
      db:value "SELECT count(*) FROM events"
      db:close()
    ]]):format(path) }))
    assert.is_true(queue:store { item "b" })
    queue:close()
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

describe("a file that has two names", function()
  it("has one owner, whom commands find by either", function()
    assert(lfs.link("q.db", path .. ".link", true))
    local other = "sqlite:" .. path .. ".link"
    local queue = flexhooks.queue(url)
    assert.is_true(queue:store { item "a" })
    local ok, err = flexhooks.queue(other):store { item "b" }
    assert.is_nil(ok)
    assert.equal("owned", err.reason)
    flexhooks.run(function()
      assert.equal(1, assert(flexhooks.queue(other):stats()).ready)
    end)
    queue:close()
    queue = flexhooks.queue(other)
    assert.equal(1, queue:stats().ready)
    queue:close()
  end)

  it("has one owner also where it is made through a link", function()
    assert(lfs.link("q.db", path .. ".link", true))
    local other = "sqlite:" .. path .. ".link"
    local queue = flexhooks.queue(other)
    assert.is_true(queue:store { item "a" })
    for _, name in ipairs { url, other } do
      local ok, err = flexhooks.queue(name):store { item "b" }
      assert.is_nil(ok)
      assert.equal("owned", err.reason)
    end
    queue:close()
  end)

  it("is found where the process has gone to another folder", function()
    local here, folder = lfs.currentdir(), path:match "^(.*)/"
    assert(lfs.chdir(folder))
    finally(function()
      lfs.chdir(here)
    end)
    local queue = flexhooks.queue "sqlite:q.db"
    assert.is_true(queue:store { item "a" })
    assert(lfs.chdir "/")
    assert.is_true(queue:store { item "b" })
    queue:close()
  end)
end)

-- What is stored in it then is found by nobody once the process has ended.
describe("a file that is deleted while it is open", function()
  for _, suffix in ipairs { "", "-wal", ".lock" } do
    it("takes nothing more: q.db" .. suffix, function()
      local queue = flexhooks.queue(url)
      assert.is_true(queue:store { item("a", { token_key = "a" }) })
      assert(os.rename(path .. suffix, path .. ".elsewhere"))
      for _, stored in ipairs { item "b", item("a", { token_key = "a" }),
        item("c", { event = false, raw = "{", reason = "malformed" }) } do
        local ok, err = queue:store { stored }
        assert.is_nil(ok)
        assert.equal("queue", err.kind)
        assert.matches(path .. suffix .. " was deleted or replaced",
          err.message, 1, true)
      end
      assert(os.rename(path .. ".elsewhere", path .. suffix))
      local ok, verdicts = queue:store { item("b", { token_key = "b" }) }
      assert.is_true(ok)
      assert.equal("stored", verdicts[1])
      assert.same({ 2, 0 }, { queue:stats().ready, queue:stats().dead })
      queue:close()
    end)
  end

  it("is not confused with one that has taken its name", function()
    local queue = flexhooks.queue(url)
    assert.is_true(queue:store { item "a" })
    assert(os.rename(path, path .. ".elsewhere"))
    process.write(path, process.read(path .. ".elsewhere"))
    local ok, err = queue:store { item "b" }
    assert.is_nil(ok)
    assert.matches("was deleted or replaced", err.message)
    queue:close()
  end)

  it("is worked off, and made anew by the next that opens it", function()
    local queue = flexhooks.queue(url)
    assert.is_true(queue:store { item "a" })
    os.remove(path)
    local router, seen = flexhooks.router(), {}
    local worker = flexhooks.worker { queue = queue, router = router }
    router:on("*", function(_, context)
      seen[#seen + 1] = context.id
      worker:stop()
    end)
    assert.is_true(flexhooks.run(worker.run, worker))
    assert.same({ "a" }, seen)
    assert.equal(0, queue:stats().ready)
    queue:close()
    os.remove(path .. "-wal")
    queue = flexhooks.queue(url)
    assert.is_true(queue:store { item "b" })
    assert.equal(1, queue:stats().ready)
    queue:close()
  end)
end)

local function child(id)
  return queues.script(url, id, 1, "")
end

-- What only another process, or another user, can show.
describe("a process", function()
  it("survives a file that may not grow", function()
    local script = queues.script(url, "a", 200000, [[
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
    local command = { process.lua, "-e", child "a" }
    if process.run { "test", "-w", path } == 0 then
      -- Root may write everything, unless it gives up that right.
      command = { "setpriv", "--bounding-set=-dac_override",
        "--inh-caps=-dac_override", process.lua, "-e", child "a" }
    end
    local _, out, stderr = process.run(command)
    os.execute(("chmod 0777 %s; chmod 0666 %s*"):format(path:match "^(.*)/",
      path))
    assert.matches("^nil|queue|.*readonly.*must be allowed to write in the "
      .. "file", out .. stderr)
  end)
end)
