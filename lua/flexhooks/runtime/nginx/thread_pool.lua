--- The transport over nginx's threads: calls that do not block the worker.
--
-- A call runs in a thread of one of nginx's pools (`thread_pool` in
-- nginx.conf) through `ngx.run_worker_thread`. As many calls run at once as
-- the pool has threads; further ones wait their turn in the worker, because a
-- thread pool whose queue overflows takes the whole worker down with it.
-- @module flexhooks.runtime.nginx.thread_pool

local configuration = require "flexhooks.runtime.nginx.configuration"
local transport_error = require "flexhooks.runtime.transport_error"
local semaphores = require "flexhooks.runtime.nginx.semaphore"

local M = {}

-- A pool's permits are shared by all transports of the worker.
local permits_of = {} -- pool name -> permits

-- What else nginx says is of the one call.
local FIXES = {
  { "thread pool .* not found", "declare it in nginx.conf, outside of http{}: "
    .. "thread_pool %s threads=8;", true },
  { "no available Lua vm", "raise lua_worker_thread_vm_pool_size above the "
    .. "number of threads" },
}

local function thread_error(self, request, message)
  message = tostring(message)
  for _, fix in ipairs(FIXES) do
    if message:find(fix[1]) then
      local err = transport_error.new(request, "config",
        "outgoing calls need a thread pool: " .. message .. "; "
        .. fix[2]:format(self.thread_pool), false)
      return err, fix[3]
    end
  end
  return transport_error.new(request, "connect", "the call's thread failed: "
    .. message)
end

local function run(answered, self, plain)
  local ran, answer = ngx.run_worker_thread(self.thread_pool,
    "flexhooks.runtime.nginx.thread_worker", "send", plain)
  if not ran then
    answered:set(nil, thread_error(self, plain, answer))
  elseif answer.kind then
    answered:set(nil, transport_error.new(plain, answer.kind, answer.message,
      answer.sent))
  else
    answered:set(answer)
  end
end

local Transport = { __name = "flexhooks.runtime.nginx.thread_pool" }
Transport.__index = Transport

--- Sends one request; see the transport contract.
---@return table? answer
---@return flexhooks.Error? err
---@return boolean? missing there is no such pool, so nothing was tried
function Transport:send(request)
  if not ngx.run_worker_thread then
    return nil, transport_error.new(request, "unsupported",
      "this nginx cannot run Lua in a thread: lua-nginx-module 0.10.21 or "
      .. "newer is needed, in an nginx built --with-threads", false), true
  end
  local taken, left = self.permits:take(request.timeout)
  if not taken then
    return nil, transport_error.new(request, left.kind, left.message, false)
  end
  return self.permits:run(run, self, {
    method = request.method,
    url = request.url,
    headers = request.headers,
    body = request.body,
    timeout = left,
    connect_timeout = request.connect_timeout,
    max_response = request.max_response or self.max_response,
    proxy = self.proxy,
    ca_file = self.ca_file,
    private_addresses = self.private_addresses
      and request.private_addresses ~= false,
  })
end

--- Nothing is held here: threads keep their connections.
function Transport.close() end

--- Makes a transport.
---@param settings table `proxy`, `ca_file`, `max_response`,
-- `private_addresses`
function M.new(settings)
  local names = configuration.get()
  local pool = names.thread_pool
  permits_of[pool] = permits_of[pool] or semaphores.new(names.threads)
  return setmetatable({ permits = permits_of[pool], thread_pool = pool,
    proxy = settings.proxy, ca_file = settings.ca_file,
    max_response = settings.max_response,
    private_addresses = settings.private_addresses ~= false }, Transport)
end

return M
