--- The queue in Redis Streams: one queue for receivers and workers on many
-- machines.
--
-- Every rule lives in the scripts; here are names, checks and shapes. The
-- input and output are another part's: our own connection, or lua-resty-redis
-- in nginx.
-- @module flexhooks.queue.redis.queue

local batcher = require "flexhooks.queue.redis.batcher"
local consumer = require "flexhooks.queue.redis.consumer"
local item_codec = require "flexhooks.queue.item_codec"
local errors = require "flexhooks.error"
local requirements = require "flexhooks.queue.redis.requirements"
local single_flight = require "flexhooks.runtime.single_flight"
local runtime = require "flexhooks.runtime.current"
local options = require "flexhooks.util.options"
local scripts = require "flexhooks.queue.redis.scripts"
local shapes = require "flexhooks.queue.redis.shapes"
local store_requests = require "flexhooks.queue.store_request"
local tables = require "flexhooks.util.tables"
local url = require "flexhooks.queue.redis.url"

local M = {}

local Redis = { __name = "flexhooks.queue.redis.queue",
  many = true } -- processes may use it at once
Redis.__index = Redis

local VERSION = "1"
local FIND_AT_ONCE = 500
local STEPS_AT_ONCE = 1000

local SPEC = {
  logger = { type = "function" },
  partitions = { type = "integer", min = 1, max = 4096, default = 64 },
  prefix = { type = "string", default = "flexhooks", check = function(value)
    if value == "" or #value > 64 or value:find("[{}%s%c]") then
      return "must be 1 to 64 characters without braces and spaces"
    end
  end },
  token_window = { type = "number", min = 1, max = 604800, default = 3600 },
  timeout = { type = "number", min = 0.01, max = 600, default = 5 },
  appendfsync = { type = "string", one_of = { "always", "everysec", "any" },
    default = "always" },
}

local function open_io(settings)
  local connection = runtime.name == "nginx"
    and require "flexhooks.queue.redis.nginx"
    or require "flexhooks.queue.redis.connection"
  return connection.new(settings)
end

-- The settings of URL and options. One that is in both and not the same
-- would be somebody's mistake, whichever of them won.
local function together(given, said)
  if type(given) ~= "table" then
    return given or said
  end
  for name, value in pairs(said) do
    if given[name] ~= nil and given[name] ~= value then
      errors.raise(4, ("flexhooks.queue: option '%s' is %s, and the URL says "
        .. "%s: give it once"):format(name, tostring(given[name]), value))
    end
  end
  return tables.merged(given, said)
end

-- As in a URL, less what nobody may see; queues of one Redis differ by their
-- prefix.
local function name_of(address, prefix)
  local host_name = address.host
  if host_name:find(":", 1, true) then
    host_name = "[" .. host_name .. "]"
  end
  local name = ("redis://%s:%d/%d"):format(host_name, address.port, address.db)
  if prefix ~= SPEC.prefix.default then
    name = name .. "?prefix=" .. prefix:gsub("[^%w._:/-]", function(c)
      return ("%%%02X"):format(c:byte())
    end)
  end
  return name
end

---@param rest string the URL after "redis:"
---@param given table?
function M.new(rest, given)
  local address, settings = url.read(rest, SPEC)
  if not address then
    errors.raise(3, "flexhooks.queue: " .. settings
      .. "; a Redis queue is named " .. url.FORM)
  end
  local checked = options.check("flexhooks.queue", SPEC,
    together(given, settings), 2)
  local self = setmetatable({
    name = name_of(address, checked.prefix),
    address = address, settings = checked,
    opening = single_flight.new(), key = "{" .. checked.prefix .. "}:",
  }, Redis)
  self.batches = batcher.new(function(name, args, count)
    return self:run(name, args, shapes.of_script(name, count))
  end, function(name, args, count, answered)
    return self.checked and not self.closed and self.io:post(scripts[name],
      { self.key }, args, shapes.of_script(name, count), answered)
  end)
  return self
end

function Redis:failure(message, fields)
  return errors.new("queue", self.name .. ": " .. message, fields)
end

--- Another connection of the same settings, for what blocks.
function Redis:connect()
  return open_io { address = self.address, timeout = self.settings.timeout,
    name = self.name }
end

-- A logger that fails must not take an event with it.
function Redis:say(...)
  if self.settings.logger then
    pcall(self.settings.logger, ...)
  end
end

