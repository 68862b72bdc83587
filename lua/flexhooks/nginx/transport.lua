--- The transport inside nginx: calls that do not block the worker.
--
-- A call runs in a thread of one of nginx's pools (`thread_pool` in
-- nginx.conf) through `ngx.run_worker_thread`. As many calls run at once as
-- the pool has threads; further ones wait their turn in the worker, because a
-- thread pool whose queue overflows takes the whole worker down with it.
-- @module flexhooks.nginx.transport

local semaphore = require "ngx.semaphore"

local configuration = require "flexhooks.nginx.configuration"
local errors = require "flexhooks.error"
local host = require "flexhooks.nginx.host"
local options = require "flexhooks.options"

local M = {}

local SPEC = {
  proxy = { type = "string" },
  ca_file = { type = "string" },
  max_response = { type = "integer", min = 1, default = 4 * 1024 * 1024 },
  max_connections = { type = "integer", min = 1 },
}

-- A pool's permits are shared by all transports of the worker.
local permits = {} -- pool name -> semaphore

local FIXES = {
  { "thread pool .* not found", "declare it in nginx.conf, outside of http{}: "
    .. "thread_pool default threads=8;" },
  { "no available Lua vm", "raise lua_worker_thread_vm_pool_size above the "
    .. "number of threads" },
}

local function thread_error(message)
  message = tostring(message)
  for _, fix in ipairs(FIXES) do
    if message:find(fix[1]) then
      return errors.new("config", "outgoing calls need a thread pool: "
        .. message .. "; " .. fix[2])
    end
  end
  return errors.new("connect", "the call's thread failed: " .. message)
end

local function answer_of(answer)
  if answer.kind then
    return nil, errors.new(answer.kind, answer.message,
      { sent = answer.sent })
  end
  return answer
end

local function run(self, plain, answered)
  local ran, answer = ngx.run_worker_thread(self.thread_pool,
    "flexhooks.nginx.thread", "send", plain)
  self.permits:post(1)
  if ran then
    answered:set(answer_of(answer))
  else
    answered:set(nil, thread_error(answer))
  end
end

local Transport = { __name = "flexhooks.nginx.transport" }
Transport.__index = Transport

local function header_lines(headers)
  local lines = {}
  for name, value in pairs(headers or {}) do
    lines[#lines + 1] = name .. ": " .. value
  end
  return lines
end

-- Waiting for a permit counts towards the call's own time.
local function take_permit(self, timeout)
  local started = host.clock()
  local permit, err = host.wait_for(self.permits, timeout)
  if not permit then
    return nil, err
  end
  return timeout and math.max(0.001, timeout - (host.clock() - started))
end

--- Sends one request; see the transport contract.
function Transport:send(request)
  if not ngx.run_worker_thread then
    return nil, errors.new("unsupported", "this nginx cannot run Lua in a "
      .. "thread: lua-nginx-module 0.10.21 or newer is needed, in an nginx "
      .. "built --with-threads")
  end
  local timeout, err = take_permit(self, request.timeout)
  if err then
    return nil, err
  end
  local answered = host.event()
  host.detach(run, self, {
    method = request.method,
    url = request.url,
    headers = header_lines(request.headers),
    body = request.body,
    timeout = timeout,
    connect_timeout = request.connect_timeout,
    max_response = self.max_response,
    proxy = self.proxy,
    ca_file = self.ca_file,
  }, answered)
  return answered:wait()
end

--- Nothing is held here: threads keep their connections.
function Transport.close() end

local function pool_permits()
  local names = configuration.get()
  local pool = names.thread_pool
  permits[pool] = permits[pool] or semaphore.new(names.threads)
  return permits[pool], pool
end

--- Makes a transport.
---@param given table? proxy, ca_file, max_response, max_connections
function M.new(given)
  local self = options.check("nginx transport", SPEC, given)
  self.permits, self.thread_pool = pool_permits()
  return setmetatable(self, Transport)
end

return M
