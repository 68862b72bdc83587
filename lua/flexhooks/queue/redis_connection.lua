--- Our own way to Redis: one connection under the loop, commands of a turn
-- sent together, replies handed to who asked in their order.
--
-- It connects when first used, and again after it was lost. What had been sent
-- then gets an error, not a second try: whether Redis did it is not known
-- here, only by who can tell whether doing it twice matters.
-- @module flexhooks.queue.redis_connection

local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local flight = require "flexhooks.flight"
local host = require "flexhooks.host"
local redis_call = require "flexhooks.queue.redis_call"
local redis_error = require "flexhooks.queue.redis_error"
local shapes = require "flexhooks.queue.redis_shapes"

local M = {}

local Connection = { __name = "flexhooks.queue.redis_connection" }
Connection.__index = Connection

local WEAK = { __mode = "v" }

local CONNECT_TIMEOUT = 3

---@param settings table address { host, port, db, user, password (a secret) },
-- timeout (seconds for one answer), name (for messages)
function M.new(settings)
  return setmetatable({ address = settings.address, name = settings.name,
    timeout = settings.timeout, shas = {}, opening = flight.new() },
    Connection)
end

local function core_redis()
  local ok, redis = pcall(require, "flexhooks.core.redis")
  if not ok then
    return nil, errors.new("unsupported", "flexhooks was built without "
      .. "hiredis: install libhiredis-dev and build it again")
  end
  return redis
end

function Connection:failure(message, reason)
  return redis_error.new(self.name, message, reason)
end

local function settle(waiter, value, err)
  if waiter.answered then
    return waiter.answered(value, err)
  end
  waiter.value, waiter.err, waiter.done = value, err, true
  waiter.event:set()
end

-- The connection is over; everybody who waits for an answer is told.
function Connection:drop(err)
  self.lost = err
  if self.source then
    self.source:remove()
    self.source = nil
  end
  if self.handle then
    self.handle:close()
    self.handle, self.greeted = nil, false
  end
  local waiting = self.waiting or {}
  self.waiting = nil
  for i = waiting.first or 1, waiting.last or 0 do
    settle(waiting[i], nil, err)
  end
end

function Connection:refuse(waiter, err)
  settle(waiter, nil, err)
  if redis_error.is_demoted(err) then
    self:drop(err)
  end
end

-- Answers may have been mixed up: no later one is given to its waiter.
function Connection:distrust(waiter)
  local err = redis_error.of_shape(self.name)
  settle(waiter, nil, err)
  self:drop(err)
end

function Connection:take_replies()
  while self.handle do
    local ok, value, message = self.handle:next()
    if ok == nil then
      if value then
        self:drop(self:failure(message, value))
      end
      return
    end
    local waiting = self.waiting
    if waiting.first > waiting.last then
      return self:drop(self:failure("a reply that nobody asked for",
        "protocol"))
    end
    local waiter = waiting[waiting.first]
    waiting[waiting.first] = nil
    waiting.first = waiting.first + 1
    if not ok then
      self:refuse(waiter, redis_error.of_answer(self.name, value))
    elseif waiter.shape and not waiter.shape(value) then
      self:distrust(waiter)
    else
      settle(waiter, value)
    end
  end
end

-- Sends what has gathered, as far as the socket takes it.
function Connection:flush()
  self.unsent = false
  if not self.handle then
    return
  end
  local flushed, kind, message = self.handle:flush()
  if flushed == nil then
    return self:drop(self:failure(message, kind))
  end
  local interest = flushed and "r" or "rw"
  if interest ~= self.interest then
    self.interest = interest
    self.source:watch(interest)
  end
end

-- Seconds until the next answer to what was posted must be there.
function Connection:left()
  local waiting = self.waiting
  local waiter = waiting[waiting.first]
  return waiter and waiter.due and math.max(0, waiter.due - host.clock())
end

function Connection:is_waited_for()
  local waiting = self.waiting
  return waiting ~= nil and waiting.first <= waiting.last
end

-- After every wait of the loop: what came before the connection ended is taken
-- before its end.
function Connection:work()
  local read, kind, message = self.handle:read()
  self.more = read == false
  self:take_replies()
  if not self.handle then
    return
  elseif read == nil then
    self:drop(self:failure(message, kind))
  elseif self:left() == 0 then
    self:overdue(self.timeout)
  elseif self.interest == "rw" then
    self:flush()
  end
end

-- The loop would keep for ever what nobody else has any more. So its source
-- holds the connection only while somebody waits for an answer, and the socket
-- itself, which must not be closed before the loop has let go of it.
local function watch(self, handle)
  local owned = setmetatable({ connection = self }, WEAK)
  local anchor = { waited = self }
  local source
  source = host.add_source {
    fd = handle:fd(), interest = "rw",
    timeout = function()
      local connection = owned.connection
      return connection
        and (connection.more and 0 or connection:left()) or nil
    end,
    run = function()
      local connection = owned.connection
      if connection then
        connection:work()
        anchor.waited = connection:is_waited_for() and connection or nil
      else
        source:remove()
        handle:close()
      end
    end,
  }
  self.anchor = anchor
  return source
