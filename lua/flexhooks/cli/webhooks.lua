--- flexhooks webhooks: the registered webhooks of the account's Flex instance.
-- @module flexhooks.cli.webhooks

local json = require "flexhooks.json"
local output = require "flexhooks.cli.output"
local settings = require "flexhooks.cli.settings"
local webhook_url = require "flexhooks.url.webhook"

local M = {}

M.summary = "List, show, create, change and delete webhooks."
M.example = [[
flexhooks webhooks create --url https://company.com/flex/events \
   --event onChannelCreated --event onParticipantJoined --name staging
flexhooks webhooks list --type global]]

local EXAMPLES = {
  list = "flexhooks webhooks list --type global --json",
  get = "flexhooks webhooks get flex_interactionwebhook_01k8…",
  create = [[
flexhooks webhooks create --url https://company.com/flex/events \
   --event onChannelCreated --event onParticipantJoined --name staging]],
  update = [[
flexhooks webhooks update flex_interactionwebhook_01k8… \
   --event onParticipantJoined]],
  delete = "flexhooks webhooks delete flex_interactionwebhook_01k8…",
}

local function subcommand(parser, name, summary)
  local command = parser:command(name, summary)
  command:epilog("Example:\n   " .. EXAMPLES[name]:gsub("\n", "\n   "))
  settings.configure(command)
  if name ~= "delete" then
    command:flag("--json", "Print JSON.")
  end
  return command
end

local function add_ttid(command, arity)
  command:argument("ttid", "The webhook's ttid."):args(arity or 1)
end

local function add_fields(command, least_events)
  command:option("--event", "An event to be told of; repeat it for more.")
    :argname("NAME"):count(least_events):target("webhook_events")
  command:option("--method", "How events are delivered.")
    :choices({ "POST", "GET" }):target("webhook_method")
  command:option("--name", "Its friendly name."):argname("TEXT")
    :target("friendly_name")
  return command:option("--url", "Where events are sent."):argname("URL")
    :target("webhook_url")
end

local function add_type(command, description)
  command:option("--type", description):choices({ "global", "interaction" })
end

--- Adds the command's arguments to its parser.
function M.configure(parser)
  parser:command_target("operation")
  local list = subcommand(parser, "list", "List webhooks.")
  add_type(list, "Only webhooks of this type.")
  add_ttid(subcommand(parser, "get", "Show one webhook."))
  local create = subcommand(parser, "create", "Register a webhook.")
  add_fields(create, "+"):count(1)
  add_type(create, "Of every interaction, or of those that carry its ttid.")
  local update = subcommand(parser, "update", "Change a webhook.")
  add_ttid(update)
  add_fields(update, "*")
  add_ttid(subcommand(parser, "delete", "Delete webhooks."), "+")
end

local function shown(text)
  return type(text) == "string" and webhook_url.shown(text) or text
end

-- The API's answer, with the passwords of URLs hidden.
local function data_of(webhook)
  local data = {}
  for name, value in pairs(webhook.data) do
    data[name] = shown(value)
  end
  return data
end

local function show(webhook, given)
  if given.json then
    output.json(data_of(webhook))
    return
  end
  output.fields {
    { "ttid", webhook.ttid },
    { "friendly_name", shown(webhook.friendly_name) },
    { "type", webhook.type },
    { "webhook_method", webhook.webhook_method },
    { "webhook_url", shown(webhook.webhook_url) },
    { "webhook_events", webhook.webhook_events },
  }
end

local function fields_of(given)
  local events = given.webhook_events
  return {
    type = given.type,
    webhook_url = given.webhook_url,
    webhook_method = given.webhook_method,
    webhook_events = events and #events > 0 and events or nil,
    friendly_name = given.friendly_name,
  }
end

local function list(webhooks, given)
  local found, err = webhooks:list { type = given.type }
  if not found then
    return nil, err
  end
  local rows = {}
  for index, webhook in ipairs(found) do
    rows[index] = given.json and data_of(webhook) or { webhook.ttid,
      webhook.type, webhook.webhook_method, shown(webhook.friendly_name),
      shown(webhook.webhook_url), webhook.webhook_events }
  end
  if given.json then
    output.json(json.array(rows))
  else
    output.rows({ "TTID", "TYPE", "METHOD", "NAME", "URL", "EVENTS" }, rows)
  end
  return true
end

-- Shows what the API answered, or hands its error on.
local function answered(given, webhook, err)
  if not webhook then
    return nil, err
  end
  show(webhook, given)
  return true
end

local function get(webhooks, given)
  return answered(given, webhooks:get(given.ttid))
end

local function create(webhooks, given)
  return answered(given, webhooks:create(fields_of(given)))
end

local function update(webhooks, given)
  return answered(given, webhooks:update(given.ttid, fields_of(given)))
end

local function delete(webhooks, given)
  for _, ttid in ipairs(given.ttid) do
    local deleted, err = webhooks:delete(ttid)
    if not deleted then
      return nil, err
    end
    output.say("deleted %s", ttid)
  end
  return true
end

local OPERATIONS = { list = list, get = get, create = create,
  update = update, delete = delete }

--- Runs the command.
---@param given table the parsed arguments
---@return true? done
---@return flexhooks.Error? err
function M.run(given)
  local client, err = settings.client(given)
  if not client then
    return nil, err
  end
  return OPERATIONS[given.operation](client.webhooks, given)
end

return M
