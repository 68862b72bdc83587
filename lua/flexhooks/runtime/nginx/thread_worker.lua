--- The far side of nginx's transport: runs in a thread of nginx's pool.
--
-- A thread has a Lua VM of its own for the length of a call, taken from a
-- small cache; the poller and the pool of connections live in that VM, so
-- connections are kept from call to call. Only plain values come in and go
-- out, and `ngx` offers nothing that waits here.
-- @module flexhooks.runtime.nginx.thread_worker

local core = require "flexhooks.core"

local M = {}

local poller, pool

local function open()
  if not pool then
    poller = core.poller()
    pool = core.pool(poller, {})
  end
  return pool
end

--- Sends one request and waits for its answer.
---@param request table what `pool:start` takes; `authorization` a plain string
---@return table answer { status, headers, body } or { kind, message, sent }
function M.send(request)
  local connections = open()
  request.authorization = request.authorization
    and core.secret(request.authorization)
  local transfer, kind, message = connections:start(request)
  if not transfer then
    return { kind = kind, message = message, sent = false }
  end
  while not connections:next() do
    poller:wait()
  end
  local status, headers, body, sent = transfer:result()
  transfer:close()
  if not status then
    return { kind = headers, message = body, sent = sent }
  end
  return { status = status, headers = headers, body = body }
end

return M
