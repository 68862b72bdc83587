--- One run for all who ask at the same time.
--
-- The first caller runs the function; whoever asks meanwhile waits for its
-- outcome. A success is kept until `forget`; a failure is not. Where the first
-- caller was cancelled or its deadline passed, one of those who wait takes
-- over: its end is not theirs.
-- @module flexhooks.session.flight

local host = require "flexhooks.host"

local M = {}

local Flight = { __name = "flexhooks.flight" }
Flight.__index = Flight

--- Makes one that has not run.
---@return table
function M.new()
  return setmetatable({}, Flight)
end

-- Did the caller give up, rather than the function fail?
local function gave_up(err)
  if err.kind == "timeout" then
    local remaining = host.remaining()
    return remaining ~= nil and remaining <= 0
  end
  return err.kind == "cancelled"
end

local function run(self, f)
  local landing = { event = host.event() }
  self.pending = landing
  local ok, value, err = pcall(f)
  self.pending = nil
  if ok and value ~= nil then
    self.value = value
  end
  landing.value, landing.err = ok and value or nil, err
  landing.left = not ok or value == nil and gave_up(err)
  landing.event:set(true)
  if not ok then
    error(value, 0)
  end
  return value, err
end

--- The value of `f`: kept from before, awaited from another task, or run now.
---@param f fun(): any, flexhooks.Error?
---@return any value
---@return flexhooks.Error? err
function Flight:run(f)
  while self.value == nil do
    local pending = self.pending
    if not pending then
      return run(self, f)
    end
    local ok, err = pending.event:wait()
    if not ok then
      return nil, err
    end
    if pending.err and not pending.left then
      return nil, pending.err
    end
  end
  return self.value
end

--- Forgets the kept value.
function Flight:forget()
  self.value = nil
end

return M
