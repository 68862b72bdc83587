--- Notices that a queue's files were deleted, replaced or truncated while they
-- are open.
--
-- SQLite notices none of it: it goes on writing into files without a name, or
-- behind a hole, and what it writes ends with the process. Between two commits
-- of the owner no file becomes shorter, unless another connection runs VACUUM
-- or truncates the log in a checkpoint. Then all pages can be read.
-- @module flexhooks.queue.embedded.sqlite_watch

local core = require "flexhooks.core"
local sqlite_db = require "flexhooks.queue.embedded.sqlite_db"

local M = {}

local Watch = { __name = "flexhooks.queue.embedded.sqlite_watch" }
Watch.__index = Watch

-- The owner's own commits truncate a longer log to this many bytes.
M.LOG_LIMIT = 67108864

local BUSY = 250 -- ms
local SUFFIXES = { "", "-wal", ".lock" }

--- Begins to watch files that were just opened.
---@param path string
---@param lock_id string of `core.file_ids`: the lock that is held
function M.new(path, lock_id)
  local ids, size, log_size = core.file_ids(path, path .. "-wal")
  return setmetatable({ path = path, log = path .. "-wal",
    lock = path .. ".lock", ids = ids .. lock_id, size = size,
    log_size = log_size }, Watch)
end

local function gone(self, ids)
  for i, suffix in ipairs(SUFFIXES) do
    local first, last = 16 * i - 15, 16 * i
    if ids:sub(first, last) ~= self.ids:sub(first, last) then
      return self.path .. suffix .. " was deleted or replaced while this "
        .. "process had it open: nothing is stored until it is put back, or "
        .. "this process is started again. What waits in it is handled until "
        .. "then, and lost with the process"
    end
  end
end

-- Reads all pages through a connection that has none of them in memory.
local function readable(path)
  local db = sqlite_db.open(path, BUSY)
  local ok, found = pcall(db.value, db, "PRAGMA quick_check(1)")
  db:close()
  return ok and found == "ok"
end

-- SQLite deletes the log of an empty file when it opens that, and calls a file
-- of one byte empty: no connection is made to one.
local function compare(self, size, log_size)
  if size > 1 and readable(self.path) then
    self.size, self.log_size = size, log_size
    return
  end
  self.truncated = (size < self.size and self.path or self.log)
    .. " was truncated while this process had it open: events in it may be "
    .. "lost. Nothing is stored until this process is started again, with a "
    .. "copy of the file from before, or without the file"
  return self.truncated
end

--- Looks at the files before a commit. A file that was truncated stays so.
---@return string|nil lost what happened to which file
function Watch:check()
  if self.truncated then
    return self.truncated
  end
  local ids, size, log_size = core.file_ids(self.path, self.log, self.lock)
  if ids ~= self.ids then
    return gone(self, ids)
  elseif size < self.size or log_size < self.log_size then
    return compare(self, size, log_size)
  end
end

--- Notes how long the files are after a commit.
function Watch:written()
  local _, size, log_size = core.file_ids(self.path, self.log)
  self.size = math.max(self.size, size)
  self.log_size = math.max(math.min(self.log_size, M.LOG_LIMIT), log_size)
end

--- Tells whether the database may be opened again after an error. Its log is
-- gone by then.
---@return string|nil lost
function Watch:reopen()
  if self.truncated then
    return self.truncated
  end
  return gone(self, core.file_ids(self.path) .. self.ids:sub(17))
end

return M
