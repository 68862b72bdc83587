--- The storage of a queue in an SQLite file.
--
-- One process owns the file: it holds an exclusive transaction on
-- `<file>.lock` for as long as the queue is open, which the kernel takes back
-- whatever ends the process. One connection writes and checkpoints.
-- @module flexhooks.queue.embedded.sqlite

local ascii = require "flexhooks.util.ascii"
local core = require "flexhooks.core"
local sqlite_checks = require "flexhooks.queue.embedded.sqlite_checks"
local sqlite_db = require "flexhooks.queue.embedded.sqlite_db"
local sqlite_watch = require "flexhooks.queue.embedded.sqlite_watch"

local M = {}

local SQLite = { __name = "flexhooks.queue.embedded.sqlite" }
SQLite.__index = SQLite

local VERSION = 1
local BUSY = 250 -- ms; the loop waits with us
local LOCK_BUSY = 100
local TOLD = 1 -- seconds
local ROWS_PER_INSERT = 100
local SEQS_PER_QUERY = 500
local PRUNE_EVERY = 100 -- transactions with claims

local SCHEMA = {
  [[CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value)
    WITHOUT ROWID]],
  [[CREATE TABLE IF NOT EXISTS events(seq INTEGER PRIMARY KEY, line TEXT,
    attempts INTEGER DEFAULT 0, not_before REAL DEFAULT 0, errors TEXT,
    body TEXT)]],
  -- Few events are delayed: only they are in this index.
  [[CREATE INDEX IF NOT EXISTS delayed ON events(not_before)
    WHERE not_before > 0]],
  [[CREATE TABLE IF NOT EXISTS dead(key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT, buried_at REAL, attempts INTEGER, reason TEXT, errors TEXT,
    parked INTEGER, body TEXT)]],
  "CREATE INDEX IF NOT EXISTS dead_id ON dead(id)",
  -- One row for each transaction that claimed something; `total` counts all
  -- claims so far.
  [[CREATE TABLE IF NOT EXISTS claims(seq INTEGER PRIMARY KEY, at REAL,
    total INTEGER, entries TEXT)]],
}

local literal = sqlite_db.literal

---@param path string
---@param options table synchronous, max_events
function M.new(path, options)
  return setmetatable({ given = path, path = path,
    synchronous = options.synchronous,
    max_events = options.max_events }, SQLite)
end

local ABSENT = { [2] = true, [20] = true } -- ENOENT, ENOTDIR

--- Is there such a file? One that may not be read is there.
---@return boolean
function SQLite:exists()
  -- A file that is there is not opened: closing it would take the locks away
  -- that this process holds on it.
  if core.file_links(self.path) > 0 then
    return true
  end
  local file, _, code = io.open(self.path, "rb")
  if file then
    file:close()
  end
  return not ABSENT[code]
end

--- Is the file ours? Takes the lock at the first call.
---@return boolean|nil owner
---@return string? message
function SQLite:owner()
  if self.lock then
    return true
  end
  -- Whoever comes by another name, or is in another folder later, must find
  -- the same lock.
  self.path = core.real_path(self.given) or self.given
  local unfit = sqlite_checks.place(self.path)
  if unfit then
    return nil, unfit
  end
  -- Who was just told that it is another's does not wait for it again.
  local lock, message = sqlite_db.open(self.path .. ".lock",
    core.clock() < (self.told or 0) and 1 or LOCK_BUSY)
  if not lock then
    return nil, message
  end
  local begun
  begun, message = pcall(lock.execute, lock, "BEGIN EXCLUSIVE")
  if begun then
    self.lock, self.lock_id = lock, core.file_ids(self.path .. ".lock")
    return true
  end
  lock:close()
  if message == "database is locked" then
    self.told = core.clock() + TOLD
    return nil, "owned"
  end
  return nil, message
end

function SQLite:settle()
  local unfit, marked = sqlite_checks.contents(self.db)
  if unfit then
    error(unfit, 0)
  end
  self.db:execute("PRAGMA journal_mode=WAL")
  self.db:execute("PRAGMA synchronous=" .. ascii.upper(self.synchronous))
  self.db:execute("PRAGMA journal_size_limit="
    .. sqlite_watch.LOG_LIMIT)
  self.db:execute("BEGIN IMMEDIATE")
  self.db:execute(SCHEMA[1])
  local version = self.db:value("SELECT value FROM meta WHERE name='version'")
  if version and version ~= VERSION then
    error("the file has version " .. tostring(version)
      .. "; this flexhooks reads version " .. VERSION, 0)
  end
  for _, sql in ipairs(SCHEMA) do
    self.db:execute(sql)
  end
  self.db:execute("INSERT OR IGNORE INTO meta VALUES('version'," .. VERSION
    .. ")")
  if not marked then
    self.db:execute("PRAGMA application_id=" .. sqlite_checks.APPLICATION)
  end
  self.db:execute("COMMIT")
  self.generation = (self.generation or 0) + 1
  self.claim_seq, self.claim_total = nil, nil
  self.count = self.db:value("SELECT count(*) FROM events")
  self.dead_count = self.db:value("SELECT count(*) FROM dead")
  self.watch = sqlite_watch.new(self.path, self.lock_id)
