--- Refuses files that would lose a queue's events, or another program's data.
--
-- SQLite and the owner's lock keep files beside the database, under its name.
-- If the database can be reached by a name in another folder, those who come
-- by that name have other companions: they miss the newest events, and a
-- second owner is not noticed. Symbolic links do no harm, because the queue
-- follows them first.
-- @module flexhooks.queue.embedded.sqlite_checks

local core = require "flexhooks.core"
local log = require "flexhooks.log"

local M = {}

--- The application id of a queue's file, "FLHX": `file events.db` shows it.
M.APPLICATION = 0x464C4858

local MOST_OF_A_NAME = 40
local MOUNTS = "/proc/self/mountinfo"
local COMPANIONS = { "", "-wal", "-shm", ".lock" }

local function character(octal)
  return string.char(tonumber(octal, 8))
end

-- Returns the set of all mount points; the kernel writes blanks in octal. The
-- device of a file does not show a mount: on an overlay of two file systems
-- each file has another device than its folder.
local function mount_points(path)
  local points = {}
  local file = io.open(path)
  if file then
    for line in file:lines() do
      local point = line:match "^%S+ %S+ %S+ %S+ (%S+)"
      if point then
        points[point:gsub("\\(%d%d%d)", character)] = true
      end
    end
    file:close()
  end
  return points
end

local function mounted(path)
  local folder, name = path:match "^(.*)/([^/]*)$"
  return path .. " is mounted as a single file (a bind mount), but SQLite and "
    .. "the queue's lock keep files beside it that are not: a new container "
    .. "loses acknowledged events, and two processes can own the queue. Mount "
    .. "a folder instead: " .. (folder == "" and "/" or folder) .. ", or one "
    .. "that holds nothing else (-v ./queue:/queue, and the queue "
    .. "sqlite:/queue/" .. name .. ")"
end

local function linked(path, links)
  return path .. " has " .. links .. " names (hard links), but SQLite and the "
    .. "queue's lock keep files beside one of them: by another name, "
    .. "acknowledged events are missing, and two processes can own the queue. "
    .. "Remove the other names (find / -xdev -samefile '" .. path
    .. "' lists them)"
end

--- Checks where a queue's file and those beside it are.
---@param path string without symbolic links
---@param mounts string? the list of mounts, in a spec
---@return string|nil unfit what is wrong and what to do
function M.place(path, mounts)
  local points = mount_points(mounts or MOUNTS)
  for _, suffix in ipairs(COMPANIONS) do
    local file = path .. suffix
    if points[file] then
      return mounted(path)
    end
    local links = core.file_links(file)
    if links > 1 then
      return linked(file, links)
    end
  end
end

-- Files of flexhooks versions without an application id have these.
local OURS = { "SELECT value FROM meta WHERE name = 'version'",
  "SELECT count(*) FROM (SELECT seq, line, attempts, not_before, errors, body "
    .. "FROM events LIMIT 1)" }

local function has_our_tables(db)
  for _, sql in ipairs(OURS) do
    local ok, value = pcall(db.value, db, sql)
    if not ok or not value then
      return false
    end
  end
  return true
end

local TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' "
  .. "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name LIMIT 5"

local function table_names(db)
  local names = {}
  db:each(TABLES, function(row)
    names[#names + 1] = log.escape(tostring(row[1]):sub(1, MOST_OF_A_NAME))
  end)
  return table.concat(names, ", ")
end

--- Checks that a database is a queue or holds nothing. Writes nothing.
---@param db table of `queue/sqlite_file`
---@return string|nil unfit what is wrong and what to do
---@return boolean? marked it has our application id
function M.contents(db)
  local id = db:value "PRAGMA application_id"
  if id == M.APPLICATION then
    return nil, true
  end
  local names = table_names(db)
  if id == 0 and (names == "" or has_our_tables(db)) then
    return nil, false
  end
  return "the file is another program's database ("
    .. (names == "" and "its application_id is " .. tostring(id)
      or "its tables: " .. names)
    .. "): nothing was changed in it. Name another file for the queue; a new "
    .. "one is made if it does not exist"
end

return M
