--- Ctrl-C for commands that do things one after the other: what is under way
-- ends with an error of kind `cancelled`, and the command says what was done.
-- @module flexhooks.cli.interrupt

local loop = require "flexhooks.runtime.loop"
local task = require "flexhooks.runtime.task"

local M = {}

local FAILED = 1

-- The first signal cancels the task, a second one ends the process.
local function watch(main, state)
  local signals = loop.poller():signals("TERM", "INT")
  local source = loop.add_source {
    fd = signals:fd(), interest = "r",
    run = function()
      for _ in signals.next, signals do
        if state.asked then
          os.exit(FAILED, true)
        end
        state.asked = true
        main:cancel()
      end
    end,
    timeout = function() end,
  }
  return function()
    source:remove()
    signals:close()
  end
end

--- Runs `f` as a task that SIGINT and SIGTERM cancel.
---@param f fun(interrupted: fun(): boolean): any ... it may ask whether a
--- signal came
---@return any ... what f returns; raises what f raises
function M.run(f)
  local unwatch
  local state = { asked = false }
  local function done(ok, ...)
    if unwatch then
      unwatch()
    end
    if not ok then
      error((...), 0)
    end
    return ...
  end
  return done(pcall(loop.run, function()
    unwatch = watch(task.current(), state)
    return f(function()
      return state.asked
    end)
  end))
end

return M
