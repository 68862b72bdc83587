--- Refuses files that would lose a queue's events.
--
-- SQLite and the owner's lock keep files beside the database, under its name.
-- If the database can be reached by a name in another folder, those who come
-- by that name have other companions: they miss the newest events, and a
-- second owner is not noticed. Symbolic links do no harm, because the queue
-- follows them first.
-- @module flexhooks.queue.sqlite_fitness

local core = require "flexhooks.core"

local M = {}

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

return M
