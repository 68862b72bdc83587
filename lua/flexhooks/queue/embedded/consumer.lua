--- The worker's door to a queue of one process. Nothing expires here: who
-- holds the storage owns every event in it.
-- @module flexhooks.queue.embedded.consumer

local item_codec = require "flexhooks.queue.item_codec"
local runtime = require "flexhooks.runtime.current"


local M = {}

local Consumer = { __name = "flexhooks.queue.embedded.consumer" }
Consumer.__index = Consumer

-- A clock that jumps back must not hold an event for longer than this.
local LONGEST_DELAY = 86400
-- Later than any clock: only a replay or a discard moves it.
local PARKED = 1e15

---@param queue table a single
---@param options table wake: function(), called when there may be work
function M.new(queue, options)
  return setmetatable({ queue = queue, wake = options.wake, cursor = 0 },
    Consumer)
end

function Consumer:open()
  local ok, err = self.queue:ready()
  if not ok then
    return nil, err
  end
  if self.queue.consumer then
    return nil, self.queue:failure("a worker of this process has it already")
  end
  self.queue.consumer = self
  return true
end

local function describe(row, now)
  local ref = { seq = row.seq, line = row.line, attempts = row.attempts }
  if row.not_before >= PARKED then
    ref.parked = true
  elseif row.not_before > now then
    ref.delay = math.min(row.not_before - now, LONGEST_DELAY)
  end
  return ref
end

function Consumer:scan(limit)
  local storage = self.queue.storage
  local rows, err = self.queue:read(storage.scan, self.cursor, limit)
  if not rows then
    return nil, err
  end
  local now, last = runtime.now(), self.cursor
  for i, row in ipairs(rows) do
    last = row.seq
    rows[i] = describe(row, now)
  end
  self.cursor = last
  return rows
end

function Consumer:track(ref, running)
  local queue = self.queue
  if (queue.running[ref.seq] or false) ~= running then
    queue.running[ref.seq] = running or nil
    queue.count_running = queue.count_running + (running and 1 or -1)
  end
end

function Consumer:begin(ref)
  local row, err = self.queue:step { kind = "begin", seq = ref.seq }
  if not row then
    return row, err
  end
  self:track(ref, true)
  local item = item_codec.decode(row.body)
  item.id = item.id or "seq:" .. ref.seq
  item.attempt = row.attempts
  item.errors = item_codec.decode_failures(row.errors)
  ref.item, ref.body = item, row.body
  if self.queue.trail then
    self.queue:note("started", item)
  end
  return item
end

--- Says that nothing runs for this ref any more, whatever became of it.
function Consumer:let_go(ref)
  self:track(ref, false)
end

-- What the end of an attempt leaves behind.
function Consumer:ended(ref, state, done)
  if done ~= nil then
    self:let_go(ref)
  end
  if done and self.queue.trail then
    self.queue:note(state, ref.item)
  end
end

function Consumer:finish(ref)
  local done, err = self.queue:step { kind = "finish", seq = ref.seq }
  self:ended(ref, "handled", done)
  return done, err
end

function Consumer:change(ref, state, run)
  local done, err = self.queue:step { kind = "run", run = run }
  self:ended(ref, state, done)
  return done, err
end

function Consumer:retry(ref, delay, failure)
  local list = item_codec.encode_failures(ref.item.errors, failure)
  local not_before = runtime.now() + delay
  return self:change(ref, "retried", function(storage)
    return storage:park(ref.seq, not_before, list)
  end)
end

function Consumer:bury(ref, failure, reason, park)
  local list = item_codec.encode_failures(ref.item.errors, failure)
  local letter = { id = ref.item.id, body = ref.body, errors = list,
    attempts = ref.item.attempt, reason = reason, buried_at = runtime.now(),
    parked = park and ref.seq or nil }
  return self:change(ref, "dead", function(storage)
    -- Sent again after an answer that was lost, it would bury twice.
    if not storage:state(ref.seq) then
      return false
    end
    if park then
      storage:park(ref.seq, PARKED, list)
    else
      storage:delete({ ref.seq })
    end
    storage:bury(letter)
    return true
  end)
end

--- Which of these parked refs may go on: replayed ones, and ones that are
-- gone.
function Consumer:recheck(refs)
  local seqs, changed = {}, {}
  for i, ref in ipairs(refs) do
    seqs[i] = ref.seq
  end
  local parked, err = self.queue:read(self.queue.storage.parked, seqs, PARKED)
  if not parked then
    return nil, err
  end
  for _, ref in ipairs(refs) do
    if not parked[ref.seq] then
      changed[#changed + 1] = ref
    end
  end
  return changed
end

function Consumer:beat()
  return true
end

function Consumer:beat_every()
end

function Consumer:lease_left()
end

function Consumer:close()
  if self.queue.consumer == self then
    self.queue.consumer = nil
    self.queue.running, self.queue.count_running = {}, 0
  end
  return true
end

return M
