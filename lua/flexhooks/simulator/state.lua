--- What exists at the service: webhooks, interactions and what hangs on them.
--
-- No clock, no sockets, no wire format. Every change that the service would
-- report goes to `on_event`, in the order it happened.
-- @module flexhooks.simulator.state

local payload = require "flexhooks.simulator.payload"
local tables = require "flexhooks.util.tables"

local M = {}

-- Older interactions are forgotten: a simulator may run for weeks.
local KEPT = 10000

---@class flexhooks.simulator.World
local World = { __name = "flexhooks.simulator.state" }
World.__index = World

---@param ids flexhooks.simulator.Ids
---@param on_event fun(interaction: table, event: table) called for each event
function M.new(ids, on_event)
  return setmetatable({
    ids = ids,
    on_event = on_event,
    webhooks = {},
    interactions = {},
    order = {},
    count = 0,
    begun = 0,
  }, World)
end

-- Things carry their number, by which lists are ordered and paged.
local function add(world, list, thing)
  world.count = world.count + 1
  thing.number = world.count
  list[#list + 1] = thing
  return thing
end

-- The element of `list` whose `field` is `value`, and its index.
local function find(list, field, value)
  for index, thing in ipairs(list) do
    if thing[field] == value then
      return thing, index
    end
  end
end
M.find = find

--- Adds a webhook of an account.
---@param account table `sid`, `instance_sid`
---@param fields table checked wire fields
function World:add_webhook(account, fields)
  return add(self, self.webhooks, {
    ttid = self.ids:ttid(),
    account_sid = account.sid,
    instance_sid = account.instance_sid,
    type = fields.type,
    webhook_url = fields.webhook_url,
    webhook_events = fields.webhook_events,
    webhook_method = fields.webhook_method,
    friendly_name = fields.friendly_name,
  })
end

--- The account's webhook with this ttid, and its place in the list.
function World:webhook(account, ttid)
  local webhook, index = find(self.webhooks, "ttid", ttid)
  if webhook and webhook.account_sid == account.sid then
    return webhook, index
  end
end

--- Forgets a webhook; interactions that carry its ttid keep it.
function World:remove_webhook(webhook)
  local _, index = find(self.webhooks, "ttid", webhook.ttid)
  table.remove(self.webhooks, index)
end

local OLDER_NAMES = { onChannelUpdated = "onChannelStatusUpdated" }

local function subscribes(webhook, event_type)
  for _, name in ipairs(webhook.webhook_events) do
    if (OLDER_NAMES[name] or name) == event_type then
      return true
    end
  end
  return false
end

--- The webhooks that an event of this interaction goes to: every global one
-- that subscribes to it, and the interaction's own.
---@return table[]
function World:recipients(interaction, event_type)
  local list = {}
  for _, webhook in ipairs(self.webhooks) do
    local addressed = webhook.type == "global"
      or webhook.ttid == interaction.webhook_ttid
    if webhook.account_sid == interaction.account_sid and addressed
      and subscribes(webhook, event_type) then
      list[#list + 1] = webhook
    end
  end
  return list
end

local function report(world, event_type, channel, participant)
  local interaction = channel.interaction
  interaction.events = interaction.events + 1
  local subject = event_type ~= "onInteractionCreated" and channel or nil
  world.on_event(interaction,
    payload.event(event_type, interaction, subject, participant))
end

local function keep(world, interaction)
  world.interactions[interaction.sid] = interaction
  world.order[interaction.ordinal] = interaction.sid
  local oldest = interaction.ordinal - KEPT
  if world.order[oldest] then
    world.interactions[world.order[oldest]], world.order[oldest] = nil, nil
  end
end

--- An interaction with its one channel, still being set up. Reports nothing:
-- the service accepts first and tells later.
---@param account table
---@param fields table `channel`, `routing`, `interaction_context_sid`,
-- `webhook_ttid`
function World:add_interaction(account, fields)
  self.begun = self.begun + 1
  local interaction = {
    ordinal = self.begun,
    sid = self.ids:sid("KD"),
    account_sid = account.sid,
    instance_sid = account.instance_sid,
    channel = fields.channel,
    routing = fields.routing,
    interaction_context_sid = fields.interaction_context_sid,
    webhook_ttid = fields.webhook_ttid,
    channels = {},
    events = 0,
  }
  local media = fields.channel.type == "voice" and "CF" or "CH"
  add(self, interaction.channels, {
    sid = self.ids:sid("UO"),
    interaction = interaction,
    type = fields.channel.type,
    media_sid = self.ids:sid(media),
    task_sid = self.ids:sid("WT"),
    status = "setup",
    participants = {},
    invites = {},
    transfers = {},
  })
  keep(self, interaction)
  return interaction
end

--- The account's interaction with this SID, or nil.
function World:interaction(account, sid)
  local interaction = self.interactions[sid]
  if interaction and interaction.account_sid == account.sid then
    return interaction
  end
end

--- Reports that the channel's interaction exists.
function World:announce_interaction(channel)
  report(self, "onInteractionCreated", channel)
end

--- Reports that the channel exists.
function World:announce_channel(channel)
  report(self, "onChannelCreated", channel)
end

--- The channel could not be made.
---@param code integer Twilio's error code
---@param message string
function World:fail_channel(channel, code, message)
  channel.status, channel.error_code = "failed", code
  channel.error_message = message
  report(self, "onChannelCreateFailed", channel)
end

--- Is the channel in a state that nothing leads out of?
---@return boolean
function M.ended(channel)
  return channel.status == "closed" or channel.status == "failed"
end

--- Sets the status and reports it, where it is another one than before.
function World:set_status(channel, status)
  if channel.status == status or M.ended(channel) then
    return
  end
  channel.status = status
  report(self, "onChannelStatusUpdated", channel)
end

--- Puts a participant on the channel and reports it.
---@param kind string participant type
---@param properties table? routing properties
function World:join(channel, kind, properties)
  local participant = add(self, channel.participants, {
    sid = self.ids:sid("UT"),
    type = kind,
    channel = channel,
    routing_properties = properties,
    task_sid = properties and properties.task_sid or channel.task_sid,
  })
  report(self, "onParticipantJoined", channel, participant)
  return participant
end

--- Reports that something about the participant has changed.
function World:update_participant(participant)
  report(self, "onParticipantUpdated", participant.channel, participant)
end

--- Takes the participant off its channel and reports it.
function World:leave(participant)
  local channel = participant.channel
  local _, index = find(channel.participants, "sid", participant.sid)
  table.remove(channel.participants, index)
  report(self, "onParticipantLeft", channel, participant)
end

--- An invitation of an agent or a queue to the channel.
function World:invite(channel, routing)
  return add(self, channel.invites, {
    sid = self.ids:sid("KG"),
    channel = channel,
    routing = routing,
    task_sid = self.ids:sid("WT"),
  })
end

---@param fields table `type`, `status`, `from`, `to`, `note_sid`, …
function World:transfer(channel, fields)
  return add(self, channel.transfers, tables.merged({
    sid = self.ids:sid("UX"), channel = channel,
    execution_sid = self.ids:sid("QW"),
  }, fields))
end

return M
