--- The catalogue of Flex Interactions events: names, fields, types.
--
-- Everything that knows an event's name or field asks here. Twilio adds both
-- without notice, so what is not in the catalogue is kept, never refused.
-- @module flexhooks.events

local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local options = require "flexhooks.util.options"

local unpack = table.unpack or _G.unpack

local M = {}

local function sid(...)
  return { type = "string", prefixes = { any_case = true, ... } }
end

-- Every documented field, whatever the event. A SID may be one of two kinds.
local FIELDS = {
  EventType = { type = "string" },
  AccountSid = sid "AC",
  InstanceSid = sid "GO",
  FlexInstanceSid = sid "GO",
  InteractionSid = sid "KD",
  ChannelSid = sid "UO",
  ParticipantSid = sid "UT",
  TaskSid = sid "WT",
  MediaChannelSid = sid("CH", "CF"),
  MediaChannelType = { type = "string" },
  ChannelStatus = { type = "string" },
  ParticipantType = { type = "string" },
  ParticipantStatus = { type = "string" },
  ErrorCode = { type = "integer" },
  ErrorMessage = { type = "string" },
}
-- Tokens are looked up by account, so one account has one spelling.
FIELDS.AccountSid.prefixes.any_case = false

-- What a text has to begin with, nothing where it is no SID; for the check
-- that every event passes through.
local TEXTS = {}
for name, rule in pairs(FIELDS) do
  if rule.type == "string" then
    TEXTS[name] = rule.prefixes or {}
  end
end

-- Their values never hold the name of a field; a message to people may.
local ENUMERATIONS = {
  "MediaChannelType", "ChannelStatus", "ParticipantType", "ParticipantStatus",
}

local CHANNEL = "InteractionSid ChannelSid MediaChannelSid MediaChannelType"
local PARTICIPANT = CHANNEL .. " ParticipantSid ParticipantType"

-- name -> what its documentation lists, "?" after what may be missing. A
-- participant that is not an agent need not have a task.
local DOCUMENTED = {
  onInteractionCreated =
    "InstanceSid InteractionSid MediaChannelSid MediaChannelType",
  onChannelCreated = "InstanceSid " .. CHANNEL,
  onChannelCreateFailed = "ErrorCode ErrorMessage MediaChannelType "
    .. "InteractionSid? ChannelSid? MediaChannelSid? InstanceSid?",
  onChannelStatusUpdated = "InstanceSid ChannelStatus " .. CHANNEL,
  onParticipantJoined = PARTICIPANT .. " TaskSid? InstanceSid?",
  onParticipantLeft = PARTICIPANT .. " TaskSid? InstanceSid?",
  onParticipantUpdated = PARTICIPANT
    .. " TaskSid? InstanceSid? ParticipantStatus?",
}

local ALIASES = { onChannelUpdated = "onChannelStatusUpdated" }

-- name -> { field = required }; name -> list of its fields; name -> list of
-- the SIDs without which it is no event. Other missing fields are let pass.
local EVENTS, LISTED, REQUIRED_SIDS = {}, {}, {}
local NAMES = {}
-- Every name and alias -> the canonical name.
local KNOWN = {}

