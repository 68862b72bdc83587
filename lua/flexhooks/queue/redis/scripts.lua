--- What Redis runs for a queue: each step is one script, so each is atomic.
-- Here are what receivers and commands run, beside `redis_worker_scripts`.
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
--   tokens        sorted set: tokens that were seen, until when they count
--                 (microseconds); the oldest go as others come
--   w:<key>       the instances of a form: JSON, { at, s = { source = 1 } }
--   wake          stream: something changed that is no new event
--   tail          is there while somebody follows the queue
--   log           stream: what happened since then, fields s (state), i (id),
--                 t (type), l (interaction)
-- @module flexhooks.queue.redis.scripts

local PRELUDE = require "flexhooks.queue.redis.prelude"
local tables = require "flexhooks.util.tables"
local worker = require "flexhooks.queue.redis.worker_scripts"

local M = {}

-- ARGV: version, partitions. Returns what is stored, which must be the same. A
-- queue that is there is not written to: a full Redis would refuse that.
M.setup = PRELUDE .. [[
if redis.call('EXISTS', K .. 'meta') == 0 then
  redis.call('HSET', K .. 'meta', 'version', ARGV[1], 'partitions', ARGV[2])
end
return redis.call('HMGET', K .. 'meta', 'version', 'partitions')
]]

-- ARGV: window, twin_window (seconds), then for each item line, body, id,
-- token, twin, source, reason (of one that is no event; empty for an event).
-- All tokens are claimed by one command: those that were not there before have
-- the score of this call.
M.store = PRELUDE .. [[
if not set_up() then return no_queue() end
local TOKENS, PART = K .. 'tokens', 1000
local twin_window = ARGV[2] * 1000
local now = T[1] * 1000000 + T[2]
local ends = number(now + ARGV[1] * 1000000)
local fresh, claims, tokens = {}, {}, {}
for i = 6, #ARGV, 7 do
  local token = ARGV[i]
  if token ~= '' and not fresh[token] then
    fresh[token] = true
    tokens[#tokens + 1] = token
    claims[#claims + 1] = ends
    claims[#claims + 1] = token
  end
end
local function sort_out(first, last)
  local scores = redis.call('ZMSCORE', TOKENS, unpack(tokens, first, last))
  for i, score in ipairs(scores) do
    local token = tokens[first + i - 1]
    if tonumber(score) <= now then
      redis.call('ZADD', TOKENS, ends, token)
    elseif tonumber(score) ~= tonumber(ends) then
      fresh[token] = false
    end
  end
end
for first = 1, #tokens, PART do
  local last = math.min(first + PART - 1, #tokens)
  local added = redis.call('ZADD', TOKENS, 'NX',
    unpack(claims, 2 * first - 1, 2 * last))
  if added <= last - first then sort_out(first, last) end
end
-- More than came are forgotten once as many are over.
if #tokens > 0 then
  local n = 2 * #tokens - 1
  local over = redis.call('ZRANGE', TOKENS, n, n, 'WITHSCORES')[2]
  if over and tonumber(over) <= now then
    redis.call('ZREMRANGEBYRANK', TOKENS, 0, n)
  end
end
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
  if token ~= '' and not fresh[token] then return true end
  fresh[token] = false
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

-- ARGV: limit, then partition, entry to begin after, … Returns partition,
-- entry, body, attempts, …
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
  local held = redis.call('HGET', K .. 'leases', part)
  local owner, ends
  if held then owner, ends = held:match('^(%S+) %d+ (%d+)') end
  owners[part + 1] = owner and tonumber(ends) >= NOW and owner or ''
  for _, s in ipairs(redis.call('HVALS', K .. 's:' .. part)) do
    local before, kind = s:match('^%d+ (%d+) (%a)')
    kind = kind:lower()
    if kind == 'r' then
      -- What nobody owns any more waits to be begun again.
      if owners[part + 1] ~= '' then running = running + 1 end
    elseif kind == 'p' or tonumber(before) > NOW then
      delayed = delayed + 1
    end
  end
  local first = redis.call('XRANGE', K .. 'p:' .. part, '-', '+', 'COUNT', 1)
  if first[1] then
    oldest = math.min(oldest, tonumber(first[1][1]:match('^%d+')))
  end
end
local reply = { events, running, delayed, redis.call('HLEN', K .. 'dead'),
  NOW - oldest }
for _, owner in ipairs(owners) do reply[#reply + 1] = owner end
return reply
]]

return tables.merged(M, worker)
