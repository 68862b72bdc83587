-- Files of webhooks, and the commands that take them, against a simulator.
--
--   local bench = hooks_command.start { "--rate-limit", "1" }
--   bench:run("plan", bench:file(TEXT), "--check") -> status, out, err
--   bench:ttids()           what is registered
local command = require "spec.support.command"
local process = require "spec.support.process"
local simulator = require "spec.support.simulator"

local M = { simulator = simulator }

M.TWO = [[
local URL = "https://company.example/flex/events"
return {
  { friendly_name = "all", webhook_url = URL,
    webhook_events = { "onChannelCreated", "onParticipantJoined" } },
  { friendly_name = "own", type = "interaction", webhook_url = URL .. "/own",
    webhook_method = "GET", webhook_events = { "onChannelCreated" } },
}
]]

local Bench = {}
Bench.__index = Bench

function M.start(arguments)
  local service = simulator.start(arguments)
  return setmetatable({ service = service, env = service.env }, Bench)
end

function Bench:stop()
  self.service.child:stop()
end

--- A file with this text.
function Bench:file(text, name)
  return process.write(process.folder() .. "/" .. (name or "hooks.lua"), text)
end

function Bench:run(...)
  return command.run({ ... }, self.env)
end

function Bench:ttids()
  local status, out, err = self:run("webhooks", "list", "--json")
  assert(status == 0, err)
  local list = {}
  for ttid in out:gmatch '"ttid":"([%w_]+)"' do
    list[#list + 1] = ttid
  end
  return list
end

return M
