-- Misuse of the router: what is called, and what the message must say.
local function noop() end

local M = {}

-- method, arguments, a plain part of the message
M.misuse = {
  { "on", {}, "argument 1 must be an event's name or a list" },
  { "on", { 5, noop }, "argument 1 must be" },
  { "on", { {}, noop }, "empty list" },
  { "on", { { "onChannelCreated", nil, "onParticipantLeft" }, noop },
    "without holes" },
  { "on", { { "onChannelCreated", also = "onParticipantLeft" }, noop },
    "without holes" },
  { "on", { "onChanelCreated", noop }, "did you mean 'onChannelCreated'?" },
  { "on", { "", noop }, "no event is called ''" },
  { "on", { { "onChannelCreated", 5 }, noop }, "must be string, got number" },
  { "on", { { "onChannelCreated", "onNew" }, noop }, "'onNew'" },
  { "on", { "onChannelCreated" }, "argument 2 must be function, got nil" },
  { "on", { "onChannelCreated", "f" }, "argument 2 must be a filter" },
  { "on", { "onChannelCreated", {} }, "argument 3 must be function, got nil" },
  { "on", { "onChannelCreated", {}, {} }, "argument 3 must be function" },
  { "on", { "onChannelCreated", noop, noop }, "argument 2 must be a filter" },
  { "on", { "onChannelCreated", { [1] = "x" }, noop },
    "keys are field names" },
  { "on", { "onChannelCreated", { TaskSid = {} }, noop }, "empty list" },
  { "on", { "onChannelCreated", { TaskSid = { x = 1 } }, noop }, "holes" },
  { "on", { "onChannelCreated", { TaskSid = { "a", nil, "c" } }, noop },
    "holes" },
  { "on", { "onChannelCreated", { TaskSid = 5 }, noop },
    "string, got number" },
  { "on", { "onChannelCreated", { TaskSid = { "a", 5 } }, noop },
    "string, got number" },
  { "on", { "onChannelCreated", { TaskSid = { noop } }, noop },
    "got function" },
  { "on", { "onChannelCreated", { TaskSid = { {} } }, noop }, "got table" },
  { "on", { "onChannelCreated", { ErrorCode = "x" }, noop }, "integer" },
  { "off", {}, "what router:on returned, got nil" },
  { "off", { {} }, "what router:on returned, got table" },
  { "off", { noop }, "what router:on returned, got function" },
  { "use", {}, "argument 1 must be function, got nil" },
  { "use", { {} }, "got table" },
  { "fallback", { "x" }, "argument 1 must be function" },
  { "on_error", {}, "argument 1 must be function" },
  { "dispatch", {}, "argument 1 must be an event, got nil" },
  { "dispatch", { "onChannelCreated" }, "must be an event, got string" },
  { "dispatch", { {} }, "no EventType" },
  { "dispatch", { { EventType = "" } }, "no EventType" },
  { "dispatch", { { EventType = 5 } }, "no EventType" },
  { "dispatch", { { EventType = "onNew" }, "x" }, "must be a context" },
  { "dispatch", { { EventType = "onNew" }, { deadline = "5" } },
    "context.deadline must be a time in Unix seconds, got string" },
  { "dispatch", { { EventType = "onNew" }, { deadline = 0 / 0 } },
    "context.deadline must be a time in Unix seconds, got NaN" },
}

M.methods = { "on", "off", "use", "fallback", "on_error", "subscribed",
  "dispatch" }

-- filter, fields of the event, does it match?
M.filters = {
  { {}, {}, true },
  { { ParticipantType = "agent" }, { ParticipantType = "agent" }, true },
  { { ParticipantType = "agent" }, { ParticipantType = "customer" }, false },
  { { ParticipantType = "agent" }, {}, false },
  { { ParticipantType = "agent" }, { ParticipantType = { "agent" } }, false },
  { { MediaChannelType = { "sms", "whatsapp" } }, { MediaChannelType = "sms" },
    true },
  { { MediaChannelType = { "sms", "whatsapp" } }, { MediaChannelType = "web" },
    false },
  { { MediaChannelType = { "sms" }, ParticipantType = "agent" },
    { MediaChannelType = "sms", ParticipantType = "agent" }, true },
  { { MediaChannelType = { "sms" }, ParticipantType = "agent" },
    { MediaChannelType = "sms", ParticipantType = "customer" }, false },
  { { ErrorCode = 5 }, { ErrorCode = 5 }, true },
  { { ErrorCode = "5" }, { ErrorCode = 5 }, true },
  { { ErrorCode = { 4, "5" } }, { ErrorCode = 5 }, true },
  { { ErrorCode = 5 }, { ErrorCode = 6 }, false },
  { { Flag = false }, { Flag = false }, true },
  { { Flag = false }, {}, false },
  { { Flag = { true, false } }, { Flag = false }, true },
  { { Number = 1.5 }, { Number = 1.5 }, true },
  { { Number = "1.5" }, { Number = 1.5 }, false },
  { { TaskSid = function(v) return v ~= nil end }, { TaskSid = "WT" }, true },
  { { TaskSid = function(v) return v ~= nil end }, {}, false },
  { { TaskSid = function(v) return v == nil end }, {}, true },
  { { TaskSid = function(_, e) return e.Flag end }, { Flag = 1 }, true },
  { { Flag = "a", TaskSid = function(v) return v end }, { TaskSid = "WT" },
    false },
  { { Flag = "a", TaskSid = function(v) return v end },
    { TaskSid = "WT", Flag = "a" }, true },
  { { Flag = "a", TaskSid = function() error "not asked" end }, { Flag = "b" },
    false },
}

local weird = setmetatable({}, { __tostring = function() error "no" end })
local liar = setmetatable({}, { __tostring = function() return "shown" end })

-- What handlers raise, and a plain part of the failure's message.
M.raised = {
  { "a string", "a string" },
  { { message = "a table" }, "a table" },
  { {}, "table" },
  { liar, "shown" },
  { weird, "cannot be shown" },
  { { message = weird }, "table" },
  { 5, "5" },
  { true, "true" },
  { noop, "function" },
}

return M
