-- What the catalogue says of fields that came: one good event of each type,
-- and rows that change it. `false` removes a field.
local sids = require "spec.data.sids"

local channel = {
  InteractionSid = sids.interaction, ChannelSid = sids.channel,
  MediaChannelSid = sids.conversation, MediaChannelType = "sms",
}

local function event(name, ...)
  local fields = { EventType = name, AccountSid = sids.account }
  for _, more in ipairs { ... } do
    for k, v in pairs(more) do
      fields[k] = v
    end
  end
  return fields
end

local instance = { InstanceSid = sids.instance }
local participant = {
  ParticipantSid = sids.participant, ParticipantType = "agent",
  TaskSid = sids.task,
}

local M = {}

M.good = {
  onInteractionCreated = event("onInteractionCreated", instance, {
    InteractionSid = sids.interaction, MediaChannelSid = sids.conversation,
    MediaChannelType = "web",
  }),
  onChannelCreated = event("onChannelCreated", instance, channel),
  onChannelCreateFailed = event("onChannelCreateFailed", {
    ErrorCode = "45600", ErrorMessage = "no such channel",
    MediaChannelType = "sms",
  }),
  onChannelStatusUpdated = event("onChannelStatusUpdated", instance, channel,
    { ChannelStatus = "active" }),
  onParticipantJoined = event("onParticipantJoined", channel, participant),
  onParticipantLeft = event("onParticipantLeft", channel, participant),
  onParticipantUpdated = event("onParticipantUpdated", channel, participant),
}

local hex31 = ("0"):rep(31)

-- event type, changes, what is wrong with it (a plain part of the message)
M.refused = {
  { "onChannelCreated", { EventType = false }, "EventType is missing" },
  { "onChannelCreated", { EventType = "" }, "EventType is missing" },
  { "onChannelCreated", { EventType = { "onChannelCreated", "x" } },
    "EventType is not one value" },
  { "onChannelCreated", { EventType = 5 }, "EventType is not a string" },
  { "onChannelCreated", { EventType = true }, "EventType is not a string" },
  { "onChannelCreated", { EventType = "on\nX" }, "control" },
  { "onChannelCreated", { EventType = "onX\0" }, "control" },
  { "onChannelCreated", { AccountSid = false }, "AccountSid is missing" },
  { "onChannelCreated", { AccountSid = "" }, "AccountSid is missing" },
  { "onChannelCreated", { AccountSid = "AC" .. hex31 }, "AccountSid" },
  { "onChannelCreated", { AccountSid = "AC" .. hex31 .. "00" }, "AccountSid" },
  { "onChannelCreated", { AccountSid = "AC" .. hex31 .. "g" }, "AccountSid" },
  { "onChannelCreated", { AccountSid = "AC" .. ("A"):rep(32) }, "AccountSid" },
  { "onChannelCreated", { AccountSid = "ac" .. ("a"):rep(32) }, "AccountSid" },
  { "onChannelCreated", { AccountSid = sids.account .. "\n" }, "AccountSid" },
  { "onChannelCreated", { AccountSid = "\0" .. sids.account }, "AccountSid" },
  { "onChannelCreated", { AccountSid = " " .. sids.account }, "AccountSid" },
  { "onChannelCreated", { AccountSid = { sids.account, sids.other_account } },
    "AccountSid is not one value" },
  { "onChannelCreated", { InstanceSid = false }, "InstanceSid is missing" },
  { "onChannelCreated", { InstanceSid = sids.channel }, "InstanceSid" },
  { "onChannelCreated", { InstanceSid = false, FlexInstanceSid = "GO1" },
    "FlexInstanceSid" },
  { "onChannelCreated", { InteractionSid = false },
    "InteractionSid is missing" },
  { "onChannelCreated", { InteractionSid = "" }, "InteractionSid is missing" },
  { "onChannelCreated", { InteractionSid = "KD" .. hex31 }, "InteractionSid" },
  { "onChannelCreated", { ChannelSid = false }, "ChannelSid is missing" },
  { "onChannelCreated", { ChannelSid = sids.interaction }, "ChannelSid" },
  { "onChannelCreated", { MediaChannelSid = false }, "MediaChannelSid" },
  { "onChannelCreated", { MediaChannelSid = sids.make "CX" }, "CH or CF" },
  { "onChannelCreated", { ChannelStatus = { "active", "closed" } },
    "ChannelStatus is not one value" },
  { "onChannelCreated", { MediaChannelType = 5 }, "is not a string" },
  { "onChannelCreated", { MediaChannelType = { x = 1 } }, "MediaChannelType" },
  { "onParticipantJoined", { ParticipantSid = false }, "ParticipantSid" },
  { "onParticipantJoined", { ParticipantSid = "UT" .. hex31 },
    "ParticipantSid" },
  { "onParticipantJoined", { TaskSid = "WT" .. hex31 }, "TaskSid" },
  { "onParticipantJoined", { InstanceSid = "GO" .. hex31 }, "InstanceSid" },
  { "onChannelCreateFailed", { ErrorCode = "x" }, "ErrorCode" },
  { "onChannelCreateFailed", { ErrorCode = "1.5" }, "ErrorCode" },
  { "onChannelCreateFailed", { ErrorCode = "0x10" }, "ErrorCode" },
  { "onChannelCreateFailed", { ErrorCode = "1e3" }, "ErrorCode" },
  { "onChannelCreateFailed", { ErrorCode = " 1" }, "ErrorCode" },
  { "onChannelCreateFailed", { ErrorCode = "1\n" }, "ErrorCode" },
  { "onChannelCreateFailed", { ErrorCode = ("9"):rep(30) }, "ErrorCode" },
  { "onChannelCreateFailed", { ErrorCode = 1.5 }, "ErrorCode" },
  { "onChannelCreateFailed", { ErrorCode = 1e300 }, "ErrorCode" },
  { "onChannelCreateFailed", { ErrorCode = true }, "ErrorCode" },
  { "onChannelCreateFailed", { ErrorCode = { "1", "2" } }, "ErrorCode" },
  { "onChannelCreateFailed", { InteractionSid = "KD" .. hex31 },
    "InteractionSid" },
  { "onChannelCreated", { EventType = "onNew", AccountSid = false },
    "AccountSid is missing" },
  { "onChannelCreated", { EventType = "onNew", ChannelSid = "nonsense" },
    "ChannelSid" },
  { "onChannelCreated", { EventType = "onNew", TaskSid = { "a", "b" } },
    "TaskSid" },
}

