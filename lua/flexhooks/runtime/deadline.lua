--- Deadlines and cancellations of whatever waits.
--
-- A holder is a task, or what stands for the code outside of tasks. Its
-- `scope` is the deadline that was entered last; the nearest of those around
-- it is its owner. A wait that is cut returns an error, and raises it once it
-- was disregarded too often.
-- @module flexhooks.runtime.deadline

local core = require "flexhooks.core"
local errors = require "flexhooks.error"

local clock = core.clock

local M = {}

-- Interrupted waits that a holder may disregard before it is unwound.
local PATIENCE = 100

-- The scope that was left last is entered next: every event has one. Not so
-- where a task was started under it, which may outlive it, or where it is not
-- as it was made.
local spare

local function interruption(counted, kind, message)
  local err = errors.new(kind, message)
  counted.disregarded = (counted.disregarded or 0) + 1
  if counted.disregarded > PATIENCE then
    error(err, 0)
  end
  return err
end

--- The deadline of this scope has cut a wait.
---@param scope table
---@return flexhooks.Error
function M.expire(scope)
  local owner = scope.owner
  owner.expired = true
  return interruption(owner, "timeout", "the deadline has passed")
end

--- Why a holder may not wait any more: it was cancelled, or its deadline has
-- passed.
---@param holder table
---@return flexhooks.Error?
function M.interrupted(holder)
  if holder.cancelled then
    return interruption(holder, "cancelled", "the task was cancelled")
  end
  local scope = holder.scope
  if scope and (scope.owner.expired or scope.due <= clock()) then
    return M.expire(scope)
  end
end

--- Keeps a scope, and those around it, for a task that may outlive them.
---@param scope table?
function M.keep(scope)
  while scope do
    scope.kept = true
    scope = scope.parent
  end
end

--- From here on, no call of this holder waits beyond `deadline`.
---@param holder table
---@param deadline number of the monotonic clock
---@return table scope for `leave`
function M.enter(holder, deadline)
  local scope = spare
  if scope then
    spare = nil
  else
    scope = { due = 0, parent = nil, holder = nil, owner = nil,
      expired = false, disregarded = 0, kept = false }
    scope.owner = scope
  end
  local parent = holder.scope
  scope.due, scope.holder = deadline, holder
  if parent then
    scope.parent = parent
    if parent.due <= deadline then
      scope.due, scope.owner = parent.due, parent.owner
    end
  end
  holder.scope = scope
  return scope
end

--- Ends the deadline; tells whether it cut a wait.
---@param scope table
---@return boolean expired
function M.leave(scope)
  local holder, parent, expired = scope.holder, scope.parent, scope.expired
  holder.scope = parent
  if not (parent or expired or scope.kept) then
    scope.holder = nil
    spare = scope
  end
  return expired
end

return M
