local core = require "flexhooks.core"
local luasql = require "luasql.sqlite3"

local db

setup(function()
  db = luasql.sqlite3():connect ":memory:"
end)

teardown(function()
  db:close()
end)

-- What SQLite makes of the rows of a VALUES.
local function read(values)
  local cursor, found = assert(db:execute("VALUES" .. values)), {}
  local row = cursor:fetch {}
  while row do
    found[#found + 1] = row
    row = cursor:fetch {}
  end
  return found
end

describe("core.sql_literal", function()
  it("is read back as it was", function()
    local bytes = {}
    for byte = 1, 255 do
      bytes[byte] = string.char(byte)
    end
    for _, value in ipairs { "", "it's", "'; DROP TABLE t; --", "?1 :a $b",
      table.concat(bytes), 0, -5, 1700000000.123456, 2 ^ 53, 1e300, 1e15 } do
      assert.same({ { value } }, read("(" .. core.sql_literal(value) .. ")"))
    end
    assert.same({}, read("(" .. core.sql_literal(nil) .. ")")[1])
    assert.equal("x'6100'", core.sql_literal "a\0")
  end)

  it("raises for what is no value of SQL", function()
    for _, value in ipairs { true, {}, print, 0 / 0, 1 / 0 } do
      assert.is_false(pcall(core.sql_literal, value))
    end
  end)
end)

describe("core.sql_rows", function()
  it("writes a part of a list as rows", function()
    local list = { 1, "a", 2, "b'", 3, "c" }
    assert.equal("VALUES(1,'a'),(2,'b''')",
      core.sql_rows("VALUES", list, 2, 1, 4))
    assert.equal("(3,'c')", core.sql_rows("", list, 2, 5, 6))
    assert.equal("", core.sql_rows("", list, 2, 1, 0))
  end)

  it("writes more than it expected, where values are escaped", function()
    local list, expected = {}, {}
    for i = 1, 50 do
      list[i] = ("'"):rep(i * 100)
      expected[i] = "('" .. ("''"):rep(i * 100) .. "')"
    end
    assert.equal("x" .. table.concat(expected, ","),
      core.sql_rows("x", list, 1, 1, 50))
  end)

  it("raises for arguments of the wrong kind", function()
    assert.has_error(function() core.sql_rows("", "a", 1, 1, 1) end)
    assert.has_error(function() core.sql_rows("", { 1 }, 0, 1, 1) end)
    assert.has_error(function() core.sql_rows("", { {} }, 1, 1, 1) end)
    assert.has_error(function() core.sql_rows("", { 1 }, 1) end)
  end)
end)