-- event type, changes, what must be in the event (`false`: nothing)
M.accepted = {
  { "onChannelCreated", { EventType = "onNew" }, { EventType = "onNew" } },
  { "onChannelCreated", { EventType = "a b-ü" }, { EventType = "a b-ü" } },
  { "onChannelCreated", { EventType = "onNew", InteractionSid = false,
    ChannelSid = false, InstanceSid = false, MediaChannelSid = false }, {} },
  { "onChannelCreated", { EventType = "onchannelcreated" },
    { EventType = "onchannelcreated" } },
  { "onChannelStatusUpdated", { EventType = "onChannelUpdated" },
    { EventType = "onChannelStatusUpdated" } },
  { "onChannelCreated", { MediaChannelSid = sids.conference },
    { MediaChannelSid = sids.conference } },
  { "onChannelCreated", { ChannelSid = sids.make("UO", "F") }, {} },
  { "onChannelCreated", { InstanceSid = false,
    FlexInstanceSid = sids.instance },
    { InstanceSid = sids.instance, FlexInstanceSid = sids.instance } },
  { "onChannelCreated", { InstanceSid = "", FlexInstanceSid = sids.instance },
    { InstanceSid = sids.instance } },
  { "onChannelCreated", { FlexInstanceSid = sids.make("GO", "1") },
    { InstanceSid = sids.instance } },
  { "onParticipantJoined", { TaskSid = false }, { TaskSid = false } },
  { "onParticipantJoined", { TaskSid = "" }, { TaskSid = false } },
  { "onParticipantJoined", { InstanceSid = sids.instance },
    { InstanceSid = sids.instance } },
  { "onParticipantUpdated", { ParticipantStatus = "open" },
    { ParticipantStatus = "open" } },
  { "onChannelCreateFailed", {}, { ErrorCode = 45600 } },
  { "onChannelCreateFailed", { ErrorCode = "" }, { ErrorCode = false } },
  { "onChannelCreateFailed", { ErrorCode = "007" }, { ErrorCode = 7 } },
  { "onChannelCreateFailed", { ErrorCode = "-1" }, { ErrorCode = -1 } },
  { "onChannelCreateFailed", { ErrorCode = 45600 }, { ErrorCode = 45600 } },
  { "onChannelCreateFailed", { ErrorMessage = "" }, { ErrorMessage = "" } },
  { "onChannelCreateFailed", { MediaChannelType = false, ErrorMessage = false,
    ErrorCode = false }, { ErrorCode = false } },
  { "onChannelStatusUpdated", { ChannelStatus = "setup" },
    { ChannelStatus = "setup" } },
  { "onChannelCreated", { Tag = { "a", "b" }, Deep = { x = { 1 } }, N = 1.5,
    B = true, __index = "x", __gc = "y", constructor = "z", [""] = "w" },
    { Tag = { "a", "b" }, Deep = { x = { 1 } }, N = 1.5, B = true,
      __index = "x", __gc = "y", constructor = "z", [""] = "w" } },
}

return M
