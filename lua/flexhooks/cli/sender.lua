--- Sends lists of events: each list in its order, several lists at a time, at
-- the times or the rate that was asked for.
-- @module flexhooks.cli.sender

local runtime = require "flexhooks.runtime.current"

local M = {}

---@class flexhooks.cli.Pace
---@field lists fun(index: integer): table[] the items of one list
---@field count integer how many lists
---@field concurrency integer lists at a time
---@field rate number? events a second over all
---@field speed number? keep the items' times, so many times faster
---@field send fun(item: table): boolean? sends one; nil ends everything
---@field stopped fun(): boolean

-- The times at which events may leave, one by one, over all lists.
local function slots(rate)
  local begun, given = runtime.clock(), 0
  return function()
    given = given + 1
    return begun + (given - 1) / rate
  end
end

local function wait_until(time)
  local left = time - runtime.clock()
  return left <= 0 or runtime.sleep(left)
end

-- Sends one list; false where everything is to end.
local function run_list(pace, items, slot)
  local begun = runtime.clock()
  for _, item in ipairs(items) do
    local due = pace.speed and begun + item.at / pace.speed or begun
    if slot then
      due = math.max(due, slot())
    end
    if pace.stopped() or not wait_until(due) or not pace.send(item) then
      return false
    end
  end
  return true
end

--- Sends them all, from inside a task.
---@param pace flexhooks.cli.Pace
---@return boolean whole every event was sent
function M.run(pace)
  local slot = pace.rate and slots(pace.rate)
  local indices, whole = {}, true
  for i = 1, pace.count do
    indices[i] = i
  end
  runtime.map(indices, pace.concurrency, function(index)
    whole = whole and run_list(pace, pace.lists(index), slot)
    return true
  end)
  return whole and not pace.stopped()
end

return M
