--- The life of an interaction, step by step.
--
-- A scenario is a list of steps `{ seconds to wait, what, whom }`. Playing one
-- needs a clock, which is the caller's; this file says what happens next. A
-- life ends early when the channel is closed through the API.
-- @module flexhooks.simulator.lifecycle

local tables = require "flexhooks.util.tables"
local states = require "flexhooks.simulator.state"

local M = {}

local BEGIN = {
  { 0.1, "announce" },
  { 0.2, "create_channel" },
  { 0.1, "activate" },
  { 0.4, "join", "customer" },
}

local function scenario(...)
  local steps = {}
  for _, part in ipairs { BEGIN, { ... } } do
    for _, step in ipairs(part) do
      steps[#steps + 1] = step
    end
  end
  return steps
end

local SCENARIOS = {
  -- A customer writes, an agent answers, wraps up and leaves.
  conversation = scenario({ 1.5, "join", "agent" }, { 1, "update", "agent" },
    { 2, "leave", "agent" }, { 0.5, "close" }),
  -- As above, but whoever uses the API must close the channel.
  open = scenario({ 1.5, "join", "agent" }, { 1, "update", "agent" },
    { 2, "leave", "agent" }),
  -- The agent parks the conversation and takes it up again.
  parked = scenario({ 1.5, "join", "agent" }, { 1, "park" },
    { 2, "activate" }, { 1, "leave", "agent" }, { 0.5, "close" }),
  -- Nobody answers in time.
  abandoned = scenario({ 4, "leave", "customer" }, { 0.5, "close" }),
  -- The channel cannot be made.
  failed = { { 0.1, "announce" }, { 0.5, "fail" } },
}

--- Names of the scenarios, sorted.
---@return string[]
function M.names()
  return tables.sorted_keys(SCENARIOS)
end

local function participant(channel, kind)
  return (states.find(channel.participants, "type", kind))
end

local function set_status(status)
  return function(world, channel)
    world:set_status(channel, status)
  end
end

local function join(world, channel, kind)
  world:join(channel, kind, kind ~= "customer" and {
    task_sid = channel.task_sid,
    worker_sid = world.ids:sid("WK"),
    reservation_sid = world.ids:sid("WR"),
  } or nil)
end

-- Whoever the step is about may have left, through the API.
local function update(world, channel, kind)
  local who = participant(channel, kind)
  if who then
    world:update_participant(who)
  end
end

local function leave(world, channel, kind)
  local who = participant(channel, kind)
  if who then
    world:leave(who)
  end
end

local ACTIONS = {
  announce = function(world, channel)
    world:announce_interaction(channel)
  end,
  create_channel = function(world, channel)
    world:announce_channel(channel)
  end,
  activate = set_status("active"),
  park = set_status("inactive"),
  close = set_status("closed"),
  fail = function(world, channel)
    world:fail_channel(channel, 19025, "Channel validation error")
  end,
  join = join,
  update = update,
  leave = leave,
}

---@class flexhooks.simulator.Life
local Life = { __name = "flexhooks.simulator.life" }
Life.__index = Life

--- The life of `interaction`, not yet begun.
---@param name string a scenario
---@return flexhooks.simulator.Life
function M.new(name, world, interaction)
  return setmetatable({
    steps = SCENARIOS[name],
    at = 1,
    world = world,
    channel = interaction.channels[1],
  }, Life)
end

--- Seconds until the next step, or nil when the life is over.
---@return number?
function Life:wait()
  local step = self.steps[self.at]
  return step and not states.ended(self.channel) and step[1] or nil
end

--- Takes the next step; none where the channel ended meanwhile.
function Life:step()
  local step = self.steps[self.at]
  if self:wait() then
    self.at = self.at + 1
    ACTIONS[step[2]](self.world, self.channel, step[3])
  end
end

return M
