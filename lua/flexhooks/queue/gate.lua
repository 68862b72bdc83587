--- Something that is done once for all who ask for it meanwhile, and that they
-- leave in the order in which they came.
-- @module flexhooks.queue.gate

local host = require "flexhooks.host"

local M = {}

local Gate = { __name = "flexhooks.queue.gate" }
Gate.__index = Gate

--- A gate that nobody is passing.
function M.new()
  return setmetatable({}, Gate)
end

local function leave(waiters, ...)
  for _, event in ipairs(waiters) do
    event:set(...)
  end
end

--- Calls f, or waits for the call that is under way. Its failure is that of
-- all who waited; but where its caller was cancelled, the next one calls
-- again.
---@param f function returns true, or nil and an error
---@return true|nil ok
---@return flexhooks.Error? err
function Gate:pass(f)
  while self.waiters do
    local event = host.event()
    self.waiters[#self.waiters + 1] = event
    local ok, err = event:wait()
    if ok ~= "again" then
      return ok, err
    end
  end
  self.waiters = {}
  local ok, err = f()
  local waiters = self.waiters
  self.waiters = nil
  if not ok and err.kind == "cancelled" then
    leave(waiters, "again")
  else
    leave(waiters, ok, err)
  end
  return ok, err
end

return M
