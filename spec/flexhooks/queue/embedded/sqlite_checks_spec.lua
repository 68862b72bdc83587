local sqlite_checks = require "flexhooks.queue.embedded.sqlite_checks"
local flexhooks = require "flexhooks"
local lfs = require "lfs"
local process = require "spec.support.process"
local queues = require "spec.support.queues"
local sqlite_db = require "flexhooks.queue.embedded.sqlite_db"

local folder, path

before_each(function()
  folder = process.folder()
  path = folder .. "/q.db"
end)

-- Mounts of its own for a shell script: as root, or in a user namespace.
local UNSHARE = { { "unshare", "--mount" },
  { "unshare", "--map-root-user", "--mount" } }

local function with(command, ...)
  local all = {}
  for _, list in ipairs { command, { ... } } do
    for _, word in ipairs(list) do
      all[#all + 1] = word
    end
  end
  return all
end

-- Runs a script in a mount namespace. Says so if that is not permitted.
local function in_namespace(script, ...)
  for _, command in ipairs(UNSHARE) do
    if process.run(with(command, "true")) == 0 then
      return process.run(with(command, "sh", "-euc", script, "sh", ...))
    end
  end
  io.stderr:write("\nsqlite_fitness_spec: NOT TESTED with real mounts, "
    .. "because unshare --mount is not permitted here\n")
end

-- Two containers, one after the other: each has an /app of its own in which
-- `$what` is mounted. The first is killed when its event is acknowledged.
local CONTAINERS = [[
cd "$1"; what=$2; lua=$3
mkdir -p host/data one/data two/data; : > host/data/q.db
: > one/data/q.db; : > two/data/q.db
for container in one two; do
  mount --bind "host/$what" "$container/$what"
done
echo "$4" > first.lua; echo "$5" > second.lua
(cd one && "$lua" ../first.lua) || echo " ended with $?"
cd two && "$lua" ../second.lua
]]

local COUNT = [[
local queue = require("flexhooks").queue("sqlite:data/q.db")
local stats, err = queue:stats()
io.write(stats and stats.ready .. " waits" or tostring(err.message))
]]

local function containers(what)
  local _, out, err = in_namespace(CONTAINERS, folder, what, process.lua,
    queues.script("sqlite:data/q.db", "a", 1, [[
      io.stdout:flush()
      os.execute("kill -9 $PPID")
    ]]), COUNT)
  return out and out .. err
end

describe("a queue's file", function()
  it("is refused if it is mounted as a single file", function()
    local out = containers "data/q.db"
    if out then
      assert.matches("^nil|queue|.*one/data/q.db is mounted as a single file",
        out)
      assert.matches("Mount a folder instead: " .. folder .. "/one/data, or",
        out, 1, true)
      assert.matches("two/data/q.db is mounted as a single file", out, 1, true)
      assert.is_nil(lfs.attributes(folder .. "/one/data/q.db.lock"))
    end
  end)

  it("keeps its events over containers if its folder is mounted", function()
    local out = containers "data"
    if out then
      assert.matches("^true|.*ended with 137", out)
      assert.matches("1 waits", out, 1, true)
    end
  end)

  it("is refused if it has another name, and taken again without", function()
    local other = process.folder() .. "/q.db"
    local queue = flexhooks.queue("sqlite:" .. path)
    assert.is_true(queue:store { queues.item "a" })
    assert(lfs.link(path, other))
    for _, name in ipairs { other, path } do
      local ok, err = flexhooks.queue("sqlite:" .. name)
        :store { queues.item "b" }
      assert.is_nil(ok)
      assert.equal("queue", err.kind)
      assert.is_nil(err.reason)
      assert.matches(name .. " has 2 names (hard links)", err.message, 1, true)
      assert.matches("-samefile '" .. name .. "'", err.message, 1, true)
    end
    assert.is_nil(lfs.attributes(other .. ".lock"))
    queue:close()
    os.remove(other)
    queue = flexhooks.queue("sqlite:" .. path)
    assert.equal(1, queue:stats().ready)
    queue:close()
  end)

  it("stops a server before it listens", function()
    process.write(path, "")
    assert(lfs.link(path, path .. ".other"))
    local server, err = flexhooks.serve { router = flexhooks.router(),
      queue = "sqlite:" .. path, port = process.port(),
      host = "127.0.0.1", auth_token = ("0"):rep(32),
      public_url = "https://example.com/", on_ready = function(listening)
        listening:stop()
      end }
    assert.is_nil(server)
    assert.matches("has 2 names", tostring(err), 1, true)
  end)
end)

describe("sqlite_fitness.place", function()
  local mounts

  local function mounted(point)
    process.write(mounts, "22 1 0:21 / / rw - overlay overlay rw\n"
      .. "23 22 8:1 /q.db " .. point .. " rw shared:1 - ext4 /dev/sda rw\n")
    return sqlite_checks.place(path, mounts)
  end

  before_each(function()
    mounts = folder .. "/mountinfo"
  end)

  it("looks at the files beside the database too", function()
    for _, suffix in ipairs { "", "-wal", "-shm", ".lock" } do
      assert.matches("mounted as a single file", mounted(path .. suffix))
      assert.is_nil(mounted(path .. suffix .. "x"))
      process.write(path .. suffix, "")
      assert(lfs.link(path .. suffix, folder .. "/other"))
      assert.matches(path .. suffix .. " has 2 names", mounted "/x", 1, true)
      os.remove(folder .. "/other")
    end
    assert.is_nil(mounted(folder))
  end)

  it("knows a mount point with blanks", function()
    path = folder .. "/a queue\\1.db"
    assert.matches("mounted", mounted(folder .. "/a\\040queue\\1341.db"))
  end)

  it("does without a list of mounts", function()
    assert.is_nil(sqlite_checks.place(path, folder .. "/none"))
  end)
end)

local function make(...)
  local db = assert(sqlite_db.open(path, 0))
  for _, sql in ipairs { ... } do
    db:execute(sql)
  end
  db:close()
end

describe("another program's database", function()
  local function refused(words)
    local before = process.read(path)
    local queue = flexhooks.queue("sqlite:" .. path)
    local ok, err = queue:store { queues.item "a" }
    queue:close()
    assert.is_nil(ok)
    assert.equal("queue", err.kind)
    assert.matches("another program's database (" .. words, err.message, 1,
      true)
    assert.matches("Name another file", err.message, 1, true)
    assert.equal(before, process.read(path))
    assert.is_nil(lfs.attributes(path .. "-wal"))
  end

  it("is refused and left as it is", function()
    make "CREATE TABLE contacts(name)"
    refused "its tables: contacts)"
  end)

  it("is refused if its tables have the names of ours", function()
    make("CREATE TABLE meta(name TEXT, value)",
      "INSERT INTO meta VALUES('version', 1)",
      "CREATE TABLE events(id, at, body)")
    refused "its tables: events, meta)"
    os.remove(path)
    make("CREATE TABLE meta(key TEXT, value)",
      "CREATE TABLE events(seq, line, attempts, not_before, errors, body)")
    refused "its tables: events, meta)"
  end)

  it("is refused by its application id alone", function()
    make "PRAGMA application_id = 12"
    refused "its application_id is 12)"
    make("PRAGMA application_id = 12", "CREATE TABLE t(a)")
    refused "its tables: t)"
  end)

  it("is named without bytes that act on a terminal", function()
    make('CREATE TABLE "a\27[2J' .. ("b"):rep(1000) .. '"(a)')
    refused("its tables: a\\x1b[2J" .. ("b"):rep(35) .. ")")
  end)
end)

describe("a queue's database", function()
  local function opens(ready)
    local queue = flexhooks.queue("sqlite:" .. path)
    assert.is_true(queue:store { queues.item "new" })
    assert.equal(ready, queue:stats().ready)
    queue:close()
    local db = assert(sqlite_db.open(path, 0))
    assert.equal(sqlite_checks.APPLICATION, db:value "PRAGMA application_id")
    db:close()
  end

  it("is made of an empty file, and of one without tables", function()
    process.write(path, "")
    opens(1)
    os.remove(path)
    make("CREATE TABLE t(a)", "DROP TABLE t")
    opens(1)
    opens(2)
  end)

  it("opens if a flexhooks without an application id made it", function()
    make("CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID",
      [[CREATE TABLE events(seq INTEGER PRIMARY KEY, line TEXT,
        attempts INTEGER DEFAULT 0, not_before REAL DEFAULT 0, errors TEXT,
        body TEXT)]],
      "CREATE INDEX delayed ON events(not_before) WHERE not_before > 0",
      [[CREATE TABLE dead(key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT,
        buried_at REAL, attempts INTEGER, reason TEXT, errors TEXT,
        parked INTEGER, body TEXT)]],
      "CREATE INDEX dead_id ON dead(id)",
      [[CREATE TABLE claims(seq INTEGER PRIMARY KEY, at REAL, total INTEGER,
        entries TEXT)]],
      "INSERT INTO meta VALUES('version', 1)",
      "INSERT INTO events(seq, line, body) VALUES(1, 'KD1', '{}')",
      "PRAGMA journal_mode=WAL")
    opens(2)
  end)
end)
