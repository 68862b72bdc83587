--- A database in a file, through LuaSQL's SQLite driver.
--
-- LuaSQL's `escape` cuts at NUL: values go in as literals of our own making.
--
-- Its versions differ in what they leave open. Since 2.8 a statement stays at
-- its first row until its cursor is closed, and COMMIT fails while a PRAGMA
-- does. So every cursor is closed here, whatever becomes of its rows.
-- @module flexhooks.queue.embedded.sqlite_db

local core = require "flexhooks.core"

local M = {}

local File = { __name = "flexhooks.queue.embedded.sqlite_db" }
File.__index = File

--- A string, a number or nil as a literal.
M.literal = core.sql_literal

-- What SQLite means, where it does not say so.
local HINTS = {
  ["unable to open database file"] = ": it must be a file, in a folder that "
    .. "is there and that this user may write in",
  ["attempt to write a readonly database"] = ": this user must be allowed to "
    .. "write in the file, in its folder, and in the files beside it that "
    .. "begin with its name",
}

-- LuaSQL's errors are strings with a prefix of its own.
local function reason(message)
  message = tostring(message):gsub("^LuaSQL: ", "")
  return message .. (HINTS[message] or "")
end

-- LuaSQL 2.8 keeps a file in memory if its path holds this anywhere.
local MEMORY = ":memory:"

--- Opens a file and creates it if it does not exist.
---@param path string
---@param busy integer milliseconds to wait for another's lock; the loop waits
-- with us
---@return table|nil file
---@return string? message
function M.open(path, busy)
  local found, driver = pcall(require, "luasql.sqlite3")
  if not found then
    return nil, "LuaSQL's SQLite driver is missing: luarocks install "
      .. "luasql-sqlite3, or apt install lua-sql-sqlite3"
  elseif path:find(MEMORY, 1, true) then
    return nil, "its path holds '" .. MEMORY .. "', which keeps everything in "
      .. "memory: choose another name"
  end
  local connection, message = driver.sqlite3():connect(path, busy)
  if not connection then
    return nil, reason(message)
  end
  return setmetatable({ connection = connection }, File)
end

-- A number of changed rows, or a cursor.
local function run(self, sql)
  local result, message = self.connection:execute(sql)
  if not result then
    error(reason(message), 0)
  end
  return result
end

--- Runs a statement; raises a string if it fails. Rows that it returns are not
-- read.
---@return integer? changed rows
function File:execute(sql)
  local result = run(self, sql)
  if type(result) == "number" then
    return result
  end
  result:close()
end

-- LuaSQL 2.8 returns one row without any value for an empty result, and would
-- run the statement again for the next one.
local function read(cursor, f)
  local row, message = cursor:fetch({})
  while row and next(row) ~= nil do
    f(row)
    row, message = cursor:fetch({})
  end
  if message then
    error(reason(message), 0)
  end
end

--- Calls f with each row of a query, an array of columns. A row ends the query
-- if all its columns are NULL.
function File:each(sql, f)
  local cursor = run(self, sql)
  local ok, raised = pcall(read, cursor, f)
  cursor:close()
  if not ok then
    error(raised, 0)
  end
end

--- Returns every row of a query.
---@return any[][]
function File:rows(sql)
  local found = {}
  self:each(sql, function(row)
    found[#found + 1] = row
  end)
  return found
end

--- Returns the first column of the first row, or nil.
function File:value(sql)
  local row = self:rows(sql)[1]
  return row and row[1]
end

--- Ends a transaction if there is one, as if it had not begun.
---@return boolean ended false if it could not be, for want of memory
function File:rollback()
  local called, result, message = pcall(self.connection.execute,
    self.connection, "ROLLBACK")
  return called and (result ~= nil
    or message:find("no transaction is active", 1, true) ~= nil)
end

--- Closes the file; what was not committed is gone.
function File:close()
  self:rollback()
  -- `close` of LuaSQL 2.7 leaves the file open and its locks held, until the
  -- process ends. The finalizer does neither, in any version.
  pcall(debug.getmetatable(self.connection).__gc, self.connection)
end

return M
