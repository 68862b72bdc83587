--- The webhooks that a command was given: a file of them, or an application
-- whose router says which events it handles.
-- @module flexhooks.cli.webhook_file

local app = require "flexhooks.app"
local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local output = require "flexhooks.cli.output"
local owners = require "flexhooks.provision.owner"
local provision = require "flexhooks.provision"
local settings = require "flexhooks.cli.settings"
local webhook_url = require "flexhooks.url.webhook"

local M = {}

local MAX_PLACE = 180 -- bytes of a URL in a friendly name

--- Adds the option --owner.
function M.configure_owner(parser, description)
  parser:option("--owner", description):argname("NAME"):convert(function(name)
    local wrong = owners.complaint(name)
    if wrong then
      return nil, "--owner " .. wrong
    end
    return name
  end)
end

--- Adds the arguments that plan and apply share.
function M.configure(parser)
  parser:argument("file", "The webhooks: a Lua file that returns a list. With "
    .. "--app it may be left out: one webhook for what the router handles.")
    :args("?")
  parser:option("--app", "Application file: tell where its router and the "
    .. "webhooks differ."):argname("APP")
  M.configure_owner(parser, "Whose webhooks these are: all friendly names "
    .. "begin with NAME/. Default: the file's key 'owner'.")
  parser:flag("--prune", "Delete the owner's webhooks that the file lacks.")
  parser:flag("--repoint", "Allow changes of webhooks of another origin that "
    .. "have the name of an entry.")
  parser:flag("--json", "Print JSON.")
  settings.configure(parser)
end

local function load_file(path)
  local chunk, why = loadfile(path)
  if not chunk then
    return nil, errors.new("config", "cannot load: " .. why)
  end
  local ok, hooks = pcall(chunk)
  if not ok then
    return nil, errors.new("config", path .. " failed: " .. tostring(hooks))
  elseif type(hooks) ~= "table" then
    return nil, errors.new("config", path .. " must return a list of "
      .. "webhooks, got " .. type(hooks))
  end
  return hooks
end

-- Returns the friendly name of a derived webhook. It says where the webhook
-- points, so that two applications of one account, one of them in production
-- perhaps, never take each other's webhook for their own.
local function name_of(public_url, owner)
  local place = webhook_url.identity(public_url):gsub("^%a+://", "")
    :gsub("%?.*$", "")
  if #place > MAX_PLACE then
    place = place:sub(1, MAX_PLACE) .. " " .. core.sha256(place):sub(1, 16)
  end
  return (owner and owner .. "/" or "flexhooks ") .. place
end

-- One global webhook for what the application's router handles.
local function derive(application, owner)
  if not application.public_url then
    return nil, errors.new("config", "the application has no public_url: set "
      .. "it there, or in FLEXHOOKS_PUBLIC_URL")
  end
  return { {
    friendly_name = name_of(application.public_url, owner),
    type = "global",
    webhook_url = application.public_url,
    webhook_events = application.router:subscribed(),
  } }
end

local function load_app(path)
  local loaded, err = app.load("flexhooks", path, {})
  if not loaded then
    return nil, err
  elseif not loaded.settings.router then
    return nil, errors.new("config", path .. " has no router")
  end
  return loaded.settings
end

local DRIFT = {
  "is subscribed to, but the application has no handler for it",
  "is handled, but no webhook in the file brings it",
}

local function warn_of_drift(hooks, router)
  for i, names in ipairs { provision.drift(hooks, router) } do
    for _, name in ipairs(names) do
      output.say("flexhooks: warning: %s %s", name, DRIFT[i])
    end
  end
end

--- Reads what the arguments name.
---@param given table the parsed arguments
---@return table[]? hooks
---@return flexhooks.Error? err
function M.read(given)
  if not given.file and not given.app then
    return nil, errors.new("argument", "name a file of webhooks, or an "
      .. "application with --app")
  end
  local hooks, application, err
  if given.app then
    application, err = load_app(given.app)
    if not application then
      return nil, err
    end
  end
  if given.file then
    hooks, err = load_file(given.file)
  else
    hooks, err = derive(application, given.owner)
  end
  if hooks and application then
    warn_of_drift(hooks, application.router)
  end
  return hooks, err
end

--- Makes the plan that the arguments ask for.
---@param given table
---@return flexhooks.Plan?
---@return flexhooks.Error? err
function M.plan(given)
  local hooks, err = M.read(given)
  local client
  if hooks then
    client, err = settings.client(given)
  end
  if not client then
    return nil, err
  end
  return provision.plan(client, hooks, { prune = given.prune,
    owner = given.owner, repoint = given.repoint })
end

local function change_data(change)
  return {
    action = change.action,
    friendly_name = change.friendly_name,
    type = change.type,
    webhook_url = change.webhook_url,
    ttid = change.webhook and change.webhook.ttid or change.ttid,
    fields = change.fields,
    repoints = change.repoints,
    done = change.done,
  }
end

--- A plan for programs.
---@param plan flexhooks.Plan
---@return table[]
function M.data(plan)
  local list = {}
  for i, change in ipairs(plan.changes) do
    list[i] = change_data(change)
  end
  return list
end

return M
