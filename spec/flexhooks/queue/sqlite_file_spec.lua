local process = require "spec.support.process"
local sqlite_file = require "flexhooks.queue.sqlite_file"

local path, db

before_each(function()
  path = process.folder() .. "/a.db"
  db = assert(sqlite_file.open(path, 50))
  db:execute "CREATE TABLE t(a, b)"
end)

after_each(function()
  db:close()
end)

describe("queue.sqlite_file", function()
  it("brings back what literals wrote", function()
    local literal = sqlite_file.literal
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
        db = sqlite_file.open(path, 50)
      end
      assert.equal(0, db:value "SELECT count(*) FROM t")
    end
  end)

  it("waits for another's lock as long as it is told", function()
    local other = sqlite_file.open(path, 50)
    db:execute "BEGIN EXCLUSIVE"
    local ok, message = pcall(other.execute, other, "BEGIN EXCLUSIVE")
    assert.is_false(ok)
    assert.equal("database is locked", message)
    other:close()
  end)

  it("says why a file cannot be opened", function()
    local file, message = sqlite_file.open(process.folder() .. "/no/a.db", 50)
    assert.is_nil(file)
    assert.matches("unable to open database file: .* in a folder that is "
      .. "there and that this user may write in", message)
  end)
end)
