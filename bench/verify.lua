-- Verify and parse of one form-encoded event of ten fields: events per second
-- of processor time.
local core = require "flexhooks.core"

local URL = "https://company.example/flex/events"
local id = ("0123456789abcdef"):rep(2)
local FIELDS = {
  { "EventType", "onParticipantJoined" },
  { "AccountSid", "AC" .. id },
  { "InstanceSid", "GO" .. id },
  { "InteractionSid", "KD" .. id },
  { "ChannelSid", "UO" .. id },
  { "ParticipantSid", "UT" .. id },
  { "ParticipantType", "agent" },
  { "MediaChannelType", "whatsapp" },
  { "MediaChannelSid", "CH" .. id },
  { "TaskSid", "WT" .. id },
}

local params = {}
for _, field in ipairs(FIELDS) do
  params[field[1]] = field[2]
end
local body = core.encode_form(FIELDS)
local key = core.key "0123456789abcdef0123456789abcdef"
local signature = key:sign(URL, params)
local verifier = core.verifier { url = URL }

-- What the other programs compare with, in their words.
if arg[1] == "print" then
  print(URL, body, signature)
  return
end

local name, seconds = arg[1], tonumber(arg[2])
local count, begun = 0, os.clock()
local took
repeat
  for _ = 1, 1000 do
    assert(verifier:form(key, signature, nil, body))
  end
  count = count + 1000
  took = os.clock() - begun
until took >= seconds
print(("verify and parse\t%s\t%.0f\tevents/s"):format(name, count / took))
