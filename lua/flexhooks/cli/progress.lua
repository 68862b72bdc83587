--- A line at the terminal that is redrawn while something long goes on.
-- @module flexhooks.cli.progress

local runtime = require "flexhooks.runtime.current"
local output = require "flexhooks.cli.output"

local M = {}

local EVERY = 0.2 -- seconds

---@class flexhooks.cli.Live
local Live = { __name = "flexhooks.cli.progress" }
Live.__index = Live

--- A line on stderr; nothing is drawn where that is no terminal.
---@return flexhooks.cli.Live
function M.line()
  return setmetatable({ drawn = false, due = runtime.clock() + EVERY,
    shown = output.is_terminal(io.stderr) }, Live)
end

--- Draws a tally's progress, where it is time to.
---@param tally flexhooks.cli.Tally
function Live:answered(tally)
  local now = self.shown and runtime.clock()
  if now and now >= self.due then
    self.due, self.drawn = now + EVERY, true
    io.stderr:write("\r", tally:progress(now), "\27[K")
    io.stderr:flush()
  end
end

--- Takes the line away.
function Live:close()
  if self.drawn then
    io.stderr:write("\r\27[K")
  end
end

return M
