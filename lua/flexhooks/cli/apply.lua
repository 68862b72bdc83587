--- flexhooks apply: makes the registered webhooks what a file says.
-- @module flexhooks.cli.apply

local prompt = require "flexhooks.cli.prompt"
local errors = require "flexhooks.error"
local webhook_file = require "flexhooks.cli.webhook_file"
local interrupt = require "flexhooks.cli.interrupt"
local json = require "flexhooks.json"
local log = require "flexhooks.log"
local output = require "flexhooks.cli.output"
local text = require "flexhooks.provision.text"

local M = {}

M.summary = "Make the registered webhooks what a file says."
M.example = [[
flexhooks apply hooks.lua
flexhooks apply hooks.lua --owner teamA --prune --yes]]

--- Adds the command's arguments to its parser.
function M.configure(parser)
  webhook_file.configure(parser)
  parser:flag("-y --yes", "Do not ask. Needed where nobody can be asked.")
end

local function confirm()
  if not prompt.possible() then
    return nil, errors.new("argument", "nobody can be asked here: give --yes")
  end
  local answer = prompt.line "Apply these changes? Only 'yes' is accepted: "
  if answer == "yes" then
    return true
  end
  return nil, errors.new("cancelled", "nothing was changed")
end

local function progress(change, webhook, err)
  local name = log.escape(change.friendly_name or change.webhook_url)
  if err then
    output.say("  %s %s: failed", change.action, name)
  else
    output.say("  %s %s: done%s", change.action, name,
      type(webhook) == "table" and " (" .. webhook.ttid .. ")" or "")
  end
end

-- What came before the failure stays done, and the next run finds it.
local function say_what_is_left(plan, err)
  local done = err.details.done
  local changes, left = 0, 0
  for action, count in pairs(done) do
    if action ~= "unchanged" then
      changes = changes + count
      left = left + plan.counts[action] - count
    end
  end
  output.say("%d of %d changes were made; run it again to make the others.",
    changes, changes + left)
end

local function carry_out(plan, given)
  local done, err = interrupt.run(function(interrupted)
    local done, err = plan:apply { on_change = progress }
    if err and interrupted() then
      err = errors.new("cancelled", "interrupted", { details = err.details })
    end
    return done, err
  end)
  if given.json then
    output.json { changes = json.array(webhook_file.data(plan)) }
  end
  if not done then
    say_what_is_left(plan, err)
    return nil, err
  end
  if not given.json then
    print("Applied: " .. text.summary(done, text.DONE) .. ".")
  end
  return true
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
  local refused = plan:refusal()
  if not given.json or not plan.empty or refused then
    io.stderr:write(output.paint(tostring(plan), io.stderr), "\n")
  end
  if refused then
    return nil, refused
  end
  if not plan.empty and not given.yes then
    local agreed, why = confirm()
    if not agreed then
      return nil, why
    end
  end
  return carry_out(plan, given)
end

return M
