--- How many calls may be on their way at once; further ones wait their turn.
-- @module flexhooks.nginx.permits

local semaphore = require "ngx.semaphore"

local host = require "flexhooks.nginx.host"

local M = {}

---@class flexhooks.nginx.Permits
local Permits = { __name = "flexhooks.nginx.permits" }
Permits.__index = Permits

--- As many permits as `count`.
---@param count integer
---@return flexhooks.nginx.Permits
function M.new(count)
  return setmetatable({ semaphore = semaphore.new(count) }, Permits)
end

--- Waits for a permit, under the caller's deadline too. Whoever gives it back
-- must run in a timer: nginx ends a request's light threads without a word.
---@param timeout number? seconds
---@return boolean taken
---@return number|flexhooks.Error|nil left of the timeout, nil where it is
-- endless; or why there is no permit
function Permits:take(timeout)
  local started = host.clock()
  local taken, err = host.wait_for(self.semaphore, timeout)
  if not taken then
    return false, err
  end
  return true,
    timeout and math.max(0.001, timeout - (host.clock() - started))
end

--- Gives a permit back.
function Permits:give()
  self.semaphore:post(1)
end

return M
