--- Operations on interactions and their channels.
-- @module flexhooks.simulator.interactions

local api_error = require "flexhooks.simulator.api_error"
local fields = require "flexhooks.simulator.fields"
local lifecycle = require "flexhooks.simulator.lifecycle"
local paging = require "flexhooks.simulator.paging"
local serializers = require "flexhooks.simulator.serializers"
local states = require "flexhooks.simulator.state"

local M = {}

local CHANNEL_TYPES = { "voice", "sms", "email", "web", "whatsapp", "chat",
  "messenger", "gbm" }
local INITIATORS = { "customer", "agent", "api" }

--- The interaction in the path, or the 404 of the service.
function M.interaction(call, sid)
  return call.world:interaction(call.account, sid)
    or api_error.not_found(call.path)
end

--- The channel in the path, or the 404 of the service.
function M.channel(call, interaction_sid, sid)
  local interaction = M.interaction(call, interaction_sid)
  return states.find(interaction.channels, "sid", sid)
    or api_error.not_found(call.path)
end

--- One page of a list under its own name.
function M.page(call, key, things, view)
  local page, meta = paging.cut(things, call.query, call.base .. call.path)
  for index, thing in ipairs(page) do
    page[index] = view(call.base, thing)
  end
  return 200, serializers.page(key, page, meta)
end

-- A ttid must be one of the account's interaction webhooks.
local function webhook_ttid(call)
  local ttid = call.form:get("WebhookTtid")
  if ttid == nil then
    return nil
  end
  local webhook = call.world:webhook(call.account, ttid)
  if not webhook or webhook.type ~= "interaction" then
    api_error.bad("WebhookTtid is not a webhook of type interaction")
  end
  return ttid
end

local function check_channel(form)
  local channel = fields.object("Channel", fields.required(form, "Channel"))
  if channel.type == nil then
    api_error.bad("Channel.type is missing")
  end
  fields.one_of("Channel.type", channel.type, CHANNEL_TYPES)
  fields.one_of("Channel.initiated_by", channel.initiated_by, INITIATORS)
  return channel
end

-- A channel's properties may name the life it is to have.
local function scenario(channel)
  local properties = channel.properties
  if type(properties) == "table" then
    return fields.one_of("Channel.properties.scenario", properties.scenario,
      lifecycle.names())
  end
end

local function create(call)
  local channel = check_channel(call.form)
  local life = scenario(channel)
  local interaction = call.world:add_interaction(call.account, {
    channel = channel,
    routing = fields.object("Routing", call.form:get("Routing")),
    interaction_context_sid = fields.sid("InteractionContextSid",
      call.form:get("InteractionContextSid"), "HQ"),
    webhook_ttid = webhook_ttid(call),
  })
  call.begin(interaction, life)
  return 200, serializers.interaction(call.base, interaction)
end

local function get(call, sid)
  return 200, serializers.interaction(call.base, M.interaction(call, sid))
end

local function update(call, sid)
  local interaction = M.interaction(call, sid)
  interaction.webhook_ttid = webhook_ttid(call) or interaction.webhook_ttid
  return 200, serializers.interaction(call.base, interaction)
end

local function list_channels(call, interaction_sid)
  local interaction = M.interaction(call, interaction_sid)
  return M.page(call, "channels", interaction.channels, serializers.channel)
end

local function get_channel(call, interaction_sid, sid)
  return 200, serializers.channel(call.base,
    M.channel(call, interaction_sid, sid))
end

local function update_channel(call, interaction_sid, sid)
  local channel = M.channel(call, interaction_sid, sid)
  local status = fields.one_of("Status", fields.required(call.form, "Status"),
    { "closed", "inactive" })
  local routing = fields.object("Routing", call.form:get("Routing")) or {}
  fields.one_of("Routing.status", routing.status, { "closed", "wrapping" })
  if status == "inactive" and routing.status ~= "closed" then
    api_error.bad("Routing.status must be closed where Status is inactive")
  end
  call.world:set_status(channel, status)
  return 200, serializers.channel(call.base, channel)
end

local PATH = "/v1/Interactions"

--- The pattern of one channel's path.
M.CHANNEL = PATH .. "/([^/]+)/Channels/([^/]+)"

--- Path pattern, and the operation of each method.
M.routes = {
  { PATH, POST = create },
  { PATH .. "/([^/]+)", GET = get, POST = update },
  { PATH .. "/([^/]+)/Channels", GET = list_channels },
  { M.CHANNEL, GET = get_channel, POST = update_channel },
}

return M