end

--- Opens the file, once; `owner` came before.
---@return true|nil ok
---@return string? message
function SQLite:open()
  if self.db then
    return true
  end
  local message = self.watch and self.watch:reopen()
  if message then
    return nil, message
  end
  self.db, message = sqlite_db.open(self.path, BUSY)
  if not self.db then
    return nil, message
  end
  local ok, problem = pcall(self.settle, self)
  if ok then
    return true
  end
  self:drop()
  return nil, tostring(problem)
end

-- After an I/O error nothing that the connection believes is trusted: the next
-- use opens the file again and reads what is really there. Returns what
-- happened to the files, if that is known.
function SQLite:drop()
  local db = self.db
  if db then
    self.db = nil
    -- SQLite writes into the file when it is closed, which would hide that it
    -- was truncated.
    local lost = self.watch and self.watch:check()
    db:close()
    return lost
  end
end

function SQLite:close()
  self:drop()
  if self.lock then
    self.lock:close()
    self.lock = nil
  end
  return true
end

local DAMAGED = { "disk I/O error", "malformed", "not a database" }

local function damaged(message)
  for _, words in ipairs(DAMAGED) do
    if message:find(words, 1, true) then
      return true
    end
  end
end

local function commit(self, acknowledged, f, ...)
  self.db:execute("BEGIN IMMEDIATE")
  f(self, ...)
  local lost = self.watch:check()
  if lost and acknowledged then
    error(lost, 0)
  end
  self.db:execute("COMMIT")
  self.watch:written()
end

--- Runs f(self, ...) in one transaction. No closure is made for it: what
-- LuaJIT compiles keeps those that it inlined, and the file would stay open.
---@param acknowledged boolean what it stores is somebody's to rely on: then it
-- fails if the file was moved or truncated
---@param f fun(self: table, ...)
---@return true|nil ok
---@return string? message
---@return boolean? hopeless no single statement of it would fare better
function SQLite:transaction(acknowledged, f, ...)
  local count, dead_count = self.count, self.dead_count
  local claim_seq, claim_total = self.claim_seq, self.claim_total
  local ok, message = pcall(commit, self, acknowledged, f, ...)
  if ok then
    return true
  end
  self.count, self.dead_count = count, dead_count
  self.claim_seq, self.claim_total = claim_seq, claim_total
  message = tostring(message)
  if damaged(message) then
    local lost = self:drop()
    return nil, lost or message, true
  elseif not self.db:rollback() then
    -- No other could begin while it is open.
    self:drop()
  end
  return nil, message, message:find("locked", 1, true) ~= nil
end

--- The largest seq in use.
function SQLite:last_seq()
  return self.db:value("SELECT coalesce(max(seq), 0) FROM events")
end

local function each_claim(at, entries, f)
  local list = assert(core.json_decode(entries, 1, 0, false, true))
  for i = 1, #list, 3 do
    f(at, { token_key = list[i] ~= "" and list[i] or nil,
      twin_key = list[i + 1] ~= "" and list[i + 1] or nil,
      source = list[i + 2] })
  end
end

--- Calls f(at, item) for each claim that was written, oldest first.
function SQLite:restore(f)
  self.db:each("SELECT seq, at, total, entries FROM claims ORDER BY seq",
    function(row)
      self.claim_seq, self.claim_total = row[1], row[3]
      each_claim(row[2], row[4], f)
    end)
end

