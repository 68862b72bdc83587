--- A database in a file, through LuaSQL's SQLite driver.
--
-- LuaSQL binds no parameters, and its `escape` cuts at NUL: values go in as
-- literals of our own making.
-- @module flexhooks.queue.sqlite_file

local core = require "flexhooks.core"

local M = {}

local File = { __name = "flexhooks.queue.sqlite_file" }
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

--- Opens a file, which is made where there is none.
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
  end
  local connection, message = driver.sqlite3():connect(path, busy)
  if not connection then
    return nil, reason(message)
  end
  return setmetatable({ connection = connection }, File)
end

--- Runs a statement; raises a string where it fails.
---@return any result rows that it changed, or a cursor
function File:execute(sql)
  local result, message = self.connection:execute(sql)
  if not result then
    error(reason(message), 0)
  end
  return result
end

--- Calls f with each row of a query, an array of columns.
function File:each(sql, f)
  local cursor = self:execute(sql)
  local row = cursor:fetch({})
  while row do
    f(row)
    row = cursor:fetch({})
  end
end

--- Every row of a query.
---@return any[][]
function File:rows(sql)
  local found = {}
  self:each(sql, function(row)
    found[#found + 1] = row
  end)
  return found
end

--- The first column of the first row, or nil.
function File:value(sql)
  local row = self:rows(sql)[1]
  return row and row[1]
end

--- Ends a transaction that there may be, as if it had not begun.
function File:rollback()
  self.connection:execute("ROLLBACK")
end

--- Closes the file; what was not committed is gone.
function File:close()
  self:rollback()
  -- It refuses while a cursor that failed is open; the collector ends both.
  pcall(self.connection.close, self.connection)
end

return M
