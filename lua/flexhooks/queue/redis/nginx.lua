--- The way to a Redis queue inside nginx: lua-resty-redis, which suspends the
-- light thread, over connections that a worker keeps.
--
-- It is `resty.redis` where OpenResty brought it, and `nginx.redis` in
-- Debian's package lua-nginx-redis.
-- @module flexhooks.queue.redis.nginx

local ascii = require "flexhooks.util.ascii"
local errors = require "flexhooks.error"
local redis_command = require "flexhooks.queue.redis.command"
local redis_errors = require "flexhooks.queue.redis.errors"
local shapes = require "flexhooks.queue.redis.shapes"

local M = {}

local Connection = { __name = "flexhooks.queue.redis.nginx" }
Connection.__index = Connection

local KEEP = 60000 -- ms that a connection may be idle
local KEPT = 32 -- connections that a worker keeps
local CONNECT_TIMEOUT = 3000 -- ms

local function driver()
  for _, name in ipairs { "resty.redis", "nginx.redis" } do
    local ok, module = pcall(require, name)
    if ok then
      return module
    end
  end
  return nil, errors.new("unsupported", "a Redis queue in nginx needs "
    .. "lua-resty-redis: opm get openresty/lua-resty-redis, or apt install "
    .. "lua-nginx-redis")
end

--- A way to Redis; nothing is opened before its first use.
---@param settings table as `flexhooks.queue.redis.connection` takes them
function M.new(settings)
  local address = settings.address
  return setmetatable({ address = address, name = settings.name,
    timeout = settings.timeout, shas = {},
    pool = ("flexhooks:%s:%d:%d:%s"):format(address.host, address.port,
      address.db, address.user or "") }, Connection)
end

local function failure(self, message, reason)
  return redis_errors.new(self.name, message, reason)
end

-- lua-resty-redis tells an error of Redis from one of the connection by false.
local function command_error(self, value, message)
  if value == nil then
    return failure(self, message, message == "timeout" and "timeout"
      or "reset")
  end
  return redis_errors.of_answer(self.name, message)
end

-- Nothing is false, as on our own connections.
local function plain(value)
  if value == ngx.null then
    return false
  elseif type(value) == "table" then
    for i = 1, #value do
      value[i] = plain(value[i])
    end
  end
  return value
end

local function expect_ok(self, value, message)
  if shapes.ok(value) then
    return true
  end
  return nil, not value and command_error(self, value, message)
    or redis_errors.of_shape(self.name)
end

local function greet(self, redis)
  local address = self.address
  if address.password then
    local secret = address.password:reveal()
    local greeted, err
    if address.user then
      greeted, err = expect_ok(self, redis:auth(address.user, secret))
    else
      greeted, err = expect_ok(self, redis:auth(secret))
    end
    if not greeted then
      return nil, err
    end
  end
  return expect_ok(self, redis:select(address.db))
end

local function connect(self)
  local module, missing = driver()
  if not module then
    return nil, missing
  end
  local redis = module:new()
  -- Of a method that it lacks, as set_timeouts in Debian's version, the
  -- library makes a command.
  redis:set_timeout(math.min(CONNECT_TIMEOUT, self.timeout * 1000))
  local ok, message = redis:connect(self.address.host, self.address.port,
    { pool = self.pool })
  if not ok then
    return nil, failure(self, message, "connect")
  end
  redis:set_timeout(self.timeout * 1000)
  if redis:get_reused_times() == 0 then
    local greeted, err = greet(self, redis)
    if not greeted then
      redis:close()
      return nil, err
    end
  end
  return redis
end

-- What the library returned; or nil, the error, and whether the connection is
-- still good for other commands.
local function checked(self, value, message, shape)
  if value == nil then
    return nil, command_error(self, value, message), false
  elseif value == false and message then
    local refusal = command_error(self, value, message)
    return nil, refusal, not redis_errors.is_demoted(refusal)
  end
  value = plain(value)
  if shape and not shape(value) then
    return nil, redis_errors.of_shape(self.name), false
  end
  return value, nil, true
end

local function run(self, arguments, shape)
  local redis, err = connect(self)
  if not redis then
    return nil, err
  end
  local name = ascii.lower(arguments[1])
  local answer, message = redis[name](redis, unpack(arguments, 2))
  local value, wrong, good = checked(self, answer, message, shape)
  if good then
    redis:set_keepalive(KEEP, KEPT)
  else
    redis:close()
  end
  return value, wrong
end

--- One command.
---@param arguments string[]
---@param shape function? of the reply, see `queue/redis_shapes`
---@param _ nil the time is that of the settings
---@param more string[]? arguments behind those
---@return any value nil of Redis is false
---@return flexhooks.Error? err as that of our own connections
function Connection:command(arguments, shape, _, more)
  for _, argument in ipairs(more or {}) do
    arguments[#arguments + 1] = argument
  end
  local ok, value, err = pcall(run, self, arguments, shape)
  if not ok then
    -- Sockets are not to be had in every phase of nginx.
    return nil, failure(self, tostring(value), "phase")
  end
  return value, err
end

Connection.call = redis_command.call

--- Nothing to close: idle connections are nginx's.
function Connection:close()
  return true
end

return M
