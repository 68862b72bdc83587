local lfs = require "lfs"
local luasql = require "spec.support.luasql"
local process = require "spec.support.process"
local sqlite_db = require "flexhooks.queue.embedded.sqlite_db"

local path, db

before_each(function()
  path = process.folder() .. "/a.db"
  db = assert(sqlite_db.open(path, 50))
  db:execute "CREATE TABLE t(a, b)"
end)

after_each(function()
  db:close()
end)

-- Descriptors that are open on files in the test's folder.
local function open_files()
  local count = 0
  for name in lfs.dir "/proc/self/fd" do
    local target = lfs.symlinkattributes("/proc/self/fd/" .. name, "target")
    if target and target:find(path:match "^(.*)/", 1, true) then
      count = count + 1
    end
  end
  return count
end

for _, version in ipairs(luasql.VERSIONS) do
  describe("queue.sqlite_file with LuaSQL " .. version, function()
    it("commits while nobody has read what PRAGMAs return", function()
      luasql.use(version)
      local other = assert(sqlite_db.open(path .. "2", 50))
      other:execute "PRAGMA journal_mode=WAL"
      other:execute "BEGIN IMMEDIATE"
      other:execute "PRAGMA journal_mode"
      other:execute "CREATE TABLE t(a)"
      other:execute "PRAGMA user_version = 1"
      other:execute "COMMIT"
      assert.equal(1, other:value "PRAGMA user_version")
      other:close()
    end)

    it("finds nothing in an empty result, and all of another", function()
      luasql.use(version)
      local other = assert(sqlite_db.open(path, 50))
      assert.same({}, other:rows "SELECT a, b FROM t")
      assert.is_nil(other:value "SELECT a FROM t")
      other:execute "INSERT INTO t VALUES(NULL, 1), (2, NULL), (3, 3)"
      assert.same({ { nil, 1 }, { 2 }, { 3, 3 } },
        other:rows "SELECT a, b FROM t")
      other:close()
    end)

    it("raises what goes wrong behind the first row", function()
      luasql.use(version)
      db:execute "INSERT INTO t VALUES(1, 1), (2, -9223372036854775808)"
      local other, seen = assert(sqlite_db.open(path, 50)), 0
      local ok, message = pcall(other.each, other, "SELECT abs(b) FROM t",
        function()
          seen = seen + 1
        end)
      assert.is_false(ok)
      assert.equal("integer overflow", message)
      assert.equal(1, seen)
      other:close()
    end)

    it("leaves no cursor open where a row's function raises", function()
      luasql.use(version)
      db:execute "INSERT INTO t VALUES(1, 1), (2, 2)"
      local other = assert(sqlite_db.open(path, 50))
      local ok, raised = pcall(other.each, other, "SELECT a FROM t",
        function()
          error("enough", 0)
        end)
      assert.is_false(ok)
      assert.equal("enough", raised)
      other:close()
      -- Without a reader that is left, all of the file can be had.
      db:execute "BEGIN EXCLUSIVE"
      db:execute "COMMIT"
    end)

    it("closes the file and lets go of its locks", function()
      luasql.use(version)
      local before = open_files()
      local other = assert(sqlite_db.open(path, 50))
      other:execute "BEGIN EXCLUSIVE"
      other:close()
      assert.equal(before, open_files())
      db:execute "BEGIN EXCLUSIVE"
      db:execute "COMMIT"
    end)
  end)
end

describe("queue.embedded.sqlite_db", function()
  it("takes no path that LuaSQL would keep in memory", function()
    local file, message = sqlite_db.open(path .. ":memory:", 50)
    assert.is_nil(file)
    assert.matches("holds ':memory:'", message)
  end)

  it("brings back what literals wrote", function()
    local literal = sqlite_db.literal
    db:execute("INSERT INTO t VALUES(" .. literal "it's" .. "," .. literal(5)
      .. "),(" .. literal(nil) .. "," .. literal(0.5) .. ")")
    assert.same({ { "it's", 5 }, { nil, 0.5 } }, db:rows "SELECT * FROM t")
    assert.equal(2, db:value "SELECT count(*) FROM t")
    assert.is_nil(db:value "SELECT a FROM t WHERE b = 7")
    local seen = {}
    db:each("SELECT b FROM t", function(row)
      seen[#seen + 1] = row[1]
    end)
    assert.same({ 5, 0.5 }, seen)
  end)

  it("raises what SQLite says, without a prefix", function()
    local ok, message = pcall(db.execute, db, "SELECT * FROM none")
    assert.is_false(ok)
    assert.equal("no such table: none", message)
  end)

  it("forgets what was not committed", function()
    for _, ending in ipairs { "rollback", "close" } do
      db:execute "BEGIN"
      db:execute "INSERT INTO t VALUES(1, 2)"
      db[ending](db)
      if ending == "close" then
        db = sqlite_db.open(path, 50)
      end
      assert.equal(0, db:value "SELECT count(*) FROM t")
    end
  end)

  it("waits for another's lock as long as it is told", function()
    local other = sqlite_db.open(path, 50)
    db:execute "BEGIN EXCLUSIVE"
    local ok, message = pcall(other.execute, other, "BEGIN EXCLUSIVE")
    assert.is_false(ok)
    assert.equal("database is locked", message)
    other:close()
  end)

  it("says why a file cannot be opened", function()
    local file, message = sqlite_db.open(process.folder() .. "/no/a.db", 50)
    assert.is_nil(file)
    assert.matches("unable to open database file: .* in a folder that is "
      .. "there and that this user may write in", message)
  end)
end)
