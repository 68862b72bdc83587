--- Things of the world as the API shows them.
-- @module flexhooks.simulator.serializers

local json = require "flexhooks.json"

local M = {}

local null = json.null

-- What the documentation shows in a webhook's `url`: not an address of it.
local PLACEHOLDER = "https://flex-api.twilio.com/v1/Instances/"
  .. "GOaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/InteractionWebhooks/"
  .. "flex_interactionwebhook_00000000000000000000000000"

local function or_null(value)
  if value == nil then
    return null
  end
  return value
end

--- A webhook.
---@return table
function M.webhook(_, webhook)
  return {
    ttid = webhook.ttid,
    account_sid = webhook.account_sid,
    instance_sid = webhook.instance_sid,
    type = webhook.type,
    webhook_url = webhook.webhook_url,
    webhook_events = webhook.webhook_events,
    webhook_method = webhook.webhook_method,
    friendly_name = webhook.friendly_name,
    url = PLACEHOLDER,
  }
end

local function interaction_url(base, interaction)
  return base .. "/v1/Interactions/" .. interaction.sid
end

local function channel_url(base, channel)
  return interaction_url(base, channel.interaction) .. "/Channels/"
    .. channel.sid
end

--- An interaction, with its first channel.
---@return table
function M.interaction(base, interaction)
  local url = interaction_url(base, interaction)
  local channel = interaction.channels[1]
  return {
    sid = interaction.sid,
    channel = { type = channel.type, sid = channel.sid },
    routing = or_null(interaction.routing),
    interaction_context_sid = or_null(interaction.interaction_context_sid),
    webhook_ttid = or_null(interaction.webhook_ttid),
    url = url,
    links = { channels = url .. "/Channels" },
  }
end

--- A channel.
---@return table
function M.channel(base, channel)
  local url = channel_url(base, channel)
  return {
    sid = channel.sid,
    interaction_sid = channel.interaction.sid,
    type = channel.type,
    status = channel.status,
    error_code = or_null(channel.error_code),
    error_message = or_null(channel.error_message),
    url = url,
    links = {
      participants = url .. "/Participants",
      invites = url .. "/Invites",
      transfers = url .. "/Transfers",
    },
  }
end

-- What every thing on a channel carries.
local function on_channel(base, thing, collection)
  local channel = thing.channel
  return {
    sid = thing.sid,
    channel_sid = channel.sid,
    interaction_sid = channel.interaction.sid,
    url = channel_url(base, channel) .. "/" .. collection .. "/" .. thing.sid,
  }
end

--- A participant.
---@return table
function M.participant(base, participant)
  local view = on_channel(base, participant, "Participants")
  view.type = participant.type
  view.routing_properties = or_null(participant.routing_properties)
  return view
end

--- An invite.
---@return table
function M.invite(base, invite)
  local view = on_channel(base, invite, "Invites")
  view.routing = invite.routing
  return view
end

--- A transfer.
---@return table
function M.transfer(base, transfer)
  local view = on_channel(base, transfer, "Transfers")
  local interaction = transfer.channel.interaction
  view.account_sid = interaction.account_sid
  view.instance_sid = interaction.instance_sid
  for _, name in ipairs { "type", "status", "execution_sid", "from", "to",
    "note_sid", "summary_sid", "date_created", "date_updated" } do
    view[name] = or_null(transfer[name])
  end
  return view
end

--- A page of a list.
---@param key string name of the array
---@param records table[] views
---@param meta table
---@return table
function M.page(key, records, meta)
  meta.key = key
  return { [key] = json.array(records), meta = meta }
end

--- The journal.
---@param events table[]
---@param deliveries table[]
---@param pending boolean is anything still to come?
---@return table
function M.journal(events, deliveries, pending)
  return { pending = pending, events = json.array(events),
    deliveries = json.array(deliveries) }
end

return M
