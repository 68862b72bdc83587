--- What tasks raised, and the failures that nobody has asked about.
-- @module flexhooks.runtime.task_error

local core = require "flexhooks.core"
local log = require "flexhooks.log"

local M = {}

-- Seconds that a failure may wait for somebody to ask about it.
local UNASKED = 5

local MOST = 4096 -- bytes of a traceback that is printed

-- What was raised, and where.
local Fault = { __name = "flexhooks.fault" }

--- What is raised becomes a fault where it is raised: the handler of `xpcall`.
---@param value any
---@return table fault { value, traceback }
function M.of(value)
  return setmetatable({ value = value,
    traceback = debug.traceback(tostring(value), 2) }, Fault)
end

local NO_MEMORY = setmetatable({ value = "not enough memory",
  traceback = "not enough memory" }, Fault)

local function make(value)
  return setmetatable({ value = value, traceback = tostring(value) }, Fault)
end

--- Returns a fault of what ended a coroutine, which may be one already. Never
-- raises: where there is no memory for it, that is the fault.
---@param value any
---@return table fault
function M.complete(value)
  if getmetatable(value) == Fault then
    return value
  end
  local made, fault = pcall(make, value)
  return made and fault or NO_MEMORY
end

--- Where failures go that nobody waited for, unless told otherwise.
function M.to_stderr(level, message, fields)
  io.stderr:write("flexhooks: ", level, ": ", message, "\n",
    log.cut(fields.traceback or "", MOST), "\n")
end

local Unasked = { __name = "flexhooks.runtime.task_error" }
Unasked.__index = Unasked

--- A queue of tasks that have failed.
function M.new()
  return setmetatable({ first = 1, last = 0 }, Unasked)
end

local function append(list, task)
  task.failed_at = task.failed_at or core.clock()
  list[list.last + 1] = task
  list.last = list.last + 1
end

--- Adds a task that has failed now. Never raises: without memory its failure
-- is not reported.
function Unasked:add(task)
  pcall(append, self, task)
end

local function log_failure(logger, task)
  logger("warn", "a task failed and nobody waited for it",
    { traceback = task.fault.traceback })
end

--- Reports those that nobody asked about in time, or all of them.
---@param logger function
---@param all boolean?
function Unasked:report(logger, all)
  local task = self[self.first]
  local late = task and core.clock() - (all and 0 or UNASKED)
  while task and task.failed_at <= late do
    self[self.first] = nil
    self.first = self.first + 1
    if not task.watched then
      task.watched = true
      -- A logger that fails must not take the loop with it.
      pcall(log_failure, logger, task)
    end
    task = self[self.first]
  end
end

return M
