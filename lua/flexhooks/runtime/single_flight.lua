--- One run for all who ask at the same time.
--
-- The first caller runs the function; whoever asks meanwhile waits for its
-- outcome, and they leave in the order in which they came. Where the first
-- caller was cancelled, its deadline passed or the function raised, one of
-- those who wait takes over: its end is not theirs.
-- @module flexhooks.runtime.single_flight

local runtime = require "flexhooks.runtime.current"

local M = {}

local Flight = { __name = "flexhooks.runtime.single_flight" }
Flight.__index = Flight

--- Makes one that has not run.
---@return table
function M.new()
  return setmetatable({}, Flight)
end

-- Did the caller give up, rather than the function fail?
local function gave_up(err)
  if err.kind == "timeout" then
    local remaining = runtime.remaining()
    return remaining ~= nil and remaining <= 0
  end
  return err.kind == "cancelled"
end

local function run(self, f)
  -- With all its fields, so that landing takes no memory.
  local landing = { event = runtime.event(), value = false, err = false,
    left = true }
  self.pending = landing
  local ok, value, err = pcall(f)
  self.pending = nil
  landing.value, landing.err = ok and value or nil, err
  landing.left = not ok or value == nil and err ~= nil and gave_up(err)
  landing.event:set(true)
  if not ok then
    error(value, 0)
  end
  return value, err
end

--- The outcome of `f`: awaited from another task, or run now.
---@param f fun(): any, flexhooks.Error?
---@return any value
---@return flexhooks.Error? err
function Flight:share(f)
  while self.pending do
    local pending = self.pending
    local ok, err = pending.event:wait()
    if not ok then
      return nil, err
    elseif not pending.left then
      return pending.value, pending.err
    end
  end
  return run(self, f)
end

--- The same, but a value is kept until `forget`; a failure is not.
---@param f fun(): any, flexhooks.Error?
---@return any value
---@return flexhooks.Error? err
function Flight:keep(f)
  if self.value ~= nil then
    return self.value
  end
  return self:share(function()
    local value, err = f()
    self.value = value
    return value, err
  end)
end

--- Forgets the kept value.
function Flight:forget()
  self.value = nil
end

return M
