--- flexhooks export: the registered webhooks as a file for plan and apply.
-- @module flexhooks.cli.export

local errors = require "flexhooks.error"
local webhook_file = require "flexhooks.cli.webhook_file"
local output = require "flexhooks.cli.output"
local provision = require "flexhooks.provision"
local settings = require "flexhooks.cli.settings"

local M = {}

M.summary = "Write the registered webhooks as a file for plan and apply."
M.example = [[
flexhooks export hooks.lua
flexhooks export --owner teamA >hooks.lua]]

--- Adds the command's arguments to its parser.
function M.configure(parser)
  parser:argument("file", "Where to write it; standard output where absent.")
    :args("?")
  webhook_file.configure_owner(parser, "Only the webhooks of this owner: "
    .. "their friendly names begin with NAME/.")
  parser:flag("--force", "Replace a file that is there.")
  settings.configure(parser)
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then
    file:close()
  end
  return file ~= nil
end

local function write(path, text)
  local file, why = io.open(path, "wb")
  if not file then
    return nil, errors.new("config", "cannot write: " .. why)
  end
  local written, failure = file:write(text)
  local closed, close_failure = file:close()
  if not written or not closed then
    return nil, errors.new("config", "cannot write " .. path .. ": "
      .. tostring(failure or close_failure))
  end
  return true
end

--- Runs the command.
---@param given table the parsed arguments
---@return true? done
---@return flexhooks.Error? err
function M.run(given)
  if given.file and not given.force and exists(given.file) then
    return nil, errors.new("argument", given.file .. " is there already: give "
      .. "--force to replace it")
  end
  local client, err = settings.client(given)
  local text
  if client then
    text, err = provision.export(client, { owner = given.owner })
  end
  if not text then
    return nil, err
  end
  if given.file then
    return write(given.file, text)
  end
  output.write(text)
  return true
end

return M
