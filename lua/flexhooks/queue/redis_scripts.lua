--- What Redis runs for a queue: each step is one script, so each is atomic.
--
-- Text only: whoever can send EVALSHA can use them. All keys begin with
-- KEYS[1], which carries the queue's one hash tag. Redis's own clock counts,
-- never that of a worker. For Redis 6.2 and newer.
--
--   meta          hash: version, partitions
--   p:<n>         stream: the unfinished events of partition n, fields
--                 l (line), b (body), r (is a replay)
--   s:<n>         hash: entry -> "attempts not_before state" for those begun;
--                 state is w (waiting), r (running), p (parked), in
--                 capitals for a replay of one that was parked
--   e:<n>         hash: entry -> its failures so far
--   leases        hash: n -> "owner fence until"
--   fences        hash: n -> the last fence given
--   workers       sorted set: name, until when it is alive
--   dead          hash: letter -> JSON
--   deadline      sorted set: letter, when it was buried
--   deadids       hash: id -> letters
--   t:<key>       a token that was seen
--   w:<key>       the instances of a form: JSON, { at, s = { source = 1 } }
--   wake          stream: something changed that is no new event
--   tail          is there while somebody follows the queue
--   log           stream: what happened since then, fields s (state), i (id),
--                 t (type), l (interaction)
-- @module flexhooks.queue.redis_scripts

local PRELUDE = [[
local K = KEYS[1]
local T = redis.call('TIME')
local NOW = T[1] * 1000 + math.floor(T[2] / 1000)
local function number(n) return string.format('%.0f', n) end
local function wake()
  redis.call('XADD', K .. 'wake', 'MAXLEN', '~', 100, '*', 'w', 1)
end
local leases = {}
local function ours(part, name, fence)
  local lease = leases[part]
  if lease == nil then
    lease = redis.call('HGET', K .. 'leases', part)
    leases[part] = lease
  end
  if not lease then return false end
  local owner, held = lease:match('^(%S+) (%d+) ')
  return owner == name and held == fence
end
local function state(part, entry)
  local s = redis.call('HGET', K .. 's:' .. part, entry)
  if not s then return 0, 0, 'w', false end
  local attempts, before, kind = s:match('^(%d+) (%d+) (%a)')
  return tonumber(attempts), tonumber(before), kind:lower(),
    kind ~= kind:lower()
end
local function set_state(part, entry, attempts, before, kind, replay)
  if replay == nil then
    replay = select(4, state(part, entry))
  end
  if replay then kind = kind:upper() end
  redis.call('HSET', K .. 's:' .. part, entry,
    number(attempts) .. ' ' .. number(before) .. ' ' .. kind)
end
local function entry_of(part, entry)
  local found = redis.call('XRANGE', K .. 'p:' .. part, entry, entry)[1]
  if not found then return nil end
  local fields = {}
  for i = 1, #found[2], 2 do fields[found[2][i] ] = found[2][i + 1] end
  return fields
end
local function forget(part, entry)
  redis.call('XDEL', K .. 'p:' .. part, entry)
  redis.call('HDEL', K .. 's:' .. part, entry)
  redis.call('HDEL', K .. 'e:' .. part, entry)
end
local function add_letter(letter, id, record)
  redis.call('HSET', K .. 'dead', letter, cjson.encode(record))
  redis.call('ZADD', K .. 'deadline', NOW, letter)
  local known = redis.call('HGET', K .. 'deadids', id)
  redis.call('HSET', K .. 'deadids', id,
    known and known .. ' ' .. letter or letter)
end
local function first_letter(id)
  local known = redis.call('HGET', K .. 'deadids', id)
  local letter = known and known:match('^%S+')
  local json = letter and redis.call('HGET', K .. 'dead', letter)
  if json then return letter, cjson.decode(json) end
end
local function drop_letter(letter, id)
  redis.call('HDEL', K .. 'dead', letter)
  redis.call('ZREM', K .. 'deadline', letter)
  local known = redis.call('HGET', K .. 'deadids', id):match('^%S+ (.+)$')
  if known then
    redis.call('HSET', K .. 'deadids', id, known)
  else
    redis.call('HDEL', K .. 'deadids', id)
  end
end
local followed
local function note(state, body)
  local ok, item = pcall(cjson.decode, body)
  item = ok and type(item) == 'table' and item or {}
  local event = type(item.event) == 'table' and item.event or {}
  redis.call('XADD', K .. 'log', 'MAXLEN', '~', 10000, '*', 's', state,
    'i', tostring(item.id or ''), 't', tostring(event.EventType or ''),
    'l', tostring(event.InteractionSid or ''))
  redis.call('EXPIRE', K .. 'log', 60)
end
local function is_followed()
  if followed == nil then
    followed = redis.call('EXISTS', K .. 'tail') == 1
  end
  return followed
end
local partitions
local function partition(line)
  partitions = partitions
    or tonumber(redis.call('HGET', K .. 'meta', 'partitions'))
  return tonumber(redis.sha1hex(line):sub(1, 7), 16) % partitions
end
]]