function Redis:check(io)
  local wrong = requirements.wrong(io, self.settings.appendfsync)
  if errors.is(wrong) then
    return nil, wrong
  elseif wrong then
    return nil, self:failure("the server " .. wrong, { reason = "unfit" })
  end
  if self.settings.appendfsync ~= "always" then
    self:say("warn", "acknowledged events may be lost in a crash of the Redis "
      .. "machine", { appendfsync = self.settings.appendfsync })
  end
  local stored, err = io:call(scripts.setup, { self.key },
    { VERSION, tostring(self.settings.partitions) }, shapes.scripts.setup)
  if not stored then
    return nil, err
  end
  if stored[1] ~= VERSION then
    return nil, self:failure("the queue has version " .. tostring(stored[1])
      .. "; this flexhooks reads version " .. VERSION, { reason = "version" })
  end
  if tonumber(stored[2]) ~= self.settings.partitions then
    return nil, self:failure("the queue has " .. tostring(stored[2])
      .. " partitions, and its URL says " .. self.settings.partitions
      .. "; the number is written once", { reason = "partitions" })
  end
  return true
end

--- Has somebody set it up already?
---@return boolean|nil there
---@return flexhooks.Error? err
function Redis:exists()
  self.io = self.io or self:connect()
  local count, err = self.io:command({ "EXISTS", self.key .. "meta" },
    shapes.exists)
  if not count then
    return nil, err
  end
  return count == 1
end

--- Connects and checks the server where that was not done, once for all that
-- ask meanwhile.
function Redis:ready()
  if self.closed then
    return nil, errors.new("closed", self.name .. ": the queue is closed")
  end
  if self.checked then
    return true
  end
  return self.opening:share(function()
    self.io = self.io or self:connect()
    local ok, err = self:check(self.io)
    self.checked = ok
    return ok, err
  end)
end

-- Runs a script of ours by its name.
function Redis:run(name, args, shape, again)
  local ok, err = self:ready()
  if not ok then
    return nil, err
  end
  local reply
  reply, err = self.io:call(scripts[name], { self.key }, args, shape)
  if reply == nil and err.reason == "noqueue" and not again then
    -- Somebody emptied the database, and nothing was done.
    self.checked = nil
    self:say("error", "the queue in Redis is gone, and is set up again")
    return self:run(name, args, shape, true)
  end
  return reply, err
end

local function with_digits(args)
  for i, value in ipairs(args) do
    if type(value) == "number" then
      args[i] = ("%.0f"):format(value)
    end
  end
  return args
end

--- Runs a script of ours with strings and whole numbers.
---@param name string
---@param args (string|number)[]
---@param count integer? answers, of a script that has one for each step
---@return any reply
---@return flexhooks.Error? err
function Redis:call(name, args, count)
  return self:run(name, with_digits(args), shapes.of_script(name, count))
end

local function line_of(item)
  local event = item.event
  return event and tostring(event.InteractionSid or event.EventType) or ""
end

-- Behind the last of these arguments. Returns the place of the new last one.
local function append(args, last, items)
  local n = last
  for i = 1, #items do
    local item = items[i]
    args[n + 1], args[n + 2] = line_of(item), item.body
    args[n + 3], args[n + 4] = item.id or "", item.token_key or ""
    args[n + 5], args[n + 6] = item.twin_key or "", item.source or ""
    args[n + 7] = item.event and "" or item.reason or "malformed"
    n = n + 7
  end
  return n
end

-- What the stores of a call share; a receiver's rule does not change.
function Redis:head_of(rule)
  if self.rule ~= rule then
    local window = math.min(rule.window, self.settings.token_window)
    local head = with_digits { math.max(window, 1),
      math.max(rule.twin_window, 1) }
    head.key = "store " .. table.concat(head, " ")
    self.rule, self.head = rule, head
  end
  return self.head
end

local function stored(store, reply, first)
  local items = store.items
  if reply then
    for i = 1, #items do
      items[i].verdict = reply[first + i - 1] == 1 and "stored" or "duplicate"
    end
  else
    store.err = first
  end
  store_requests.tell(store)
end

