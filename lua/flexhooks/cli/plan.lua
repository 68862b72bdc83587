--- flexhooks plan: what applying a file of webhooks would change.
-- @module flexhooks.cli.plan

local webhook_file = require "flexhooks.cli.webhook_file"
local json = require "flexhooks.json"
local output = require "flexhooks.cli.output"

local M = {}

M.summary = "Show what applying a file of webhooks would change."
M.example = [[
flexhooks plan hooks.lua
flexhooks plan hooks.lua --owner teamA --prune
flexhooks plan hooks.lua --app app.lua --check]]

--- Adds the command's arguments to its parser.
function M.configure(parser)
  webhook_file.configure(parser)
  parser:flag("--check", "Exit 1 where something would change.")
end

--- Runs the command.
---@param given table the parsed arguments
---@return true? done
---@return flexhooks.Error? err
function M.run(given)
  local plan, err = webhook_file.plan(given)
  if not plan then
    return nil, err
  end
  if given.json then
    output.json { changes = json.array(webhook_file.data(plan)),
      notes = json.array(plan.notes), refusals = json.array(plan.refusals) }
  else
    output.write(output.paint(tostring(plan), io.stdout), "\n")
  end
  if given.prune and not plan.owner then
    return nil, plan:refusal()
  end
  return plan.empty or not given.check or nil
end

return M
