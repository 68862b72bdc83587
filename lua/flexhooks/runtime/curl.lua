--- The transport over libcurl: one connection pool, all requests at once.
--
-- Each transport has a pool of its own, so that no connection is ever shared
-- between two sets of credentials. The pool is made with the first request,
-- and again in a child process.
-- @module flexhooks.runtime.curl

local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local transport_error = require "flexhooks.runtime.transport_error"
local loop = require "flexhooks.runtime.loop"
local options = require "flexhooks.util.options"
local url = require "flexhooks.url"

local M = {}

-- The pool's own defaults are these as well; a request may set its own.
local OPTIONS = {
  proxy = { type = "string", check = url.proxy_complaint },
  ca_file = { type = "string" },
  timeout = { type = "number", min = 0.001, max = 86400, default = 30 },
  connect_timeout = { type = "number", min = 0.001, max = 86400,
    default = 10 },
  stall_timeout = { type = "number", min = 0, max = 86400 },
  max_response = { type = "integer", min = 0, max = 2 ^ 53,
    default = 4 * 1024 * 1024 },
  max_connections = { type = "integer", min = 1, max = 65536, default = 128 },
  private_addresses = { type = "boolean", default = true },
}

-- Closed requests kept for the next ones.
local MAX_SPARE = 64

---@class flexhooks.Transport
local Transport = { __name = "flexhooks.runtime.curl", takes_secrets = true,
  exact = true }
Transport.__index = Transport

--- A transport of its own connections.
---@param given table? `proxy` (URL), `ca_file` (PEM, instead of the system's),
-- `timeout` (30 s in all), `connect_timeout` (10 s),
-- `max_response` (bytes), `max_connections`, `stall_timeout` (seconds without
-- a byte), `private_addresses` (false: connects to public ones alone)
---@return flexhooks.Transport
function M.new(given)
  local checked = options.check("flexhooks.runtime.curl", OPTIONS, given)
  return setmetatable({ options = checked }, Transport)
end

-- --- the pool ------------------------------------------------------------

-- Stands for the event of a request that ended before it had one: a finalizer,
-- which may run anywhere, made a call of its own meanwhile.
local EARLY = {}

-- The state of one process: `waiting` maps a request to the event that tells
-- its end, or to false where nobody waits any more. It holds no reference to
-- the transport, and the loop holds it only while a request runs, so that an
-- idle transport can be collected.
local function new_state(settings)
  local pool, kind, message = core.pool(loop.poller(), settings)
  if not pool then
    return nil, errors.new(kind, message)
  end
  return { pid = core.pid(), pool = pool, waiting = {}, running = 0,
    spare = {}, spares = 0 }
end

local function state_of(transport)
  local state, err = transport.state, nil
  if not state or state.pid ~= core.pid() then
    state, err = new_state(transport.options)
    transport.state = state
  end
  return state, err
end

local function reap(state)
  local pool, waiting = state.pool, state.waiting
  local request = pool:next()
  while request do
    local event = waiting[request]
    if event == nil then
      waiting[request] = EARLY
    else
      waiting[request] = nil
      state.running = state.running - 1
      if event then
        event:set()
      else
        request:close()
      end
    end
    request = pool:next()
  end
  if state.running == 0 and state.source then
    state.source:remove()
    state.source = nil
  end
end

local function track(state, request, event)
  if state.waiting[request] == EARLY then
    state.waiting[request] = nil
    event:set()
    return
  end
  state.waiting[request] = event
  state.running = state.running + 1
  if not state.source then
    state.source = loop.add_source {
      run = function()
        reap(state)
      end,
    }
  end
end

-- --- a request -----------------------------------------------------------

local function take_spare(state)
  local spares = state.spares
  if spares > 0 then
    local handle = state.spare[spares]
    state.spare[spares], state.spares = nil, spares - 1
    return handle
  end
end

local function give_up(state, handle, err)
  handle:cancel()
  local _, _, _, sent = handle:result()
  state.waiting[handle] = false
  reap(state)
  return nil, err.kind, err.message, sent
end

-- Waits for the end of a request that was started.
local function finish(state, handle)
  local event = loop.event()
  track(state, handle, event)
  local _, err = event:wait()
  if err then
    return give_up(state, handle, err)
  end
  local status, headers, body, sent = handle:result()
  handle:close()
  local spares = state.spares
  if spares < MAX_SPARE then
    spares = spares + 1
    state.spare[spares], state.spares = handle, spares
  end
  return status, headers, body, sent
end

--- Sends one request and waits for its answer, whatever its status.
-- `authorization`, a secret, becomes the Authorization header.
---@param request table `method`, `url`, `headers` (name → value or list of
-- values), `body`, `authorization`, and any of the transport's own options but
-- `max_connections` for this request alone
---@return table? response `{ status, headers, body }`, names in lower case
---@return flexhooks.Error? err `err.sent` is false where nothing of the
-- request has left
function Transport:send(request)
  local state, err = state_of(self)
  if not state then
    return nil, err
  end
  local handle, kind, message = state.pool:start(request, take_spare(state))
  if not handle then
    return nil, transport_error.new(request, kind, message, false)
  end
  local status, headers, body, sent = finish(state, handle)
  if not status then
    return nil, transport_error.new(request, headers, body, sent)
  end
  return { status = status, headers = headers, body = body }
end

--- Ends what runs (kind `closed`) and closes the connections.
function Transport:close()
  local state = self.state
  self.state = nil
  if not state or state.pid ~= core.pid() then
    return
  end
  state.pool:close()
  for _, event in pairs(state.waiting) do
    if event and event ~= EARLY then
      event:set()
    end
  end
  if state.source then
    state.source:remove()
  end
end

Transport.__close = Transport.close

return M
