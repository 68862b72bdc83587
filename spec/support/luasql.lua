-- LuaSQL's SQLite driver, behaving as another version of it does.
--
--   luasql.VERSIONS                       { "2.6", "2.7", "2.8" }
--   luasql.use "2.8"                      until the test ends
--
-- 2.6   a statement is reset after its first step; close closes
-- 2.7   close of a connection leaves the file open; only its finalizer closes
--       it, and does nothing after close
-- 2.8   a statement stays at its first row until its cursor ends; an empty
--       result has one row of NULLs; a connection with open cursors is not
--       closed
--
-- A version is a thin layer over the installed one, whichever that is.
local busted = require "busted"

local installed = require "luasql.sqlite3"

local M = { VERSIONS = { "2.6", "2.7", "2.8" } }

local function finalize(object)
  debug.getmetatable(object).__gc(object)
end

local Cursor = {}
Cursor.__index = Cursor

-- The next row, or nil and the error; never a row that is not there.
local function next_row(cursor)
  if cursor.over then
    return nil
  end
  local row, message = cursor.real:fetch({})
  if row and next(row) ~= nil then
    return row
  end
  cursor.over = true
  cursor.real:close()
  return nil, message
end

function Cursor:fetch()
  assert(not self.closed, "LuaSQL: cursor is closed")
  local row = self.first
  if row then
    self.first = nil
    return row
  end
  local message
  row, message = next_row(self)
  if not row then
    self:close()
  end
  return row, message
end

function Cursor:close()
  if self.closed then
    return false, "cursor is already closed"
  end
  self.closed = true
  self.connection.cursors = self.connection.cursors - 1
  self.real:close()
  return true
end

local Connection = {}
Connection.__index = Connection

function Connection:execute(sql)
  local result, message = self.real:execute(sql)
  if not result or type(result) == "number" then
    return result, message
  end
  local cursor = setmetatable({ real = result, connection = self }, Cursor)
  self.cursors = self.cursors + 1
  if self.version == "2.8" then
    cursor.first, message = next_row(cursor)
    if message then
      return nil, message
    end
    cursor.first = cursor.first or {}
  end
  return cursor
end

function Connection.__gc(self)
  if not self.closed then
    self.closed = true
    finalize(self.real)
  end
end

function Connection:close()
  if self.cursors > 0 then
    return false, "There are open cursors"
  elseif self.version == "2.7" then
    self.closed = true
    return true
  end
  Connection.__gc(self)
  return true
end

local function driver(version)
  return { sqlite3 = function()
    return { connect = function(_, ...)
      local real, message = installed.sqlite3():connect(...)
      if not real then
        return nil, message
      end
      return setmetatable({ real = real, version = version, cursors = 0 },
        Connection)
    end }
  end }
end

--- Makes flexhooks use this version until the test ends.
function M.use(version)
  package.loaded["luasql.sqlite3"] = driver(version)
end

busted.after_each(function()
  package.loaded["luasql.sqlite3"] = installed
end)

return M
