--- Operations on what hangs on a channel: participants, invites, transfers.
-- @module flexhooks.simulator.channel_resources

local api_error = require "flexhooks.simulator.api_error"
local fields = require "flexhooks.simulator.fields"
local interactions = require "flexhooks.simulator.interactions"
local serializers = require "flexhooks.simulator.serializers"
local states = require "flexhooks.simulator.state"

local M = {}

local PARTICIPANT_TYPES = { "supervisor", "customer", "external", "agent",
  "unknown" }
local TRANSFER_TYPES = { "warm", "cold", "external" }
local TRANSFER_STATUSES = { "active", "failed", "completed" }

local function open_channel(call, interaction_sid, channel_sid)
  local channel = interactions.channel(call, interaction_sid, channel_sid)
  if states.ended(channel) then
    api_error.bad("Channel " .. channel.sid .. " is " .. channel.status)
  end
  return channel
end

local function list_participants(call, interaction_sid, channel_sid)
  local channel = interactions.channel(call, interaction_sid, channel_sid)
  return interactions.page(call, "participants", channel.participants,
    serializers.participant)
end

local function create_participant(call, interaction_sid, channel_sid)
  local channel = open_channel(call, interaction_sid, channel_sid)
  local form = call.form
  local kind = fields.one_of("Type", fields.required(form, "Type"),
    PARTICIPANT_TYPES)
  fields.object("MediaProperties", fields.required(form, "MediaProperties"))
  local participant = call.world:join(channel, kind,
    fields.object("RoutingProperties", form:get("RoutingProperties")))
  return 200, serializers.participant(call.base, participant)
end

local function update_participant(call, interaction_sid, channel_sid, sid)
  local channel = interactions.channel(call, interaction_sid, channel_sid)
  local participant = states.find(channel.participants, "sid", sid)
    or api_error.not_found(call.path)
  local status = fields.one_of("Status", fields.required(call.form, "Status"),
    { "closed", "wrapup" })
  if status == "closed" then
    call.world:leave(participant)
  else
    call.world:update_participant(participant)
  end
  return 200, serializers.participant(call.base, participant)
end

local function list_invites(call, interaction_sid, channel_sid)
  local channel = interactions.channel(call, interaction_sid, channel_sid)
  return interactions.page(call, "invites", channel.invites,
    serializers.invite)
end

local function create_invite(call, interaction_sid, channel_sid)
  local channel = open_channel(call, interaction_sid, channel_sid)
  local routing = fields.object("Routing",
    fields.required(call.form, "Routing"))
  local invite = call.world:invite(channel, routing)
  call.invited(invite)
  return 200, serializers.invite(call.base, invite)
end

local function check_transfer(wanted)
  return {
    type = fields.one_of("type", wanted.type, TRANSFER_TYPES),
    status = fields.one_of("status", wanted.status, TRANSFER_STATUSES),
    from = fields.sid("from", wanted.from, "UT"),
    to = wanted.to,
    note_sid = fields.sid("note_sid", wanted.note_sid, "KQ"),
    summary_sid = fields.sid("summary_sid", wanted.summary_sid, "KQ"),
  }
end

local function create_transfer(call, interaction_sid, channel_sid)
  local channel = open_channel(call, interaction_sid, channel_sid)
  local wanted = check_transfer(call.json)
  wanted.type = wanted.type or "cold"
  wanted.status = wanted.status or "active"
  wanted.date_created, wanted.date_updated = call.date, call.date
  return 201, serializers.transfer(call.base,
    call.world:transfer(channel, wanted))
end

local function fetch_transfer(call, interaction_sid, channel_sid, sid)
  local channel = interactions.channel(call, interaction_sid, channel_sid)
  return states.find(channel.transfers, "sid", sid)
    or api_error.not_found(call.path)
end

local function get_transfer(call, ...)
  return 200, serializers.transfer(call.base, fetch_transfer(call, ...))
end

local function update_transfer(call, ...)
  local transfer = fetch_transfer(call, ...)
  for name, value in pairs(check_transfer(call.json)) do
    transfer[name] = value
  end
  transfer.date_updated = call.date
  return 200, serializers.transfer(call.base, transfer)
end

local CHANNEL = interactions.CHANNEL

--- Path pattern, and the operation of each method. Transfers speak JSON.
M.routes = {
  { CHANNEL .. "/Participants", GET = list_participants,
    POST = create_participant },
  { CHANNEL .. "/Participants/([^/]+)", POST = update_participant },
  { CHANNEL .. "/Invites", GET = list_invites, POST = create_invite },
  { CHANNEL .. "/Transfers", POST = create_transfer, json = true },
  { CHANNEL .. "/Transfers/([^/]+)", GET = get_transfer,
    POST = update_transfer, json = true },
}

return M
