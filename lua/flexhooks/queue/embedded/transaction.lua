--- What one turn of the loop brings to a queue of one process, as the parts of
-- one transaction.
--
-- Stores come first: they are what may be refused for room, and the storage in
-- memory cannot roll back.
-- @module flexhooks.queue.embedded.transaction

local item_codec = require "flexhooks.queue.item_codec"
local runtime = require "flexhooks.runtime.current"

local M = {}

-- Where "interaction" has no SID, events of one type share a line.
local function line_of(item)
  local event = item.event
  local line = event.InteractionSid or event.EventType or ""
  return type(line) == "string" and line or tostring(line)
end

--- The operations of a turn: `stores`, which are submissions, and `steps`
-- { kind, … } of a consumer or a command, each of which gets its `result`. One
-- that failed gets its `err`. While it `gathers`, its end is registered.
function M.new()
  return { stores = {}, steps = {}, gathers = false, done = false,
    err = false, written = false, told = 0 }
end

--- Adds a row { seq, line, body } for an event; anything else is a letter.
---@param queue table which counts `seq`
---@param item table
---@param rows any[]
---@param letters table[]
---@param now number
function M.put(queue, item, rows, letters, now)
  local body = item_codec.encode(item)
  if item.event then
    local n, seq = #rows, queue.seq + 1
    queue.seq = seq
    rows[n + 1], rows[n + 2], rows[n + 3] = seq, line_of(item), body
  else
    letters[#letters + 1] = { id = item.id, body = body, attempts = 0,
      reason = item.reason or "malformed", buried_at = now }
  end
end

local put = M.put

local function claim_items(queue, items, batch, now, rows, letters)
  local claims = queue.claims
  for i = 1, #items do
    local item = items[i]
    local verdict = claims:take(batch, item, now)
    item.verdict = verdict
    if verdict == "stored" then
      put(queue, item, rows, letters, now)
    end
  end
end

--- Stores what these submissions bring, and writes down what they claim.
---@param queue table a single
---@param storage table
---@param stores table[]
---@param batch table of `queue/claims`
function M.store(queue, storage, stores, batch)
  local now, rows, letters, rule = runtime.now(), {}, {}, nil
  for i = 1, #stores do
    local store = stores[i]
    if store.rule ~= rule then
      rule = store.rule
      queue:claims_under(rule, storage)
    end
    claim_items(queue, store.items, batch, now, rows, letters)
  end
  if #rows > 0 then
    storage:insert(rows)
  end
  for _, letter in ipairs(letters) do
    storage:bury(letter)
  end
  if #batch.entries > 0 then
    storage:claim(batch, { at = now - rule.window, entries = rule.entries })
  end
end

local function seqs_of(steps, kind)
  local seqs = {}
  for _, op in ipairs(steps) do
    if op.kind == kind then
      seqs[#seqs + 1] = op.seq
    end
  end
  return seqs
end

--- Takes these steps: all that begin, then all that are finished, then the
-- others in their order.
---@param storage table
---@param steps table[]
function M.step(storage, steps)
  local begun, finished = seqs_of(steps, "begin"), seqs_of(steps, "finish")
  local found = #begun > 0 and storage:attempt(begun)
  if #finished > 0 then
    storage:delete(finished)
  end
  for _, op in ipairs(steps) do
    if op.kind == "begin" then
      op.result = found[op.seq] or false
    elseif op.kind == "finish" then
      op.result = true
    else
      op.result = op.run(storage)
    end
  end
end

return M
