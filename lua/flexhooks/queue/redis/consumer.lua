--- The worker's door to a queue in Redis: leases of partitions, and the
-- entries in them.
--
-- A lease is counted from before its renewal was sent, on this process's own
-- monotonic clock, so it never seems longer here than it is in Redis. A lost
-- connection is not a lost lease: the same step is sent again with the same
-- fence, and Redis decides.
-- @module flexhooks.queue.redis.consumer

local core = require "flexhooks.core"
local item_codec = require "flexhooks.queue.item_codec"
local runtime = require "flexhooks.runtime.current"
local shapes = require "flexhooks.queue.redis.shapes"

local unpack = table.unpack or unpack

local M = {}

local Consumer = { __name = "flexhooks.queue.redis.consumer" }
Consumer.__index = Consumer

local BLOCK = 2 -- seconds that one XREAD waits

-- Unique for each start of a worker: two with one name would share leases.
local function new_name()
  return core.pid() .. "-" .. core.hex(core.random(8))
end

---@param queue table a redis queue
---@param options table wake, lost, lease (seconds), name
function M.new(queue, options)
  return setmetatable({
    queue = queue, wake = options.wake, lost = options.lost,
    lease = options.lease,
    name = options.name or new_name(),
    -- partition -> { fence, cursor, drained, running, retiring, handing }
    parts = {},
    until_when = 0, -- when the leases end, monotonic
    last_part = "", -- with which the last scan ended
    woken = "0-0", -- the last entry of the wake stream that was seen
  }, Consumer)
end

function Consumer:open()
  local ok, err = self:beat()
  if not ok then
    return nil, err
  end
  local last = self.queue.io:command({ "XREVRANGE", self.queue.key .. "wake",
    "+", "-", "COUNT", "1" }, shapes.entries)
  self.woken = last and last[1] and last[1][1] or "0-0"
  self.listener = runtime.spawn(self.listen, self)
  return true
end

-- Redis names the partitions as strings in one place and numbers in another.
local function held_of(reply)
  local held = {}
  for i = 2, #reply, 2 do
    held[tostring(reply[i])] = tostring(reply[i + 1])
  end
  return held
end

-- What was lost is told before anything waits: between a partition that was
-- lost and the same one taken back, nothing may be read or begun that is still
-- taken for the first.
--
-- A partition is forgotten with all that is known of it, or not at all: its
-- new fence must not come to events that were read under the old one.
local function adopt(self, held)
  local parts, lost = {}, {}
  for part, fence in pairs(held) do
    local state = self.parts[part]
    parts[part] = state and state.fence == fence and state
      or { fence = fence, cursor = "0-0", running = 0, drained = false,
        retiring = false, handing = false }
  end
  for part, state in pairs(self.parts) do
    if parts[part] ~= state then
      lost[part] = true
    end
  end
  if next(lost) then
    self.lost(lost)
  end
  self.parts = parts
end

-- Gives back what is over our share: partitions where nothing runs, and, of
-- the others, those that will start nothing more until nothing runs.
function Consumer:shrink(share)
  local over, idle = -share, {}
  for _ in pairs(self.parts) do
    over = over + 1
  end
  for part, state in pairs(self.parts) do
    state.retiring = over > 0 and state.running == 0
    if state.retiring then
      over = over - 1
      idle[part] = state
    end
  end
  for _, state in pairs(self.parts) do
    if over > 0 and state.running > 0 then
      over = over - 1
      state.retiring = true
    end
  end
  if next(idle) then
    self:hand_over(idle)
  end
end

-- What was about to begin there waits meanwhile: begun before Redis knows that
-- these are given back, it would be handled by the next owner as well.
function Consumer:hand_over(idle)
  local decided = runtime.event()
  for _, state in pairs(idle) do
    state.handing = decided
  end
  local called, given = pcall(self.give_back, self, idle)
  given = called and given
  for part, state in pairs(idle) do
    state.handing = false
    if given and self.parts[part] == state then
      self.parts[part] = nil
    end
  end
  decided:set(true)
  if given then
    self.lost(idle)
  end
end

