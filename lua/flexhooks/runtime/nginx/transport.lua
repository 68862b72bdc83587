--- The transport inside nginx: calls that do not block the worker.
--
-- A call goes out from a thread of nginx
-- (`flexhooks.runtime.nginx.thread_pool`) or through lua-resty-http
-- (`flexhooks.runtime.nginx.resty`). Threads come first, because the transport
-- of the other hosts runs there: with HTTP/2, the system's authorities and
-- resolver, and nothing to configure but the pool. The first call chooses,
-- because only a phase that can make a call can tell which one works.
-- @module flexhooks.runtime.nginx.transport

local configuration = require "flexhooks.runtime.nginx.configuration"
local transport_error = require "flexhooks.runtime.transport_error"
local options = require "flexhooks.util.options"
local resty = require "flexhooks.runtime.nginx.resty"
local thread_pool = require "flexhooks.runtime.nginx.thread_pool"

local M = {}

local SPEC = {
  proxy = { type = "string" },
  ca_file = { type = "string" },
  max_response = { type = "integer", min = 1, max = 2 ^ 53,
    default = 4 * 1024 * 1024 },
  max_connections = { type = "integer", min = 1, max = 65536 },
  private_addresses = { type = "boolean", default = true },
}

local Transport = { __name = "flexhooks.runtime.nginx.transport" }
Transport.__index = Transport

local function refused(request, err)
  return nil, transport_error.new(request, err.kind, err.message, false)
end

local function by_resty(self, request)
  if not self.resty then
    local made, err = resty.new(self.settings)
    if not made then
      return refused(request, err)
    end
    self.resty = made
  end
  return self.resty:send(request)
end

local function by_thread(self, request)
  self.threads = self.threads or thread_pool.new(self.settings)
  return self.threads:send(request)
end

-- Threads where the pool is there, else lua-resty-http where it is.
local function by_either(self, request)
  local answer, err, missing = by_thread(self, request)
  if not missing then
    return answer, err
  end
  local library, why = resty.library()
  if not library then
    return refused(request, { kind = "config", message = err.message
      .. "; or install lua-resty-http (opm get ledgetech/lua-resty-http), "
      .. "which cannot be used either: " .. why })
  end
  self.way = by_resty
  return by_resty(self, request)
end

local WAYS = { auto = by_either, thread = by_thread, resty = by_resty }

--- Sends one request; see the transport contract.
function Transport:send(request)
  self.way = self.way or WAYS[configuration.get().transport]
  local answer, err = self.way(self, request)
  return answer, err
end

--- Connections that idle are closed by what keeps them.
function Transport.close() end

--- Makes a transport.
---@param given table? proxy, ca_file, max_response, max_connections,
-- private_addresses
function M.new(given)
  local settings = options.check("nginx transport", SPEC, given)
  return setmetatable({ settings = settings }, Transport)
end

return M