--- See docs/architecture.md, Queue.
function Redis:submit(store)
  local items, bytes = store.items, 0
  for i = 1, #items do
    local item = items[i]
    local body = item_codec.encode(item)
    item.body, bytes = body, bytes + #body
  end
  local head = self:head_of(store.rule)
  local batch = self.batches:join(head.key, "store", head)
  local last = append(batch.args, batch.last, items)
  self.batches:add(batch, last, bytes, store, stored, #items)
end

--- A step on one entry that goes with others of its kind.
---@return any reply
---@return flexhooks.Error? err
function Redis:step(name, worker, ...)
  return self.batches:send(name .. worker, name, { worker },
    with_digits { ... })
end

function Redis:stats()
  local reply, err = self:call("stats", {})
  if not reply then
    return nil, err
  end
  local partitions = {}
  for i = 6, #reply do
    partitions[#partitions + 1] = { partition = i - 6,
      owner = reply[i] ~= "" and reply[i] or nil }
  end
  return { ready = math.max(reply[1] - reply[2] - reply[3], 0),
    running = reply[2], delayed = reply[3], dead = reply[4],
    oldest_age = reply[5] / 1000, partitions = partitions }
end

-- A letter that only another program can have written this way is an error.
function Redis:letter_of(json)
  local letter = item_codec.decode_value(json)
  if type(letter) ~= "table" or type(letter.body) ~= "string"
    or type(letter.buried_at) ~= "number" then
    return nil, self:failure("a dead letter in Redis cannot be read",
      { reason = "damaged" })
  end
  letter.buried_at = letter.buried_at / 1000
  letter.parked = letter.part
  return letter
end

function Redis:dead_letters(limit)
  local reply, err = self:call("letters", { limit })
  for i, json in ipairs(reply or {}) do
    reply[i], err = self:letter_of(json)
    if err then
      return nil, err
    end
  end
  return reply, err
end

-- Every entry of a partition, some at a time, until f returns something.
local function each_entry(self, part, f)
  local after = "-"
  while true do
    local entries, err = self.io:command({ "XRANGE", self.key .. "p:" .. part,
      after, "+", "COUNT", tostring(FIND_AT_ONCE) }, shapes.events)
    if not entries then
      return nil, err
    end
    for _, entry in ipairs(entries) do
      local found = f(entry)
      if found then
        return found
      end
      after = "(" .. entry[1]
    end
    if #entries < FIND_AT_ONCE then
      return false
    end
  end
end

-- An entry as `find` tells it: what was begun has a state, and failures.
local function queued(self, part, entry)
  local state, err = self.io:command({ "HGET", self.key .. "s:" .. part,
    entry[1] }, shapes.state)
  local failures
  if state ~= nil then
    failures, err = self.io:command({ "HGET", self.key .. "e:" .. part,
      entry[1] }, shapes.field)
  end
  if failures == nil then
    return nil, err
  end
  local attempts, kind = (state or "0 0 w"):match "^(%d+) %d+ (%a)"
  return { body = entry[2][4], attempts = tonumber(attempts),
    errors = failures or nil,
    replay = (entry[2][6] or kind:find "%u") and true }
end

function Redis:find(id)
  local json, err = self:call("letter", { id })
  if json == nil then
    return nil, err
  elseif json then
    return self:letter_of(json)
  end
  local beginning = item_codec.beginning(id)
  for part = 0, self.settings.partitions - 1 do
    local found
    found, err = each_entry(self, part, function(entry)
      return entry[2][4]:sub(1, #beginning) == beginning and entry
    end)
    if found then
      return queued(self, part, found)
    elseif found == nil then
      return nil, err
    end
  end
  return false
end

-- The cursor holds where each partition goes on.
function Redis:peek(cursor, limit)
  cursor = cursor or {}
  local args = { limit }
  for part = 0, self.settings.partitions - 1 do
    args[#args + 1] = tostring(part)
    args[#args + 1] = cursor[tostring(part)] or "0-0"
  end
  local reply, err = self:call("peek", args)
  if not reply then
    return nil, err
  end
  local rows = {}
  for i = 1, #reply, 4 do
    rows[#rows + 1] = { body = reply[i + 2], attempts = reply[i + 3] }
    cursor[reply[i]] = reply[i + 1]
  end
  return { rows = rows, cursor = cursor }
end

--- What happened since a look before.
---@param cursor string|false
---@return table|nil found steps, cursor
---@return flexhooks.Error? err
function Redis:follow(cursor)
  local reply, err = self:call("follow", { cursor or "", STEPS_AT_ONCE })
  if not reply then
    return nil, err
  end
  local steps = {}
  for i = 2, #reply, 5 do
    steps[#steps + 1] = { at = tonumber(reply[i]:match "^%d+") / 1000,
      state = reply[i + 1], id = reply[i + 2],
      type = reply[i + 3] ~= "" and reply[i + 3] or nil,
      interaction = reply[i + 4] ~= "" and reply[i + 4] or nil }
  end
  return { steps = steps, cursor = reply[1] }
end

function Redis:replay(id)
  local done, err = self:call("replay", { id })
  if done == -1 then
    return nil, self:failure("'" .. id .. "' is no event that a handler could "
      .. "take", { reason = "not_an_event" })
  end
  if done == nil then
    return nil, err
  end
  return done == 1
end

function Redis:discard(id)
  local done, err = self:call("discard", { id })
  if done == nil then
    return nil, err
  end
  return done == 1
end

function Redis:new_consumer(settings)
  return consumer.new(self, settings)
end

function Redis:close()
  if self.io then
    self.io:close()
    self.io = nil
  end
  self.closed = true
  return true
end

return M
