--- Runs a function soon, once for all who ask until then.
--
-- nginx refuses a timer when the worker stops or too many are pending, and it
-- forgets one that is due while too many run. In both cases the function is
-- run by the caller.
-- @module flexhooks.runtime.nginx.later

local M = {}

local LATE = 1 -- seconds after which a timer that is due was forgotten

---@class flexhooks.nginx.Later
---@field due number? when the timer runs that is pending
local Later = { __name = "flexhooks.runtime.nginx.later" }
Later.__index = Later

local function run(_, self)
  self.due = nil
  self.f(self.a)
end

--- Sees to it that the function runs.
function Later:schedule()
  local now, due = ngx.now(), self.due
  if due and now < due + LATE then
    return
  end
  self.due = ngx.timer.at(self.interval, run, self) and now + self.interval
    or nil
  if due or not self.due then
    self.f(self.a)
  end
end

--- Makes one of a function.
---@param interval number seconds until it runs
---@param f fun(a: any) must not raise
---@param a any its argument
---@return flexhooks.nginx.Later
function M.new(interval, f, a)
  return setmetatable({ interval = interval, f = f, a = a, due = nil }, Later)
end

return M
