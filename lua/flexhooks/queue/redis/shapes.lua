--- The shapes that Redis's replies have.
--
-- A reply of another type or size comes from a broken proxy or a foreign
-- server, or answers another command. It is a failure of the command, and no
-- reply behind it on the connection can be trusted. A shape is a function that
-- returns whether a value has it.
-- @module flexhooks.queue.redis.shapes

local M = {}

local function text(value)
  return type(value) == "string"
end

local function integer(value)
  return type(value) == "number" and value % 1 == 0
end

local function matching(pattern)
  return function(value)
    return type(value) == "string" and value:find(pattern) ~= nil
  end
end

-- Redis returns a partition as a string or a number.
local function digits(value)
  return integer(value) or text(value) and value:find "^%d+$" ~= nil
end

local function one_of(...)
  local lawful = {}
  for _, value in ipairs { ... } do
    lawful[value] = true
  end
  return function(value)
    return lawful[value] == true
  end
end

local function optional(shape)
  return function(value)
    return value == false or shape(value)
  end
end

local function either(one, other)
  return function(value)
    return one(value) or other(value)
  end
end

-- A list of `count` values of one shape, of any number where that is nil.
local function list(shape, count)
  return function(value)
    if type(value) ~= "table" or count and #value ~= count then
      return false
    end
    for i = 1, #value do
      if not shape(value[i]) then
        return false
      end
    end
    return true
  end
end

-- A flat list: what is in `head`, then groups of what is in `group`.
local function flat(head, group)
  return function(value)
    if type(value) ~= "table" or #value < #head
      or (#value - #head) % math.max(#group, 1) ~= 0 then
      return false
    end
    for i = 1, #value do
      local shape = head[i] or group[(i - #head - 1) % #group + 1]
      if not (shape and shape(value[i])) then
        return false
      end
    end
    return true
  end
end

local function row(...)
  return flat({ ... }, {})
end

local entry_id = matching "^%d+%-%d+$"
local outcome = one_of(-1, 0, 1)
local flag = one_of(0, 1)
local fields = list(text)
local entry = row(entry_id, fields)

-- The fields of an entry that holds an event: l, the line, b, the body, ….
local function event_fields(value)
  return fields(value) and #value >= 4
end

M.ok = one_of "OK"
M.text = text
M.exists = flag
M.script_hash = matching("^" .. ("%x"):rep(40) .. "$")
M.field = optional(text)

--- Of CONFIG GET: a name and its value, or nothing.
M.setting = flat({}, { text, text })

--- Of HGET: what is known of an event that was begun.
M.state = optional(matching "^%d+ %d+ %a$")

--- Of XRANGE over events, of XREVRANGE, and of XREAD.
M.events = list(row(entry_id, event_fields))
M.entries = list(entry)
M.streams = optional(list(row(text, function(value)
  return M.entries(value) and #value > 0
end)))

--- Of each script, see `redis_scripts` and `redis_worker_scripts`.
M.scripts = {
  setup = row(optional(text), optional(text)),
  peek = flat({}, { text, entry_id, text, integer }),
  replay = outcome,
  discard = flag,
  follow = flat({ entry_id }, { entry_id, text, text, text, text }),
  letters = list(text),
  letter = optional(text),
  stats = flat({ integer, integer, integer, integer, integer }, { text }),
  beat = flat({ integer }, { digits, digits }),
  release = one_of(1),
  scan = flat({}, { text, entry_id, text, integer, integer }),
  retry = outcome,
  bury = outcome,
}

-- -1 and 0 of `begin`: not ours, and gone.
local EACH = {
  store = flag,
  begin = either(one_of(-1, 0), row(text, integer, text, flag)),
  finish = one_of(-1, 1),
  parked = flag,
}

--- Returns the shape of a script's reply.
---@param name string
---@param count integer? answers, of a script that has one for each step
---@return fun(value: any): boolean
function M.of_script(name, count)
  return M.scripts[name] or list(EACH[name], count)
end

return M
