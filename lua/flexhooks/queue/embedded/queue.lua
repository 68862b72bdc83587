--- The queue of one process: rules, group commit and consumer over a storage.
--
-- Writes are gathered while a turn of the loop runs and become one
-- transaction; whoever asked is told or woken after it. If it fails, it is
-- rolled back and its parts are tried one by one, so that one that cannot be
-- stored fails alone.
--
-- What takes memory comes first: a turn that is written has its successor
-- already, and all who gave it something are told, whatever is raised.
-- @module flexhooks.queue.embedded.queue

local claims = require "flexhooks.queue.embedded.claims"
local consumer = require "flexhooks.queue.embedded.consumer"
local item_codec = require "flexhooks.queue.item_codec"
local errors = require "flexhooks.error"
local runtime = require "flexhooks.runtime.current"
local store_requests = require "flexhooks.queue.store_request"
local activity = require "flexhooks.queue.embedded.activity"
local transaction = require "flexhooks.queue.embedded.transaction"

local M = {}

local tell = store_requests.tell

local Single = { __name = "flexhooks.queue.embedded.queue" }
Single.__index = Single

---@param name string for messages: the queue's URL
---@param storage table memory or sqlite
---@param options table turns: gather writes until the turn of the loop ends;
-- pid: the function that names the process
function M.new(name, storage, options)
  return setmetatable({
    name = name, storage = storage, turns = options.turns, pid = options.pid,
    turn = transaction.new(), -- what has gathered since the last one
    following = false, -- the next turn
    telling = false, -- a turn that was written, until all have been told
    no_memory = errors.new("queue", name .. ": not enough memory"),
    running = {}, count_running = 0, -- seqs that a worker has begun
  }, Single)
end

function Single:failure(message, fields)
  return errors.new("queue", self.name .. ": " .. message, fields)
end

-- Is the storage ours? The first who asks takes it.
---@return true|nil ok
---@return flexhooks.Error? err `reason` is "owned" where another process
-- holds it
function Single:own()
  if self.closed then
    return nil, errors.new("closed", self.name .. ": the queue is closed")
  end
  local pid = self.pid()
  self.process = self.process or pid
  if self.process ~= pid then
    return nil, self:failure("opened in another process (" .. self.process
      .. "); make the queue after the fork", { reason = "forked" })
  end
  local owner, message = self.storage:owner()
  if owner then
    return true
  elseif message == "owned" then
    return nil, self:failure("another process, or another queue object of "
      .. "this one, owns this queue; only one may", { reason = "owned" })
  end
  return nil, self:failure("cannot be opened: " .. message)
end

--- Opens the storage where it is not open, and takes the written claims again.
---@return true|nil ok
---@return flexhooks.Error? err as that of `own`
function Single:ready()
  local ok, err = self:own()
  if not ok then
    return nil, err
  end
  return self:opened()
end

function Single:opened()
  local ok, message = self.storage:open()
  if not ok then
    return nil, self:failure("cannot be opened: " .. message)
  end
  if self.seq and self.generation == self.storage.generation then
    return true
  end
  local read, seq = pcall(self.storage.last_seq, self.storage)
  if not read then
    return nil, self:failure("cannot be read: " .. tostring(seq))
  end
  if self.serve_commands and not self.commands then
    self.commands = self.serve_commands(self)
  end
  self.seq = math.max(self.seq or 0, seq)
  self.claims, self.generation = nil, self.storage.generation
  return true
end

-- The claims, taken again from what was written under the first rule that is
-- used; a receiver's rule does not change while it runs.
function Single:claims_under(rule, storage)
  if not self.claims then
    local taken = claims.new(rule)
    storage:restore(function(at, item)
      local batch = claims.batch()
      taken:take(batch, item, at)
      taken:keep(batch)
    end)
    self.claims = taken
  end
  return self.claims
end

local function write(storage, self, stores, steps, batch)
  if #stores > 0 then
    transaction.store(self, storage, stores, batch)
  end
  if #steps > 0 then
    transaction.step(storage, steps)
  end
end

