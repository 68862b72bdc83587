--- The fields of each event, as the service sends them.
-- @module flexhooks.simulator.payload

local tables = require "flexhooks.util.tables"

local M = {}

-- The documentation leaves InstanceSid out of these.
local WITHOUT_INSTANCE = {
  onChannelCreateFailed = true,
  onParticipantJoined = true,
  onParticipantLeft = true,
  onParticipantUpdated = true,
}

---@param event_type string canonical name
---@param interaction table
---@param channel table? absent for the interaction's own event
---@param participant table?
---@return table<string, string> event
function M.event(event_type, interaction, channel, participant)
  local media = channel or interaction.channels[1]
  local event = {
    EventType = event_type,
    AccountSid = interaction.account_sid,
    InteractionSid = interaction.sid,
    MediaChannelSid = media.media_sid,
    MediaChannelType = media.type,
    ChannelSid = channel and channel.sid,
  }
  if not WITHOUT_INSTANCE[event_type] then
    event.InstanceSid = interaction.instance_sid
  end
  if event_type == "onChannelStatusUpdated" then
    event.ChannelStatus = channel.status
  elseif event_type == "onChannelCreateFailed" then
    event.ErrorCode = tostring(channel.error_code)
    event.ErrorMessage = channel.error_message
  end
  if participant then
    event.ParticipantSid = participant.sid
    event.ParticipantType = participant.type
    event.TaskSid = participant.task_sid
  end
  return event
end

--- The same event in the names that older integrations have met.
---@param event table<string, string>
---@return table<string, string>
function M.older(event)
  local renamed = tables.merged(event)
  renamed.FlexInstanceSid, renamed.InstanceSid = event.InstanceSid, nil
  if event.EventType == "onChannelStatusUpdated" then
    renamed.EventType = "onChannelUpdated"
  end
  return renamed
end

return M
