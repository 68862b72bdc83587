--- What happens to the events of a queue, for whoever follows it just now.
--
-- The last steps are kept in a ring, and only while somebody asks for them: a
-- queue that nobody follows pays nothing. No payload is in it.
-- @module flexhooks.queue.embedded.activity

local core = require "flexhooks.core"
local runtime = require "flexhooks.runtime.current"

local M = {}

local Trail = { __name = "flexhooks.queue.embedded.activity" }
Trail.__index = Trail

local KEPT = 10000 -- steps
local LIFE = 15 -- seconds without a look

--- An empty trail. Its name tells it from the one of another process, or of
-- another time.
function M.new()
  return setmetatable({ name = core.hex(core.random(8)), first = 1, last = 0,
    looked = runtime.clock(), steps = {} }, Trail)
end

--- Does somebody look still?
---@return boolean
function Trail:is_followed()
  return runtime.clock() - self.looked < LIFE
end

--- Notes a step: stored, started, handled, retried, dead, replayed or
-- discarded.
---@param state string
---@param item table id, event
function Trail:note(state, item)
  local event = item.event or {}
  local last = self.last + 1
  self.steps[last] = { state = state, at = runtime.now(), id = item.id,
    type = event.EventType, interaction = event.InteractionSid }
  self.last = last
  if self.last - self.first >= KEPT then
    self.steps[self.first] = nil
    self.first = self.first + 1
  end
end

--- The steps since a look before; none at the first look.
---@param cursor table|false what that look returned; of another trail: all
-- that is kept
---@return table found steps (list), cursor
function Trail:after(cursor)
  self.looked = runtime.clock()
  local steps, from = {}, self.last + 1
  if cursor then
    from = cursor.trail == self.name and cursor.last + 1 or self.first
  end
  for n = math.max(from, self.first), self.last do
    steps[#steps + 1] = self.steps[n]
  end
  return { steps = steps, cursor = { trail = self.name, last = self.last } }
end

return M
