--- The events of a built-in scenario, with their times, without waiting.
-- @module flexhooks.cli.scenario

local core = require "flexhooks.core"
local ids = require "flexhooks.simulator.ids"
local lifecycle = require "flexhooks.simulator.lifecycle"
local random = require "flexhooks.simulator.random"
local states = require "flexhooks.simulator.state"

local M = {}

M.names = lifecycle.names

--- One interaction's life, with SIDs of its own.
---@param name string a scenario
---@param account { sid: string?, instance_sid: string? } made up where absent
---@return table[] items `{ at = seconds, event = fields }`
function M.play(name, account)
  local seed = core.hex(core.random(16))
  local identifiers = ids.new(random.new(seed), os.time)
  local at, items = 0, {}
  local world = states.new(identifiers, function(_, event)
    items[#items + 1] = { at = at, event = event }
  end)
  local interaction = world:add_interaction({
    sid = account.sid or identifiers:sid "AC",
    instance_sid = account.instance_sid or identifiers:sid "GO",
  }, { channel = { type = "web" } })
  local life = lifecycle.new(name, world, interaction)
  local wait = life:wait()
  while wait do
    at = at + wait
    life:step()
    wait = life:wait()
  end
  return items
end

return M
