--- Our own way to Redis: one connection under the loop, commands of a turn
-- sent together, replies handed to who asked in their order.
--
-- It connects when first used, and again after it was lost. What had been sent
-- then gets an error, not a second try: whether Redis did it is not known
-- here, only by who can tell whether doing it twice matters.
--
-- Answers have no number: each goes to the waiter that is first in line. So a
-- waiter has its place before its command is appended, and an answer that
-- cannot be taken for want of memory ends the connection.
-- @module flexhooks.queue.redis.connection

local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local single_flight = require "flexhooks.runtime.single_flight"
local runtime = require "flexhooks.runtime.current"
local redis_command = require "flexhooks.queue.redis.command"
local redis_errors = require "flexhooks.queue.redis.errors"
local store_requests = require "flexhooks.queue.store_request"
local shapes = require "flexhooks.queue.redis.shapes"

local M = {}

local Connection = { __name = "flexhooks.queue.redis.connection" }
Connection.__index = Connection

local WEAK = { __mode = "v" }

local CONNECT_TIMEOUT = 3

---@param settings table address { host, port, db, user, password (a secret) },
-- timeout (seconds for one answer), name (for messages)
function M.new(settings)
  return setmetatable({ address = settings.address, name = settings.name,
    timeout = settings.timeout, shas = {}, opening = single_flight.new(),
    no_memory = redis_errors.new(settings.name, "not enough memory",
      "queue") }, Connection)
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
  return redis_errors.new(self.name, message, reason)
end

-- Gives a waiter its answer, and never raises: others are next.
local function settle(waiter, value, err)
  if waiter.answered then
    local ok, raised = pcall(waiter.answered, value, err)
    if not ok then
      store_requests.report(raised)
    end
    return
  end
  waiter.value, waiter.err, waiter.done = value, err, true
  waiter.event:set()
end

-- What waits for an answer: a task, or a function where that is given.
local function new_waiter(shape, answered, due)
  return { shape = shape, answered = answered or false, due = due or false,
    event = not answered and runtime.event(), value = false, err = false,
    done = false }
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
  if redis_errors.is_demoted(err) then
    self:drop(err)
  end
end

-- Answers may have been mixed up: no later one is given to its waiter.
function Connection:distrust(waiter)
  local err = redis_errors.of_shape(self.name)
  settle(waiter, nil, err)
  self:drop(err)
end

-- Gives an answer to the first waiter.
function Connection:take_reply(ok, value)
  local waiting = self.waiting
  if waiting.first > waiting.last then
    return self:drop(self:failure("a reply that nobody asked for",
      "protocol"))
  end
  local err = not ok and redis_errors.of_answer(self.name, value)
  local waiter = waiting[waiting.first]
  waiting[waiting.first] = nil
  waiting.first = waiting.first + 1
  if err then
    self:refuse(waiter, err)
  elseif waiter.shape and not waiter.shape(value) then
    self:distrust(waiter)
  else
    settle(waiter, value)
  end
end

-- Takes all answers that are there. Returns the error that ended that.
function Connection:take_all()
  while self.handle do
    local ok, value, message = self.handle:next()
    if ok == nil then
      return value and self:failure(message, value)
    end
    self:take_reply(ok, value)
  end
end

function Connection:take_replies()
  local err = self:take_all()
  if err then
    self:drop(err)
  end
end

-- Where that raises, an answer may be gone, and all behind it would have the
-- wrong waiters.
function Connection:work_or_drop()
  local ok, raised = pcall(self.work, self)
  if not ok then
    local made, err = pcall(self.failure, self, tostring(raised), "queue")
    self:drop(made and err or self.no_memory)
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
    local ok, raised = pcall(self.source.watch, self.source, interest)
    if not ok then
      return self:drop(self:failure(tostring(raised), "queue"))
    end
    self.interest = interest
  end
end

function Connection:is_waited_for()
  local waiting = self.waiting
  return waiting ~= nil and waiting.first <= waiting.last
end

-- Seconds until the next answer to what was posted must be there.
function Connection:left()
  local due = self:is_waited_for() and self.waiting[self.waiting.first].due
  return due and math.max(0, due - runtime.clock()) or nil
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
  source = runtime.add_source {
    fd = handle:fd(), interest = "rw",
    timeout = function()
      local connection = owned.connection
      return connection
        and (connection.more and 0 or connection:left()) or nil
    end,
    run = function()
      local connection = owned.connection
      if connection then
        connection:work_or_drop()
        anchor.waited = connection:is_waited_for() and connection or nil
      else
        source:remove()
        handle:close()
      end
    end,
  }
  return source, anchor
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
  local waiting = { first = 1, last = 0 }
  local source, anchor = watch(self, handle)
  self.handle, self.interest, self.more = handle, "rw", false
  self.waiting, self.source, self.anchor = waiting, source, anchor
  return true
end

-- Appends a command, whose answer the waiter will get.
function Connection:send(waiter, arguments, more)
  if not self.handle then
    return nil, self.lost
  elseif not self.unsent then
    runtime.at_turn_end(self.flush, self)
    self.unsent = true
  end
  local waiting = self.waiting
  local place = waiting.last + 1
  waiting[place] = waiter
  local ok, kind, message = self.handle:append(arguments, more)
  if not ok then
    waiting[place] = nil
    return nil, self:failure(message, kind)
  end
  waiting.last = place
  self.anchor.waited = self
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
  local left = runtime.remaining()
  return left ~= nil and left <= 0
end

function Connection:await(waiter, timeout)
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
    local waiter, err = self:send(new_waiter(shapes.ok), command)
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
  if self.handle then -- greeting it has failed half way
    self:drop(self.no_memory)
  end
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
  waiter, err = self:send(new_waiter(shape), arguments, more)
  if not waiter then
    return nil, err
  end
  return self:await(waiter, timeout or self.timeout)
end

Connection.call = redis_command.call

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
  local waiter = new_waiter(shape, answered, runtime.clock() + self.timeout)
  return self:send(waiter, redis_command.command("EVALSHA", sha, keys), args)
    ~= nil
end

function Connection:close()
  self.closed = true
  self:drop(errors.new("closed", self.name .. ": the connection is closed"))
end

return M