function Consumer:give_back(parts, leaving)
  local args = { self.name, leaving and 1 or 0 }
  for part, state in pairs(parts) do
    args[#args + 1] = part
    args[#args + 1] = state.fence
  end
  return self.queue:call("release", args)
end

--- Renews the leases, and takes or gives back partitions.
---@return true|nil ok
---@return flexhooks.Error? err
function Consumer:beat()
  local sent = runtime.clock()
  local reply, err = self.queue:call("beat", { self.name,
    self.lease * 1000 })
  if not reply then
    return nil, err
  end
  self.until_when = sent + self.lease
  adopt(self, held_of(reply))
  self:shrink(reply[1])
  return true
end

function Consumer:beat_every()
  return math.min(self.lease / 4, 2)
end

-- What was begun has the lease's time also in a partition that will be given
-- back: that waits for it.
function Consumer:lease_left(ref)
  local state = self.parts[ref.part]
  if not state or state.retiring and not ref.state then
    return 0
  end
  return math.max(self.until_when - runtime.clock(), 0)
end

-- The partitions that have more than was seen; first those that follow the
-- one with which the last answer ended, so that a long one does not keep the
-- others waiting.
function Consumer:in_turn()
  local parts, first, turned = {}, 1, {}
  for part, state in pairs(self.parts) do
    if not state.drained then
      parts[#parts + 1] = part
    end
  end
  table.sort(parts)
  while parts[first] and parts[first] <= self.last_part do
    first = first + 1
  end
  for i = 1, #parts do
    turned[i] = parts[(first + i - 2) % #parts + 1]
  end
  return turned
end

function Consumer:scan(limit)
  local args, asked = { limit }, {}
  for _, part in ipairs(self:in_turn()) do
    asked[part] = self.parts[part]
    args[#args + 1] = part
    args[#args + 1] = asked[part].cursor
  end
  if #args == 1 then
    return {}
  end
  local reply, err = self.queue:call("scan", args)
  if not reply then
    return nil, err
  end
  local refs = self:refs_of(reply, asked)
  self.last_part = reply[#reply - 4] or self.last_part
  for i = 1, #reply, 5 do
    local state = asked[reply[i]]
    if state then
      state.cursor = reply[i + 1]
    end
  end
  if #refs < limit then
    self:drained(asked)
  end
  return refs
end

-- A partition may have been lost while the answer was on its way; and if it
-- was taken back, the answer speaks of what follows a cursor that is no longer
-- its own: what comes before would be left out.
function Consumer:refs_of(reply, asked)
  local refs = {}
  for i = 1, #reply, 5 do
    local part, entry, delay = reply[i], reply[i + 1], reply[i + 4]
    local state = asked[part]
    if state and self.parts[part] == state then
      refs[#refs + 1] = { seq = part .. "/" .. entry, part = part,
        fence = state.fence, line = reply[i + 2], attempts = reply[i + 3],
        parked = delay == -1, delay = delay > 0 and delay / 1000 or nil }
    end
  end
  return refs
end

-- All that these partitions had was seen: from here on a listener waits for
-- more.
function Consumer:drained(asked)
  for _, state in pairs(asked) do
    state.drained = true
  end
  if self.resting and self:all_drained() then
    self.resting:set()
  end
end

function Consumer:all_drained()
  for _, state in pairs(self.parts) do
    if not state.drained then
      return false
    end
  end
  return true
end

-- One XREAD over all partitions. What it brings only says where to look.
function Consumer:read_wake(io)
  local streams, entries = { self.queue.key .. "wake" }, { self.woken }
  for part, state in pairs(self.parts) do
    streams[#streams + 1] = self.queue.key .. "p:" .. part
    entries[#entries + 1] = state.cursor
  end
  local command = { "XREAD", "COUNT", "1", "BLOCK",
    ("%d"):format(BLOCK * 1000), "STREAMS", unpack(streams) }
  for _, entry in ipairs(entries) do
    command[#command + 1] = entry
  end
  return io:command(command, shapes.streams,
    BLOCK + self.queue.settings.timeout)
end

function Consumer:heard(reply)
  for _, stream in ipairs(reply or {}) do
    local part = stream[1]:match(":p:(%d+)$")
    if part and self.parts[part] then
      self.parts[part].drained = false
    elseif not part then
      self.woken = stream[2][1][1]
      self.urgent = true
    end
  end
end

-- While something is known to wait in a stream, XREAD would return at once and
-- for ever: it is sent only when the worker has seen all there was.
function Consumer:rest()
  if not self:all_drained() then
    self.resting = runtime.event()
    self.resting:wait(BLOCK)
    self.resting = nil
  end
  return self:all_drained()
end

function Consumer:look_again()
  for _, state in pairs(self.parts) do
    state.drained = false
  end
  self.wake()
end

-- Waits until there may be something to read, and wakes the worker then.
function Consumer:hear()
  if not self:rest() then
    return true
  end
  local reply, err = self:read_wake(self.ear)
  if reply then
    self:heard(reply)
    self.wake(self.urgent)
    self.urgent = nil
  end
  return reply ~= nil, err
end

-- Until something can be heard again, looking is what is left.
function Consumer:listen()
  self.ear = self.queue:connect()
  while not self.closed do
    local called, heard = pcall(self.hear, self)
    if not (called and heard or self.closed) then
      self:look_again()
      if not runtime.sleep(0.5) then
        return
      end
    end
  end
end

-- Steps that many events take go together; the rare ones go alone.
local TOGETHER = { begin = true, finish = true }

-- A step on one entry. -1 of Redis: the partition is another worker's now.
function Consumer:entry_step(name, ref, ...)
  local entry = ref.seq:match("/(.*)$")
  local reply, err
  if TOGETHER[name] then
    reply, err = self.queue:step(name, self.name, ref.part, ref.fence, entry,
      ...)
  else
    reply, err = self.queue:call(name, { ref.part, self.name, ref.fence, entry,
      ... })
  end
  if reply == -1 or reply == 0 then
    return false
  end
  return reply, err
end

-- A ref that was read under an earlier fence is known to be stale: others may
-- have begun it since then.
function Consumer:begin(ref)
  local state = self.parts[ref.part]
  if state and state.handing then
    local ok, err = state.handing:wait()
    if not ok then
      return nil, err
    end
    state = self.parts[ref.part]
  end
  if not state or state.fence ~= ref.fence then
    return false
  end
  -- Whatever is raised, `let_go` takes it back.
  ref.state = state
  state.running = state.running + 1
  local reply, err = self:entry_step("begin", ref, ref.attempts)
  if not reply then
    self:let_go(ref)
    return reply, err
  end
  local item = item_codec.decode(reply[1])
  ref.attempts, ref.item = reply[2], item
  item.id = item.id or "seq:" .. ref.seq
  item.attempt = reply[2]
  item.errors = item_codec.decode_failures(reply[3])
  item.replay = item.replay or reply[4] == 1
  item.fence = tonumber(state.fence)
  return item
end

--- Says that nothing runs for this ref any more, whatever became of it.
function Consumer:let_go(ref)
  if ref.state then
    ref.state.running = ref.state.running - 1
    ref.state = nil
  end
end

-- The last step of an attempt.
function Consumer:last_step(name, ref, ...)
  local done, err = self:entry_step(name, ref, ...)
  if done ~= nil then
    self:let_go(ref)
  end
  if done then
    done = true
  end
  return done, err
end

function Consumer:finish(ref)
  return self:last_step("finish", ref)
end

function Consumer:retry(ref, delay, failure)
  return self:last_step("retry", ref, ref.attempts, delay * 1000,
    item_codec.encode_failures(ref.item.errors, failure))
end

function Consumer:bury(ref, failure, reason, park)
  return self:last_step("bury", ref, ref.attempts, ref.item.id, reason,
    item_codec.encode_failures(ref.item.errors, failure), park and 1 or 0)
end

function Consumer:recheck(refs)
  local args = {}
  for _, ref in ipairs(refs) do
    args[#args + 1] = ref.part
    args[#args + 1] = ref.seq:match("/(.*)$")
  end
  local reply, err = self.queue:call("parked", args, #refs)
  if not reply then
    return nil, err
  end
  local changed = {}
  for i, ref in ipairs(refs) do
    if reply[i] == 0 then
      ref.attempts = 0
      changed[#changed + 1] = ref
    end
  end
  return changed
end

--- Gives every partition back, so that others take them at once.
function Consumer:close()
  self.closed = true
  if self.listener then
    self.listener:cancel()
    self.listener:wait()
  end
  if self.ear then
    self.ear:close()
  end
  local ok, err = self:give_back(self.parts, true)
  if not ok and err.reason == "reset" then
    -- It rested for long, maybe: a new connection may do.
    ok, err = self:give_back(self.parts, true)
  end
  self.parts = {}
  return ok and true, err
end

return M
