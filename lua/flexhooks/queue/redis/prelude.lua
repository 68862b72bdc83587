--- What every script of a Redis queue begins with; the keys are described in
-- `redis_scripts`.
-- @module flexhooks.queue.redis.prelude

return [[
local K = KEYS[1]
local T = redis.call('TIME')
local NOW = T[1] * 1000 + math.floor(T[2] / 1000)
local function number(n) return string.format('%.0f', n) end
local function wake()
  redis.call('XADD', K .. 'wake', 'MAXLEN', '~', 100, '*', 'w', 1)
end
local function no_queue()
  return redis.error_reply('NOQUEUE the queue is not set up')
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
local function set_up()
  partitions = tonumber(redis.call('HGET', K .. 'meta', 'partitions') or nil)
  return partitions
end
-- The last digits of a SID are as good as those of its hash.
local function partition(line)
  local digits = tonumber(line:sub(-7), 16)
    or tonumber(redis.sha1hex(line):sub(1, 7), 16)
  return digits % (partitions or set_up())
end
]]