for name, list in pairs(DOCUMENTED) do
  local fields, listed, sids = { EventType = true, AccountSid = true }, {}, {}
  for field, optional in list:gmatch "(%a+)(%??)" do
    listed[#listed + 1] = field
    fields[field] = optional == ""
    if fields[field] and FIELDS[field].prefixes then
      sids[#sids + 1] = field
    end
  end
  table.sort(sids)
  EVENTS[name], LISTED[name], REQUIRED_SIDS[name] = fields, listed, sids
  NAMES[#NAMES + 1] = name
  KNOWN[name] = name
end
table.sort(NAMES)
for alias, name in pairs(ALIASES) do
  KNOWN[alias] = name
end

--- The seven documented event names, sorted.
---@return string[] names a list of the caller's own
function M.names()
  local names = {}
  for i, name in ipairs(NAMES) do
    names[i] = name
  end
  return names
end

--- The canonical name of an event, or nil where the catalogue has none.
---@param name any a name or an alias
---@return string?
function M.canonical(name)
  return KNOWN[name]
end

--- As `canonical`, but raises for what is not in the catalogue.
---@param fn string the public function that was called, for the message
---@param name any
---@param level integer? whom to blame: 1 is the caller of `fn`
---@return string
function M.check(fn, name, level)
  local canonical = M.canonical(name)
  if canonical then
    return canonical
  end
  level = (level or 1) + 2
  if type(name) ~= "string" then
    errors.raise(level, fn .. ": an event's name must be string, got "
      .. type(name))
  end
  errors.raise(level, fn .. ": no event is called '" .. name .. "'"
    .. options.suggestion(name, KNOWN))
end

--- The documented fields of an event.
---@param name string a name or an alias
---@return table<string, table>? fields name -> `{ type = "string" | "integer",
--- required = boolean, sid = list of prefixes | nil }`; nil where unknown
function M.fields(name)
  local documented = EVENTS[M.canonical(name)]
  if not documented then
    return nil
  end
  local fields = {}
  for field, required in pairs(documented) do
    local rule = FIELDS[field]
    fields[field] = {
      type = rule.type,
      required = required,
      sid = rule.prefixes and { unpack(rule.prefixes) },
    }
  end
  return fields
end

--- The type of a documented field, whichever event carries it.
---@param field any
---@return "string"|"integer"|nil
function M.field_type(field)
  local rule = FIELDS[field]
  return rule and rule.type
end

local find = string.find

local function to_integer(value)
  local number = value
  if type(value) == "string" then
    number = #value <= 15 and find(value, "^-?%d+$") and tonumber(value)
  end
  if type(number) ~= "number" or number % 1 ~= 0 or number - number ~= 0
    or number > 2 ^ 53 or number < -2 ^ 53 then
    return nil
  end
  return math.tointeger and math.tointeger(number) or number
end

local function complaint(name, value, wanted)
  if type(value) == "table" then
    return name .. " is not one value"
  end
  return name .. " is not " .. wanted
end

--- Looks for a documented text that is none, or no SID of its kind. A SID that
-- came empty says nothing and counts as absent.
M.check_fields = core.field_checker(TEXTS)

local function check_texts(raw)
  local name = M.check_fields(raw)
  if not name then
    return nil
  elseif TEXTS[name][1] then
    return complaint(name, raw[name], "a SID that begins with "
      .. table.concat(TEXTS[name], " or "))
  end
  return complaint(name, raw[name], "a string")
end

-- As a SID, a number that came empty is absent.
local function check_code(raw)
  local value = raw.ErrorCode
  if value == nil then
    return nil
  end
  raw.ErrorCode = to_integer(value)
  if raw.ErrorCode == nil and value ~= "" then
    return complaint("ErrorCode", value, "an integer")
  end
end

local function missing(event, canonical)
  if event.AccountSid == nil then
    return "AccountSid is missing"
  end
  local sids = REQUIRED_SIDS[canonical]
  for i = 1, sids and #sids or 0 do
    if event[sids[i]] == nil then
      return sids[i] .. " is missing"
    end
  end
end

--- Makes an event of the fields that came, in place: the canonical EventType,
-- an integer ErrorCode, InstanceSid filled from FlexInstanceSid. Unknown
-- fields and types pass untouched.
---@param raw table<string, any> decoded fields; the event afterwards
---@return table? event nil where `raw` is no event
---@return string wire_type_or_wrong the EventType that came, or what is wrong;
--- never a value
function M.normalize(raw)
  if type(raw) ~= "table" then
    errors.raise(2, "events.normalize: argument 1 must be table, got "
      .. type(raw))
  end
  local wrong = check_texts(raw) or check_code(raw)
  if wrong then
    return nil, wrong
  end
  local wire = raw.EventType
  if wire == nil or wire == "" then
    return nil, "EventType is missing"
  end
  if not KNOWN[wire] and find(wire, "[^\32-\126\128-\255]") then
    return nil, "EventType holds control characters"
  end
  if raw.InstanceSid == nil then
    raw.InstanceSid = raw.FlexInstanceSid
  end
  local canonical = KNOWN[wire] or wire
  local lacking = missing(raw, canonical)
  if lacking then
    return nil, lacking
  end
  raw.EventType = canonical
  return raw, wire
end

-- The fields of a type, or of the type that an unknown one begins with; and
-- what is behind that.
local function listed_for(wire)
  local listed, behind = LISTED[wire], ""
  if not listed then
    for name, canonical in pairs(KNOWN) do
      if find(wire, name, 1, true) == 1 then
        listed, behind = LISTED[canonical], wire:sub(#name + 1)
      end
    end
  end
  return listed, behind
end

-- Does the name, read on into the value, begin with `field` and what that may
-- hold? A new field whose name is only longer is a SID's no more.
local function begins_with(name, value, field)
  if type(value) ~= "string" then
    return find(name, field, 1, true) == 1
  end
  local text = name .. value
  if find(text, field, 1, true) ~= 1 then
    return false
  end
  local prefixes = FIELDS[field].prefixes
  for i = 1, prefixes and #prefixes or 0 do
    if find(text, prefixes[i], #field + 1, true) == #field + 1 then
      return true
    end
  end
  return not prefixes
end

local function holds(event, behind, field)
  if find(behind, field, 1, true) then
    return true
  end
  for i = 1, #ENUMERATIONS do
    local value = event[ENUMERATIONS[i]]
    if value and find(value, field, 1, true) then
      return true
    end
  end
  for name, value in next, event do
    if not FIELDS[name] and begins_with(name, value, field) then
      return true
    end
  end
  return false
end

--- A form's signature joins names and values, so it stays good where bytes are
-- moved from one to the other. Tells of a field that is not there, but would
-- be if other fields were cut elsewhere.
---@param event table from `normalize`
---@return string? wrong
function M.recut(event)
  local listed, behind = listed_for(event.EventType)
  for i = 1, listed and #listed or 0 do
    local field = listed[i]
    if event[field] == nil and holds(event, behind, field) then
      return field .. " is missing, and another field seems to hold it"
    end
  end
end

local function is_whole(raw, canonical)
  local listed = LISTED[canonical]
  for i = 1, #listed do
    if raw[listed[i]] == nil then
      return false
    end
  end
  return raw.AccountSid ~= nil
end

-- By the type that came, which shapes have every field that it documents.
local WHOLE = {}
for name in pairs(KNOWN) do
  WHOLE[name] = {}
end

--- Makes an event of the fields of a form, which `normalize` and `recut` look
-- at, or of a query, which is signed as it stands. Most events have all that
-- is documented of their type: they are right, whatever the rest, and their
-- shape tells, without a look at each field.
---@param raw table<string, string|string[]> the event afterwards
---@param is_query boolean
---@param shape integer? what a verifier that has `check_fields` saw: which of
--- the documented texts there are, each one and of its kind
---@return table? event nil where `raw` is no event
---@return string wire_type_or_wrong as of `normalize`
---@return string? known the canonical type, where the catalogue has it
function M.of_fields(raw, is_query, shape)
  local wire = raw.EventType
  local shapes = shape and WHOLE[wire]
  if shapes and raw.ErrorCode == nil then
    local whole = shapes[shape]
    if whole == nil then
      whole = is_whole(raw, KNOWN[wire])
      shapes[shape] = whole
    end
    if whole then
      local known = KNOWN[wire]
      raw.EventType = known
      return raw, wire, known
    end
  end
  local event, note = M.normalize(raw)
  local wrong = event and not is_query and M.recut(event)
  if wrong then
    return nil, wrong
  end
  return event, note, event and KNOWN[event.EventType]
end

return M
