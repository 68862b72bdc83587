--- Commands that reach the process which owns an SQLite queue.
--
-- They are rows of a small database beside the queue's: who asks writes one
-- and waits for its answer, the owner looks several times a second. Nothing
-- listens, and who may use it is decided by the permissions of the files, as
-- for the queue itself. What is in it is worth nothing after a crash.
-- @module flexhooks.queue.embedded.owner_rpc

local core = require "flexhooks.core"
local item_codec = require "flexhooks.queue.item_codec"
local errors = require "flexhooks.error"
local runtime = require "flexhooks.runtime.current"
local sqlite_db = require "flexhooks.queue.embedded.sqlite_db"

local M = {}

local Control = { __name = "flexhooks.queue.embedded.owner_rpc" }
Control.__index = Control

local WEAK = { __mode = "v" }

local LOOK = 0.2 -- seconds between the owner's looks
local SOON = 0.01 -- seconds between them for a while after a command: many
local AWAKE = 1 -- dead letters are that many commands, one after the other
local BUSY = 250 -- ms
M.ANSWER_WITHIN = 10 -- seconds
local WAIT = 0.01 -- seconds between looks for the answer

-- All that another process may ask for.
local METHODS = { stats = true, dead_letters = true, find = true, peek = true,
  follow = true, replay = true, discard = true }

local literal = sqlite_db.literal

local SCHEMA = "CREATE TABLE IF NOT EXISTS commands(id TEXT PRIMARY KEY, "
  .. "at REAL, method TEXT, arguments TEXT, answer TEXT)"

local function open(path)
  local db, message = sqlite_db.open(path .. ".control", BUSY)
  if not db then
    return nil, message
  end
  local ok, problem = pcall(function()
    db:execute("PRAGMA journal_mode=WAL")
    db:execute("PRAGMA synchronous=OFF")
    db:execute(SCHEMA)
  end)
  if ok then
    return db
  end
  db:close()
  return nil, tostring(problem)
end

-- --- the owner's side
-- ----------------------------------------------------------

local function carry_out(backend, method, arguments)
  if not METHODS[method] then
    return { err = { kind = "unsupported", message = "no such command" } }
  end
  local given = item_codec.decode_value(arguments) or {}
  local result, err = backend[method](backend, given[1], given[2])
  if result == nil and err then
    err = { kind = err.kind, message = err.message, reason = err.reason }
    return { err = err }
  end
  return { result = result }
end

-- What was answered is never read again; what could not be must not be done
-- twice.
function Control:answer(row)
  local backend = self.owned.backend
  local answer = backend and carry_out(backend, row[2], row[3])
  if answer and self.db and pcall(self.db.execute, self.db,
    "UPDATE commands SET answer = "
    .. literal(item_codec.encode_value(answer)) .. " WHERE id = "
    .. literal(row[1])) then
    self.taken[row[1]] = nil
  end
end

function Control:look()
  if not self.owned.backend then
    return self:close()
  end
  local ok, rows = pcall(self.db.rows, self.db,
    "SELECT id, method, arguments FROM commands WHERE answer IS NULL "
    .. "ORDER BY at")
  local now = runtime.clock()
  if ok and rows[1] then
    self.awake = now + AWAKE
  end
  self.next_look = now + (now < (self.awake or 0) and SOON or LOOK)
  for _, row in ipairs(ok and rows or {}) do
    self:take(row)
  end
end

-- A command is taken once, or again where no task could be made for it.
function Control:take(row)
  local id = row[1]
  if self.taken[id] then
    return
  end
  self.taken[id] = true
  local ok, raised = pcall(runtime.spawn, self.answer, self, row)
  if not ok then
    self.taken[id] = nil
    error(raised, 0)
  end
end

local function watch(backend, db)
  local owned = setmetatable({ backend = backend }, WEAK)
  local self = setmetatable({ owned = owned, db = db, taken = {},
    next_look = 0 }, Control)
  self.source = runtime.add_source {
    timeout = function()
      return math.max(self.next_look - runtime.clock(), 0)
    end,
    run = function()
      if runtime.clock() >= self.next_look then
        self:look()
      end
    end,
  }
  return self
end

--- Answers commands while the loop runs. The loop knows us, and would keep a
-- queue for ever that nobody else has any more: so we do not hold it.
---@param backend table the queue, which this process owns
---@return table|nil control nil where its file cannot be used
function M.serve(backend)
  local db = open(backend.storage.path)
  if not db then
    return nil
  end
  -- Whoever asked the owner before this one has given up.
  pcall(db.execute, db, "DELETE FROM commands")
  local ok, made = pcall(watch, backend, db)
  if ok then
    return made
  end
  db:close()
  error(made, 0)
end

function Control:close()
  if self.db then
    self.source:remove()
    self.db:close()
    self.db = nil
  end
end

-- --- the asking side --------------------------------------------------------

local function await(db, id)
  local ends = runtime.clock() + M.ANSWER_WITHIN
  while runtime.clock() < ends do
    local answer = db:value("SELECT answer FROM commands WHERE id = '" .. id
      .. "'")
    if answer then
      return item_codec.decode_value(answer)
    end
    local ok, err = runtime.sleep(WAIT)
    if not ok then
      return { err = err }
    end
  end
end

local function exchange(db, method, ...)
  local id = core.hex(core.random(16))
  db:execute("INSERT INTO commands(id, at, method, arguments) VALUES('" .. id
    .. "', " .. literal(runtime.now()) .. ", " .. literal(method)
    .. ", " .. literal(item_codec.encode_value { ... }) .. ")")
  local answer = await(db, id)
  db:execute("DELETE FROM commands WHERE id = '" .. id .. "'")
  return answer
end

local function unanswered(owned, why)
  return errors.new("queue", owned.message .. ", and " .. why,
    { reason = "owned" })
end

--- Asks the owner.
---@param backend table a queue of the same file
---@param method string
---@param owned flexhooks.Error what to answer where the owner does not
---@return any result
---@return flexhooks.Error? err
function M.ask(backend, method, owned, ...)
  local db, problem = open(backend.storage.path)
  if not db then
    return nil, unanswered(owned, "it cannot be asked: " .. problem)
  end
  local ok, answer = pcall(exchange, db, method, ...)
  db:close()
  if not ok then
    return nil, unanswered(owned, "it cannot be asked: " .. tostring(answer))
  elseif not answer then
    return nil, unanswered(owned, "it does not answer commands now")
  elseif answer.err then
    return nil, errors.new(answer.err.kind, answer.err.message,
      { reason = answer.err.reason })
  end
  return answer.result
end

return M
