--- How many calls may be on their way at once; further ones wait their turn.
--
-- A call runs in a timer: nginx ends the light threads of a request without a
-- word when it is over, and with them would go what they hold.
-- @module flexhooks.runtime.nginx.semaphore

local semaphore = require "ngx.semaphore"

local errors = require "flexhooks.error"
local runtime = require "flexhooks.runtime.nginx.runtime"

local M = {}

---@class flexhooks.nginx.Permits
local Permits = { __name = "flexhooks.runtime.nginx.semaphore" }
Permits.__index = Permits

--- As many permits as `count`.
---@param count integer
---@return flexhooks.nginx.Permits
function M.new(count)
  return setmetatable({ semaphore = assert(semaphore.new(count)) }, Permits)
end

--- Waits for a permit, under the caller's deadline too; `run` gives it back.
---@param timeout number? seconds
---@return boolean taken
---@return number|flexhooks.Error|nil left of the timeout, nil where it is
-- endless; or why there is no permit
function Permits:take(timeout)
  local started = runtime.clock()
  local taken, err = runtime.wait_for(self.semaphore, timeout)
  if not taken then
    return false, err
  end
  return true,
    timeout and math.max(0.001, timeout - (runtime.clock() - started))
end

local function give(permits)
  permits.semaphore:post(1)
end

local function body(permits, job, f, ...)
  if job.dropped then
    return
  end
  job.begun = true
  local ok, raised = pcall(f, job.answered, ...)
  if not ok then
    job.answered:set(nil, errors.new("reset", tostring(raised)))
  end
  give(permits)
end

-- Seconds within which a timer that is due has begun: in the same turn of
-- nginx's loop as a later one, which is what waits for it, at the latest.
local BEGIN = 0.1

-- nginx forgets a timer where too many run; only its log says so.
local function forgotten(err)
  local left = runtime.remaining()
  if err.kind ~= "timeout" or left and left <= 0 then
    return err
  end
  return errors.new("unsupported", "nginx did not start the timer of a call: "
    .. "raise lua_max_running_timers in nginx.conf")
end

--- With a permit that was taken, runs `f(answered, …)` in a timer and waits
-- until it has set that event, or the caller's time is over; then it is set.
-- The permit is given back when f has ended.
---@param f function
---@return any ... what the event was set to, or nil, err
function Permits:run(f, ...)
  local job = { answered = runtime.event() }
  local ok, err = pcall(runtime.detach, body, self, job, f, ...)
  if not ok then
    give(self)
    return nil, err
  end
  local answered = job.answered
  err = select(2, answered:wait(BEGIN))
  if not answered:is_set() and not job.begun then
    job.dropped = true
    give(self)
    return nil, forgotten(err)
  elseif not answered:is_set() then
    err = select(2, answered:wait())
    answered:set(nil, err)
  end
  return answered:wait()
end

return M