--- Adds events: `rows` holds seq, line and body of each.
function SQLite:insert(rows)
  local count = math.floor(#rows / 3)
  if self.count + count > self.max_events then
    error("the queue is full (max_events = " .. self.max_events .. ")", 0)
  end
  -- Many in a statement: preparing one costs more than running it.
  for first = 1, #rows, 3 * ROWS_PER_INSERT do
    self.db:execute(core.sql_rows("INSERT INTO events(seq, line, body) VALUES",
      rows, 3, first, math.min(first + 3 * ROWS_PER_INSERT - 1, #rows)))
  end
  self.count = self.count + count
end

--- Writes claims down, and forgets some old ones now and then.
---@param batch table of `queue/claims`
---@param keep table at: those from then on; entries: as many
function SQLite:claim(batch, keep)
  local seq = (self.claim_seq or 0) + 1
  local total = (self.claim_total or 0)
    + math.floor(#batch.entries / 3)
  self.db:execute("INSERT OR REPLACE INTO claims VALUES(" .. literal(seq)
    .. "," .. literal(batch.at) .. "," .. literal(total) .. ","
    .. literal(core.json_text(batch.entries)) .. ")")
  self.claim_seq, self.claim_total = seq, total
  if seq % PRUNE_EVERY == 0 then
    self.db:execute("DELETE FROM claims WHERE seq IN (SELECT seq FROM claims "
      .. "ORDER BY seq LIMIT " .. 2 * PRUNE_EVERY .. ") AND (at < "
      .. literal(keep.at) .. " OR total <= " .. literal(total - keep.entries)
      .. ")")
  end
end

function SQLite:attempt(seqs)
  local found = {}
  local where = " WHERE seq IN (" .. table.concat(seqs, ",") .. ")"
  self.db:execute("UPDATE events SET attempts = attempts + 1" .. where)
  for _, row in ipairs(self.db:rows(
    "SELECT seq, attempts, errors, body FROM events" .. where)) do
    found[row[1]] = { attempts = row[2], errors = row[3], body = row[4] }
  end
  return found
end

function SQLite:delete(seqs)
  local gone = self.db:execute("DELETE FROM events WHERE seq IN ("
    .. table.concat(seqs, ",") .. ")")
  self.count = self.count - gone
end

function SQLite:park(seq, not_before, errors)
  return self.db:execute("UPDATE events SET not_before = "
    .. literal(not_before) .. ", errors = " .. literal(errors)
    .. " WHERE seq = " .. literal(seq)) > 0
end

function SQLite:unpark(seq, body)
  self.db:execute("UPDATE events SET attempts = 0, not_before = 0, "
    .. "errors = NULL, body = " .. literal(body) .. " WHERE seq = "
    .. literal(seq))
end

--- Those of these events that nothing may begin before `since`.
function SQLite:parked(seqs, since)
  local found = {}
  for first = 1, #seqs, SEQS_PER_QUERY do
    local last = math.min(first + SEQS_PER_QUERY - 1, #seqs)
    self.db:each("SELECT seq FROM events WHERE seq IN ("
      .. table.concat(seqs, ",", first, last) .. ") AND not_before >= "
      .. literal(since), function(row)
        found[row[1]] = true
      end)
  end
  return found
end

function SQLite:state(seq)
  local row = self.db:rows("SELECT attempts, not_before FROM events "
    .. "WHERE seq = " .. literal(seq))[1]
  return row and { attempts = row[1], not_before = row[2] }
end

function SQLite:scan(after, limit)
  local found = self.db:rows("SELECT seq, line, attempts, not_before "
    .. "FROM events WHERE seq > " .. literal(after) .. " ORDER BY seq LIMIT "
    .. literal(limit))
  for i, row in ipairs(found) do
    found[i] = { seq = row[1], line = row[2], attempts = row[3],
      not_before = row[4] }
  end
  return found
end

function SQLite:peek(after, limit)
  local found = self.db:rows("SELECT seq, body FROM events WHERE seq > "
    .. literal(after) .. " ORDER BY seq LIMIT " .. literal(limit))
  for i, row in ipairs(found) do
    found[i] = { seq = row[1], body = row[2] }
  end
  return found
end

function SQLite:bury(letter)
  self.db:execute("INSERT INTO dead(id, buried_at, attempts, reason, errors, "
    .. "parked, body) VALUES(" .. table.concat({ literal(letter.id),
      literal(letter.buried_at), literal(letter.attempts),
      literal(letter.reason), literal(letter.errors),
      literal(letter.parked),
      literal(letter.body) }, ",") .. ")")
  self.dead_count = self.dead_count + 1
end

local LETTER = "SELECT key, id, buried_at, attempts, reason, errors, parked, "
  .. "body FROM dead "

local function letter(row)
  return row and { key = row[1], id = row[2], buried_at = row[3],
    attempts = row[4], reason = row[5], errors = row[6], parked = row[7],
    body = row[8] }
end

function SQLite:dead_list(limit)
  local found = self.db:rows(LETTER .. "ORDER BY key LIMIT " .. literal(limit))
  for i, row in ipairs(found) do
    found[i] = letter(row)
  end
  return found
end

function SQLite:dead_find(id)
  return letter(self.db:rows(LETTER .. "WHERE id = " .. literal(id)
    .. " ORDER BY key LIMIT 1")[1])
end

function SQLite:dead_remove(key)
  self.db:execute("DELETE FROM dead WHERE key = " .. literal(key))
  self.dead_count = self.dead_count - 1
end

--- The first event whose body begins with this.
function SQLite:find(beginning)
  local row = self.db:rows("SELECT seq, attempts, errors, body FROM events "
    .. "WHERE instr(body, " .. literal(beginning)
    .. ") = 1 ORDER BY seq LIMIT 1")[1]
  return row and { seq = row[1], attempts = row[2], errors = row[3],
    body = row[4] }
end

function SQLite:counts(now)
  return { events = self.count, dead = self.dead_count,
    delayed = self.db:value("SELECT count(*) FROM events WHERE not_before > 0 "
      .. "AND not_before > " .. literal(now)) }
end

function SQLite:oldest()
  return self.db:value("SELECT body FROM events ORDER BY seq LIMIT 1")
end

return M