--- One transaction of these operations.
---@return boolean? ok
---@return flexhooks.Error? err
---@return boolean? hopeless no single one of them would fare better
function Single:apply(stores, steps)
  local ready, err = self:ready()
  if not ready then
    return nil, err, true
  end
  local batch, seq = claims.batch(), self.seq
  local called, ok, message, hopeless = pcall(self.storage.transaction,
    self.storage, #stores > 0, write, self, stores, steps, batch)
  if called and ok then
    if self.claims then
      self.claims:keep(batch)
    end
    return true
  end
  if self.claims then
    self.claims:release(batch)
  end
  self.seq = seq
  return nil, self:failure(tostring(called and message or ok)), hopeless
end

function Single:apply_alone(turn)
  for _, op in ipairs(turn.stores) do
    _, op.err = self:apply({ op }, {})
  end
  for _, op in ipairs(turn.steps) do
    _, op.err = self:apply({}, { op })
  end
end

-- Who submits is told here and now, steps are woken.
function Single:tell(turn)
  local stores, err = turn.stores, turn.err
  for i = turn.told + 1, #stores do
    local store = stores[i]
    store.err = err or store.err
    turn.told = i
    if self.trail and not store.err then
      pcall(self.note_stored, self, store.items)
    end
    tell(store)
  end
  turn.done = true
  if turn.written then
    turn.written:set()
  end
  self.telling = false
  if self.consumer then
    self.consumer.wake()
  end
end

local function write_turn(self, turn, count)
  local ok, err, hopeless = self:apply(turn.stores, turn.steps)
  if ok or hopeless or count == 1 then
    turn.err = err or false
  else
    self:apply_alone(turn)
  end
end

--- Writes what has gathered. Where it raises for want of memory, another call
-- goes on.
function Single:commit()
  if self.telling then
    self:tell(self.telling)
  end
  local turn = self.turn
  local count = #turn.stores + #turn.steps
  if count > 0 then
    local ok, raised = pcall(write_turn, self, turn, count)
    if not ok then
      local made, err = pcall(self.failure, self, tostring(raised))
      turn.err = made and err or self.no_memory
    end
    self.telling, self.turn, self.following = turn, self.following, false
  end
  turn.gathers = false
  if count > 0 then
    self:tell(turn)
  end
end

-- The turn that gathers now. Whoever asks first sees to it that it is written.
function Single:gather()
  local turn = self.turn
  if turn.gathers then
    return turn
  end
  local ready, err = self:ready()
  if not ready then
    return nil, err
  end
  self.following = self.following or transaction.new()
  if self.turns then
    runtime.at_turn_end(self.commit, self)
    turn.gathers = true
  end
  return turn
end

--- A step of a consumer or a command, in the next transaction.
---@param op table kind: "begin" or "finish", with `seq`, or "run", with
-- run(storage)
---@return any result
---@return flexhooks.Error? err
function Single:step(op)
  local turn, err = self:gather()
  if not turn then
    return nil, err
  end
  if self.turns then
    turn.written = turn.written or runtime.event()
  end
  turn.steps[#turn.steps + 1] = op
  local why
  if self.turns then
    why = select(2, turn.written:wait())
  else
    self:commit()
  end
  err = turn.err or op.err or not turn.done and why
  if err then
    return nil, err
  end
  return op.result
end

--- See docs/architecture.md, Queue.
function Single:submit(store)
  local turn, err = self:gather()
  if not turn then
    store.err = err
    return tell(store)
  end
  local stores = turn.stores
  stores[#stores + 1] = store
  if not self.turns then
    self:commit()
  end
end

--- Notes what happened to an event, for who follows the queue.
function Single:note(state, item)
  if self.trail and self.trail:is_followed() then
    self.trail:note(state, item)
  else
    self.trail = nil
  end
end

function Single:note_stored(items)
  for _, item in ipairs(items) do
    if item.verdict == "stored" then
      self:note(item.event and "stored" or "dead", item)
    end
  end
end

--- What happened since a look before; see `queue/trail`.
---@param cursor table|false
---@return table|nil found
---@return flexhooks.Error? err
function Single:follow(cursor)
  -- Nothing is opened for that: while the queue is nobody's, nothing happens.
  local ok, err = self:own()
  if not ok then
    return nil, err
  end
  self.trail = self.trail or activity.new()
  return self.trail:after(cursor)
end

-- A read outside of any transaction; the storage raises where it fails. What
-- is not there comes back as false.
function Single:read(f, ...)
  local ready, err = self:ready()
  if not ready then
    return nil, err
  end
  local ok, result = pcall(f, self.storage, ...)
  if not ok then
    return nil, self:failure(tostring(result))
  end
  return result or false
end

function Single:stats()
  local now = runtime.now()
  local counts, err = self:read(self.storage.counts, now)
  if not counts then
    return nil, err
  end
  local body = self:read(self.storage.oldest)
  local oldest = body and item_codec.decode(body).received_at
  local ready = counts.events - counts.delayed - self.count_running
  return {
    ready = math.max(math.floor(ready), 0),
    running = self.count_running, delayed = counts.delayed,
    dead = counts.dead,
    oldest_age = oldest and math.max(now - oldest, 0) or 0,
    partitions = { { partition = 0, owner = self.consumer
      and tostring(self.process) or nil } },
  }
end

function Single:dead_letters(limit)
  return self:read(self.storage.dead_list, limit)
end

--- A dead letter, or a stored event, as the storage holds it; false for none.
function Single:find(id)
  local letter, err = self:read(self.storage.dead_find, id)
  if letter ~= false then
    return letter, err
  end
  return self:read(self.storage.find, item_codec.beginning(id))
end

--- A page of the events that wait: { body }, …, after `cursor`.
---@return table|nil found with the `cursor` of the next page
---@return flexhooks.Error? err
function Single:peek(after, limit)
  local found, err = self:read(self.storage.peek, after or 0, limit)
  if not found then
    return nil, err
  end
  local rows = {}
  for i, row in ipairs(found) do
    rows[i] = { body = row.body, attempts = row.attempts }
  end
  local last = found[#found]
  return { rows = rows, cursor = last and last.seq or after or 0 }
end

--- Sends a dead letter round again.
---@return boolean|nil done false where there is none of that id
---@return flexhooks.Error? err
function Single:replay(id)
  local letter
  local done, err = self:step { kind = "run", run = function(storage)
    letter = storage:dead_find(id)
    return self:send_round(storage, letter)
  end }
  if done == "not_an_event" then
    return nil, self:failure("'" .. id .. "' is no event that a handler could "
      .. "take", { reason = done })
  elseif done then
    self:decided("replayed", letter)
  end
  return done, err
end

-- Tells who follows the queue, and the worker whose interaction waited for it.
function Single:decided(state, letter)
  if self.trail then
    self:note(state, item_codec.decode(letter.body))
  end
  if letter.parked and self.consumer then
    self.consumer.wake(true)
  end
end

function Single:send_round(storage, letter)
  local item = letter and item_codec.decode(letter.body)
  if not item then
    return false
  elseif not item.event then
    return "not_an_event"
  end
  item.replay = true
  if letter.parked then
    storage:unpark(letter.parked, item_codec.encode(item))
  else
    local rows = {}
    transaction.put(self, item, rows)
    storage:insert(rows)
  end
  storage:dead_remove(letter.key)
  return true
end

function Single:discard(id)
  local letter
  local done, err = self:step { kind = "run", run = function(storage)
    letter = storage:dead_find(id)
    if not letter then
      return false
    end
    if letter.parked then
      storage:delete({ letter.parked })
    end
    storage:dead_remove(letter.key)
    return true
  end }
  if done then
    self:decided("discarded", letter)
  end
  return done, err
end

--- Is it there already?
---@return boolean
function Single:exists()
  return self.storage:exists()
end

function Single:new_consumer(options)
  return consumer.new(self, options)
end

function Single:close()
  if not self.closed and self.process == self.pid() then
    self:commit()
    if self.commands then
      self.commands:close()
    end
    self.storage:close()
    if self.consumer then
      self.consumer.wake()
    end
  end
  self.closed = true
  return true
end

return M
