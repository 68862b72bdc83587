--- flexhooks queue tail: what happens to events, a line for each step.
--
-- An SQLite queue is opened for each look alone: while nobody serves it, who
-- looks is its owner, and who serves it next must find it free.
-- @module flexhooks.cli.tail

local interrupt = require "flexhooks.cli.interrupt"
local log = require "flexhooks.log"
local output = require "flexhooks.cli.output"

local M = {}

local LOOK = 0.5 -- seconds between two looks
local SHOWN = 100 -- of what waits already
local FULL = 1000 -- steps after which there may be more at once

local Tail = {}
Tail.__index = Tail

local function time(seconds)
  return seconds and os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(seconds))
    or "-"
end

local function print_step(self, step)
  if self.json then
    return output.json(step)
  end
  io.stdout:write(time(step.at), "  ", ("%-9s  %-22s  "):format(step.state,
    log.escape(step.type or "-")), log.escape(step.interaction or "-"), "  ",
    log.escape(step.id or "-"), "\n")
end

function Tail:print_waiting()
  local list, err = self.queue:waiting(nil, SHOWN)
  if not list then
    return nil, err
  end
  for _, letter in ipairs(list) do
    local event = letter.event or {}
    print_step(self, { state = "waiting", at = letter.received_at,
      id = letter.id, type = event.EventType,
      interaction = event.InteractionSid })
  end
  if #list == SHOWN then
    output.say("more wait than these %d: flexhooks queue stats counts them",
      SHOWN)
  end
  return true
end

-- One look; how many steps it brought.
function Tail:look()
  local first = not self.cursor
  local steps, cursor = self.queue:follow(self.cursor)
  if not steps then
    return nil, cursor
  end
  self.cursor = cursor
  for _, step in ipairs(steps) do
    print_step(self, step)
  end
  if first then
    local ok, err = self:print_waiting()
    if not ok then
      return nil, err
    end
  end
  io.stdout:flush()
  return #steps
end

function Tail:open()
  self.queue = self.queue or require("flexhooks").queue(self.url)
  return self.queue
end

function Tail:close(url)
  if self.queue and self.url:lower():find(url or "", 1, true) == 1 then
    self.queue:close()
    self.queue = nil
  end
end

-- Looks until interrupted. What stands in the way later may pass: a server
-- that is started anew, a Redis that is away.
function Tail:follow(interrupted)
  local lost = false
  while not interrupted() do
    self:open()
    local count, err = self:look()
    self:close "sqlite:"
    if not count and not self.cursor then
      return nil, err
    elseif not count and not lost and not interrupted() then
      output.say("%s; looking on", tostring(err))
    end
    lost = not count
    if (count or 0) < FULL then
      require("flexhooks").sleep(LOOK)
    end
  end
  return true
end

--- Follows a queue until SIGINT or SIGTERM comes.
---@param url string
---@param given table json
---@return true? done
---@return flexhooks.Error? err
function M.run(url, given)
  local self = setmetatable({ url = url, json = given.json }, Tail)
  return interrupt.run(function(interrupted)
    local there, err = self:open():exists()
    if there then
      there, err = self:follow(interrupted)
    end
    self:close()
    return there, err
  end)
end

return M
