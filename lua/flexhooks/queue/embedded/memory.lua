--- The storage of a queue in memory: the contract of the durable ones, for
-- tests and for events that may die with the process.
-- @module flexhooks.queue.embedded.memory

local tables = require "flexhooks.util.tables"

local M = {}

local Memory = { __name = "flexhooks.queue.embedded.memory" }
Memory.__index = Memory

---@param options table max_events
function M.new(options)
  return setmetatable({
    max_events = options.max_events,
    rows = {}, -- seq -> { line, body, attempts, not_before, errors }
    first = 1, last = 0, -- the seqs in use lie between them
    count = 0,
    dead = {}, dead_last = 0,
  }, Memory)
end

function Memory:exists()
  return true
end

function Memory:open()
  return true
end

function Memory:close()
  return true
end

function Memory:owner()
  return true
end

function Memory:last_seq()
  return self.last
end

-- Nothing was written down: what is claimed is known already.
function Memory:restore(_)
end

-- Nothing below fails half way: what may be refused is refused first, and what
-- takes memory takes it before anything has changed, or is undone.
function Memory:transaction(_, f, ...)
  local ok, result = pcall(f, self, ...)
  if ok then
    return true
  end
  return nil, tostring(result)
end

local function add_rows(self, rows)
  for i = 1, #rows, 3 do
    self.rows[rows[i]] = { line = rows[i + 1], body = rows[i + 2],
      attempts = 0, not_before = 0 }
  end
end

--- Adds events: `rows` holds seq, line and body of each, in their order.
function Memory:insert(rows)
  local count = math.floor(#rows / 3)
  if self.count + count > self.max_events then
    error("the queue is full (max_events = " .. self.max_events .. ")", 0)
  end
  local ok, raised = pcall(add_rows, self, rows)
  if not ok then
    for i = 1, #rows, 3 do
      self.rows[rows[i]] = nil
    end
    error(raised, 0)
  end
  self.last = math.max(self.last, rows[#rows - 2] or 0)
  self.count = self.count + count
end

function Memory:claim(_)
end

function Memory:attempt(seqs)
  local found = {}
  for _, seq in ipairs(seqs) do
    local row = self.rows[seq]
    if row then
      row.attempts = row.attempts + 1
      found[seq] = { body = row.body, attempts = row.attempts,
        errors = row.errors }
    end
  end
  return found
end

function Memory:delete(seqs)
  for _, seq in ipairs(seqs) do
    if self.rows[seq] then
      self.rows[seq] = nil
      self.count = self.count - 1
    end
  end
  while self.first <= self.last and not self.rows[self.first] do
    self.first = self.first + 1
  end
end

function Memory:park(seq, not_before, errors)
  local row = self.rows[seq]
  if row then
    row.not_before, row.errors = not_before, errors
  end
  return row ~= nil
end

function Memory:unpark(seq, body)
  local row = self.rows[seq]
  if row then
    row.body, row.attempts, row.not_before, row.errors = body, 0, 0, nil
  end
end

--- Those of these events that nothing may begin before `since`.
function Memory:parked(seqs, since)
  local found = {}
  for _, seq in ipairs(seqs) do
    local row = self.rows[seq]
    found[seq] = row and row.not_before >= since or nil
  end
  return found
end

function Memory:state(seq)
  local row = self.rows[seq]
  return row and { attempts = row.attempts, not_before = row.not_before }
end

function Memory:scan(after, limit)
  local found = {}
  local seq = math.max(after + 1, self.first)
  while seq <= self.last and #found < limit do
    local row = self.rows[seq]
    if row then
      found[#found + 1] = { seq = seq, line = row.line,
        attempts = row.attempts, not_before = row.not_before }
    end
    seq = seq + 1
  end
  return found
end

function Memory:peek(after, limit)
  local found = self:scan(after, limit)
  for _, row in ipairs(found) do
    row.body = self.rows[row.seq].body
  end
  return found
end

function Memory:bury(letter)
  local key = self.dead_last + 1
  self.dead[#self.dead + 1] = tables.merged({ key = key }, letter)
  self.dead_last = key
end

function Memory:dead_list(limit)
  local found = {}
  for i = 1, math.min(limit, #self.dead) do
    found[i] = self.dead[i]
  end
  return found
end

function Memory:dead_find(id)
  for _, letter in ipairs(self.dead) do
    if letter.id == id then
      return letter
    end
  end
end

function Memory:dead_remove(key)
  for i, letter in ipairs(self.dead) do
    if letter.key == key then
      table.remove(self.dead, i)
      return
    end
  end
end

--- The first event whose body begins with this.
function Memory:find(beginning)
  for seq = self.first, self.last do
    local row = self.rows[seq]
    if row and row.body:sub(1, #beginning) == beginning then
      return row
    end
  end
end

function Memory:counts(now)
  local delayed = 0
  for _, row in pairs(self.rows) do
    if row.not_before > now then
      delayed = delayed + 1
    end
  end
  return { events = self.count, delayed = delayed, dead = #self.dead }
end

function Memory:oldest()
  local row = self.rows[self.first]
  return row and row.body
end

return M
