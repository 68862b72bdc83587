--- The scripts of a Redis queue that a worker runs: leases of partitions, and
-- the steps of an event.
-- @module flexhooks.queue.redis.worker_scripts

local PRELUDE = require "flexhooks.queue.redis.prelude"

local M = {}

-- What every step of a worker begins with. A Redis that is full refuses what
-- may need memory, but no script that has written already: this writes nothing
-- and counts as that. Otherwise a queue that has filled Redis could not be
-- worked off.
local STEP = PRELUDE .. [[
redis.call('DEL', K .. 'room')
]]

-- ARGV: name, lease (ms). Renews what is ours, takes what is free while fewer
-- than our share is ours. Returns our share, then partition, fence, …
M.beat = STEP .. [[
local name, lease = ARGV[1], tonumber(ARGV[2])
partitions = tonumber(redis.call('HGET', K .. 'meta', 'partitions'))
if not partitions then return no_queue() end
redis.call('ZREMRANGEBYSCORE', K .. 'workers', '-inf', '(' .. NOW)
redis.call('ZADD', K .. 'workers', NOW + lease, name)
local names = redis.call('ZRANGE', K .. 'workers', 0, -1)
table.sort(names)
local rank = 0
for i, other in ipairs(names) do
  if other == name then rank = i - 1 end
end
local share = math.floor(partitions / #names)
if rank < partitions % #names then share = share + 1 end
local until_when = number(NOW + lease)
local mine, free, taken, reply = 0, {}, false, { share }
local function hold(part, fence)
  redis.call('HSET', K .. 'leases', part, name .. ' ' .. fence .. ' '
    .. until_when)
  mine = mine + 1
  reply[#reply + 1] = part
  reply[#reply + 1] = fence
end
-- The first one is the time, so that fences go on growing where somebody has
-- emptied the database.
local function next_fence(part)
  local fence = redis.call('HINCRBY', K .. 'fences', part, 1)
  if fence > 1 then return number(fence) end
  redis.call('HSET', K .. 'fences', part, number(NOW))
  return number(NOW)
end
-- What its last owner had begun runs nowhere now: it waits, and the attempt
-- stays counted.
local function end_attempts(part)
  local states = redis.call('HGETALL', K .. 's:' .. part)
  for i = 2, #states, 2 do
    local waits = states[i]:gsub('r$', 'w'):gsub('R$', 'W')
    if waits ~= states[i] then
      redis.call('HSET', K .. 's:' .. part, states[i - 1], waits)
    end
  end
end
for part = 0, partitions - 1 do
  local held = redis.call('HGET', K .. 'leases', part)
  local owner, fence, ends
  if held then owner, fence, ends = held:match('^(%S+) (%d+) (%d+)') end
  if owner == name then
    hold(part, fence)
  elseif not owner or tonumber(ends) < NOW then
    free[#free + 1] = part
  end
end
for _, part in ipairs(free) do
  if mine < share then
    hold(part, next_fence(part))
    end_attempts(part)
    taken = true
  end
end
-- Whoever takes a partition must hear of its events from now on.
if taken then wake() end
return reply
]]

-- ARGV: name, 1 where the worker leaves, then partition, fence, …
M.release = STEP .. [[
for i = 3, #ARGV, 2 do
  if ours(ARGV[i], ARGV[1], ARGV[i + 1]) then
    redis.call('HDEL', K .. 'leases', ARGV[i])
  end
end
if ARGV[2] == '1' then redis.call('ZREM', K .. 'workers', ARGV[1]) end
wake()
return 1
]]

-- ARGV: limit, then partition, entry to begin after, …
-- Returns partition, entry, line, attempts, delay (ms; -1 parked), …
M.scan = PRELUDE .. [[
local limit, reply = tonumber(ARGV[1]), {}
for i = 2, #ARGV, 2 do
  local part = ARGV[i]
  if limit <= 0 then break end
  for _, found in ipairs(redis.call('XRANGE', K .. 'p:' .. part,
      '(' .. ARGV[i + 1], '+', 'COUNT', limit)) do
    local attempts, before, kind = state(part, found[1])
    local delay = kind == 'p' and -1 or math.max(before - NOW, 0)
    for _, v in ipairs({ part, found[1], found[2][2], attempts, delay }) do
      reply[#reply + 1] = v
    end
    limit = limit - 1
  end
end
return reply
]]

-- ARGV: name, then partition, fence, entry, attempts before this one, …
-- Sets the count, so that a repeated step counts it once. Returns for each -1
-- (not ours), 0 (gone), or body, attempts, failures, is a replay.
M.begin = STEP .. [[
local replies = {}
local function begin(part, fence, entry, attempts)
  if not ours(part, ARGV[1], fence) then return -1 end
  local fields = entry_of(part, entry)
  if not fields then return 0 end
  local replay = select(4, state(part, entry))
  set_state(part, entry, attempts, 0, 'r', replay)
  if is_followed() then note('started', fields.b) end
  -- Nothing has failed before the first attempt.
  local failures = attempts > 1
    and redis.call('HGET', K .. 'e:' .. part, entry)
  return { fields.b, attempts, failures or '',
    (fields.r or replay) and 1 or 0 }
end
for i = 2, #ARGV, 4 do
  replies[#replies + 1] = begin(ARGV[i], ARGV[i + 1], ARGV[i + 2],
    ARGV[i + 3] + 1)
end
return replies
]]

-- ARGV: name, then partition, fence, entry, … Returns for each 1, or -1 (not
-- ours).
M.finish = STEP .. [[
local replies = {}
for i = 2, #ARGV, 3 do
  local mine = ours(ARGV[i], ARGV[1], ARGV[i + 1])
  local fields = mine and is_followed() and entry_of(ARGV[i], ARGV[i + 2])
  if fields then note('handled', fields.b) end
  if mine then forget(ARGV[i], ARGV[i + 2]) end
  replies[#replies + 1] = mine and 1 or -1
end
return replies
]]

-- ARGV: partition, name, fence, entry, attempts, delay (ms), failures.
M.retry = STEP .. [[
if not ours(ARGV[1], ARGV[2], ARGV[3]) then return -1 end
local fields = entry_of(ARGV[1], ARGV[4])
if not fields then return 0 end
if is_followed() then note('retried', fields.b) end
set_state(ARGV[1], ARGV[4], ARGV[5], NOW + ARGV[6], 'w')
redis.call('HSET', K .. 'e:' .. ARGV[1], ARGV[4], ARGV[7])
return 1
]]

-- ARGV: partition, name, fence, entry, attempts, id, reason, failures, 1 to
-- park.
M.bury = STEP .. [[
if not ours(ARGV[1], ARGV[2], ARGV[3]) then return -1 end
local fields = entry_of(ARGV[1], ARGV[4])
if not fields then return 0 end
local letter = ARGV[1] .. '-' .. ARGV[4]
if redis.call('HEXISTS', K .. 'dead', letter) == 1 then return 1 end
local record = { id = ARGV[6], body = fields.b, attempts = tonumber(ARGV[5]),
  reason = ARGV[7], errors = ARGV[8], buried_at = NOW, line = fields.l }
if ARGV[9] == '1' then
  record.part, record.entry = ARGV[1], ARGV[4]
  set_state(ARGV[1], ARGV[4], ARGV[5], 0, 'p')
else
  forget(ARGV[1], ARGV[4])
end
add_letter(letter, ARGV[6], record)
if is_followed() then note('dead', fields.b) end
return 1
]]

-- ARGV: partition, entry, … Returns 1 for each that is parked still.
M.parked = PRELUDE .. [[
local reply = {}
for i = 1, #ARGV, 2 do
  local _, _, kind = state(ARGV[i], ARGV[i + 1])
  reply[#reply + 1] = kind == 'p' and 1 or 0
end
return reply
]]

return M