local M = {}

-- ARGV: version, partitions. Returns what is stored, which must be the same.
M.setup = PRELUDE .. [[
redis.call('HSETNX', K .. 'meta', 'version', ARGV[1])
redis.call('HSETNX', K .. 'meta', 'partitions', ARGV[2])
return redis.call('HMGET', K .. 'meta', 'version', 'partitions')
]]

-- ARGV: window, twin_window (seconds), then for each item line, body, id,
-- token, twin, source, reason (of one that is no event; empty for an event). A
-- token is remembered with the score of nothing: its key and its expiry.
M.store = PRELUDE .. [[
if redis.call('EXISTS', K .. 'meta') == 0 then
  return redis.error_reply('NOQUEUE the queue is not set up')
end
local window, twin_window = ARGV[1], ARGV[2] * 1000
local function twin_of(key, source)
  local json = redis.call('GET', K .. 'w:' .. key)
  local kept, joined = {}, false
  for _, instance in ipairs(json and cjson.decode(json) or {}) do
    if instance.at >= NOW - twin_window then
      if not joined and not instance.s[source] then
        instance.s[source], joined = 1, true
      end
      kept[#kept + 1] = instance
    end
  end
  if not joined then
    kept[#kept + 1] = { at = NOW, s = { [source] = 1 } }
  end
  redis.call('SET', K .. 'w:' .. key, cjson.encode(kept), 'PX', twin_window)
  return joined
end
local function claimed(token, twin, source)
  if token ~= '' and not redis.call('SET', K .. 't:' .. token, '1', 'NX', 'EX',
      window) then
    return true
  end
  return twin ~= '' and twin_of(twin, source)
end
local verdicts = {}
for i = 3, #ARGV, 7 do
  local line, body, id, reason = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 6]
  local duplicate = claimed(ARGV[i + 3], ARGV[i + 4], ARGV[i + 5])
  if not duplicate and reason == '' then
    redis.call('XADD', K .. 'p:' .. partition(line), '*', 'l', line, 'b', body)
  elseif not duplicate then
    local letter = 'r-' .. redis.call('HINCRBY', K .. 'meta', 'letters', 1)
    add_letter(letter, id, { id = id, body = body, reason = reason,
      attempts = 0, buried_at = NOW, line = line })
  end
  if not duplicate and is_followed() then
    note(reason == '' and 'stored' or 'dead', body)
  end
  verdicts[#verdicts + 1] = duplicate and 0 or 1
end
return verdicts
]]

-- ARGV: name, lease (ms). Renews what is ours, takes what is free while fewer
-- than our share is ours. Returns our share, then partition, fence, …
M.beat = PRELUDE .. [[
local name, lease = ARGV[1], tonumber(ARGV[2])
partitions = tonumber(redis.call('HGET', K .. 'meta', 'partitions'))
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
    hold(part, number(redis.call('HINCRBY', K .. 'fences', part, 1)))
    taken = true
  end
end
-- Whoever takes a partition must hear of its events from now on.
if taken then wake() end
return reply
]]

-- ARGV: name, 1 where the worker leaves, then partition, fence, …
M.release = PRELUDE .. [[
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

-- ARGV: as scan. Returns partition, entry, body, attempts, …
M.peek = PRELUDE .. [[
local limit, reply = tonumber(ARGV[1]), {}
for i = 2, #ARGV, 2 do
  if limit <= 0 then break end
  for _, found in ipairs(redis.call('XRANGE', K .. 'p:' .. ARGV[i],
      '(' .. ARGV[i + 1], '+', 'COUNT', limit)) do
    for _, v in ipairs({ ARGV[i], found[1], found[2][4],
        (state(ARGV[i], found[1])) }) do
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
M.begin = PRELUDE .. [[
local replies = {}
local function begin(part, fence, entry, attempts)
  if not ours(part, ARGV[1], fence) then return -1 end
  local fields = entry_of(part, entry)
  if not fields then return 0 end
  local replay = select(4, state(part, entry))
  set_state(part, entry, attempts, 0, 'r', replay)
  if is_followed() then note('started', fields.b) end
  -- Nothing has failed before the first attempt.
  local failures = attempts > 1 and redis.call('HGET', K .. 'e:' .. part, entry)
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
M.finish = PRELUDE .. [[
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
M.retry = PRELUDE .. [[
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
M.bury = PRELUDE .. [[
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

-- ARGV: id. 0: there is none; -1: it is no event.
M.replay = PRELUDE .. [[
local letter, record = first_letter(ARGV[1])
if not letter then return 0 end
if not record.line or record.line == '' then return -1 end
if record.part then
  if entry_of(record.part, record.entry) then
    set_state(record.part, record.entry, 0, 0, 'w', true)
  end
  redis.call('HDEL', K .. 'e:' .. record.part, record.entry)
  wake()
else
  redis.call('XADD', K .. 'p:' .. partition(record.line), '*', 'l',
    record.line, 'b', record.body, 'r', 1)
end
drop_letter(letter, record.id)
if is_followed() then note('replayed', record.body) end
return 1
]]

M.discard = PRELUDE .. [[
local letter, record = first_letter(ARGV[1])
if not letter then return 0 end
if record.part then
  forget(record.part, record.entry)
  wake()
end
drop_letter(letter, record.id)
if is_followed() then note('discarded', record.body) end
return 1
]]

-- ARGV: the last entry of the log that was seen, empty at the first look;
-- limit. Returns the last one, then entry, state, id, type, interaction, …
M.follow = PRELUDE .. [[
redis.call('SET', K .. 'tail', '1', 'EX', 15)
local seen, reply = ARGV[1], { ARGV[1] }
if seen == '' then
  local last = redis.call('XREVRANGE', K .. 'log', '+', '-', 'COUNT', 1)[1]
  return { last and last[1] or '0-0' }
end
for _, found in ipairs(redis.call('XRANGE', K .. 'log', '(' .. seen, '+',
    'COUNT', ARGV[2])) do
  local fields = found[2]
  reply[1] = found[1]
  for _, v in ipairs({ found[1], fields[2], fields[4], fields[6],
      fields[8] }) do
    reply[#reply + 1] = v
  end
end
return reply
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

-- ARGV: limit. Returns the letters' JSON, oldest first.
M.letters = PRELUDE .. [[
local reply = {}
for _, letter in ipairs(redis.call('ZRANGE', K .. 'deadline', 0,
    ARGV[1] - 1)) do
  reply[#reply + 1] = redis.call('HGET', K .. 'dead', letter)
end
return reply
]]

-- ARGV: id. Returns the letter's JSON, or nil.
M.letter = PRELUDE .. [[
local letter = first_letter(ARGV[1])
return letter and redis.call('HGET', K .. 'dead', letter)
]]

-- Returns events, running, delayed, dead, age of the oldest (ms), then the
-- owner of each partition, empty where it has none.
M.stats = PRELUDE .. [[
partitions = tonumber(redis.call('HGET', K .. 'meta', 'partitions') or 0)
local events, running, delayed, oldest, owners = 0, 0, 0, NOW, {}
for part = 0, partitions - 1 do
  events = events + redis.call('XLEN', K .. 'p:' .. part)
  for _, s in ipairs(redis.call('HVALS', K .. 's:' .. part)) do
    local before, kind = s:match('^%d+ (%d+) (%a)')
    kind = kind:lower()
    if kind == 'r' then
      running = running + 1
    elseif kind == 'p' or tonumber(before) > NOW then
      delayed = delayed + 1
    end
  end
  local first = redis.call('XRANGE', K .. 'p:' .. part, '-', '+', 'COUNT', 1)
  if first[1] then
    oldest = math.min(oldest, tonumber(first[1][1]:match('^%d+')))
  end
  local held = redis.call('HGET', K .. 'leases', part)
  local owner, ends
  if held then owner, ends = held:match('^(%S+) %d+ (%d+)') end
  owners[part + 1] = owner and tonumber(ends) >= NOW and owner or ''
end
local reply = { events, running, delayed, redis.call('HLEN', K .. 'dead'),
  NOW - oldest }
for _, owner in ipairs(owners) do reply[#reply + 1] = owner end
return reply
]]

return M