end

function Connection:attach()
  local redis, err = core_redis()
  if not redis then
    return nil, err
  end
  local handle, kind, message = redis.new(self.address.host, self.address.port)
  if not handle then
    return nil, self:failure(message, kind)
  end
  self.handle, self.interest, self.more = handle, "rw", false
  self.waiting = { first = 1, last = 0 }
  self.source = watch(self, handle)
  return true
end

-- Appends a command; its answer comes to the waiter that is returned, which is
-- to get an `event` or a function `answered`.
function Connection:send(arguments, shape, more)
  if not self.handle then
    return nil, self.lost
  end
  local ok, kind, message = self.handle:append(arguments, more)
  if not ok then
    return nil, self:failure(message, kind)
  end
  local waiting = self.waiting
  local waiter = { shape = shape }
  waiting.last = waiting.last + 1
  waiting[waiting.last] = waiter
  self.anchor.waited = self
  if not self.unsent then
    self.unsent = true
    host.at_turn_end(self.flush, self)
  end
  return waiter
end

-- An answer that does not come ends the connection: the ones behind it would
-- not come either, and a late one would be taken for another's.
function Connection:overdue(timeout)
  self:drop(self:failure("no answer within " .. timeout .. " s", "timeout"))
end

-- Was the wait cut for the caller's sake? A handler's time may be over while
-- Redis has some left.
local function is_cut()
  local left = host.remaining()
  return left ~= nil and left <= 0
end

function Connection:await(waiter, timeout)
  waiter.event = host.event()
  local woken, why = waiter.event:wait(timeout)
  if waiter.done then
    return waiter.value, waiter.err
  end
  if not woken and why.kind == "timeout" and self.handle and not is_cut() then
    self:overdue(timeout)
    return nil, waiter.err
  end
  return nil, why
end

function Connection:greet()
  local address = self.address
  local commands = { { "SELECT", tostring(address.db) } }
  if address.password then
    local secret = address.password:reveal()
    table.insert(commands, 1, address.user
      and { "AUTH", address.user, secret } or { "AUTH", secret })
  end
  for _, command in ipairs(commands) do
    local waiter, err = self:send(command, shapes.ok)
    local value
    if waiter then
      value, err = self:await(waiter,
        math.min(CONNECT_TIMEOUT, self.timeout))
    end
    if not value then
      self:drop(err)
      return nil, err
    end
  end
  return true
end

function Connection:open()
  local ok, err = self:attach()
  if ok then
    ok, err = self:greet()
  end
  self.greeted = ok
  if ok and not self.handle then
    return nil, self.lost
  end
  return ok, err
end

-- Connected and greeted, once for all who ask at the same time.
function Connection:ready()
  if self.closed then
    return nil, errors.new("closed", self.name .. ": the connection is closed")
  end
  local pid = core.pid()
  if self.handle and self.pid ~= pid then
    return nil, self:failure("opened in another process; make the queue after "
      .. "the fork", "forked")
  elseif self.handle and self.greeted then
    return true
  end
  self.pid = pid
  return self.opening:share(function()
    return self:open()
  end)
end

--- One command.
---@param arguments string[]
---@param shape function? of the reply, see `redis_shapes`; any where absent
---@param timeout number? seconds
---@param more string[]? arguments behind those
---@return any value nil of Redis is false
---@return flexhooks.Error? err `reason` is the first word of Redis's error in
-- lower case, or what happened to the connection
function Connection:command(arguments, shape, timeout, more)
  local ok, err = self:ready()
  if not ok then
    return nil, err
  end
  local waiter
  waiter, err = self:send(arguments, shape, more)
  if not waiter then
    return nil, err
  end
  return self:await(waiter, timeout or self.timeout)
end

Connection.call = redis_call.call

--- A script that has run before, without waiting for it.
---@param script string
---@param keys string[]
---@param args string[]
---@param shape function of the reply
---@param answered fun(value: any, err: flexhooks.Error?) called once
---@return boolean posted false where `call` would have to wait first, or fail
function Connection:post(script, keys, args, shape, answered)
  local sha = self.shas[script]
  if not sha or not self.greeted or self.pid ~= core.pid() then
    return false
  end
  local waiter = self:send(redis_call.command("EVALSHA", sha, keys), shape,
    args)
  if not waiter then
    return false
  end
  waiter.answered, waiter.due = answered, host.clock() + self.timeout
  return true
end

function Connection:close()
  self.closed = true
  self:drop(errors.new("closed", self.name .. ": the connection is closed"))
end

return M
