-- One form-encoded event of ten fields: verified and parsed, by either
-- algorithm, and validated as a script does; events per second of processor
-- time.
local core = require "flexhooks.core"
local signature = require "flexhooks.signature"

local URL = "https://company.example/flex/events"
local TOKEN = "0123456789abcdef0123456789abcdef"
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
local sha1 = core.key(TOKEN, "HMAC_SHA1")
local sha256 = core.key(TOKEN, "HMAC_SHA256")
local signed1, signed256 = sha1:sign(URL, params), sha256:sign(URL, params)
local verifier = core.verifier { url = URL }

-- What the other programs compare with, in their words.
if arg[1] == "print" then
  print(URL, body, signed1, signed256)
  return
end

local name, seconds = arg[1], tonumber(arg[2])

-- Calls what verifies one event until the time is over.
local function measure(subject, variant, verify)
  local count, begun = 0, os.clock()
  local took
  repeat
    for _ = 1, 1000 do
      assert(verify())
    end
    count = count + 1000
    took = os.clock() - begun
  until took >= seconds
  print(("%s\t%s\t%.0f\tevents/s"):format(subject, variant, count / took))
end

local function verify_and_parse()
  return verifier:form(sha1, signed1, nil, body)
end

measure("verify and parse", "flexhooks, " .. name, verify_and_parse)
measure("verify and parse, SHA-256", "flexhooks, " .. name, function()
  return verifier:form(sha256, signed256, nil, body)
end)

local validating = "signature.validate, " .. name
measure(validating, "the receiver's verify and parse", verify_and_parse)
measure(validating, "of a body", function()
  return signature.validate { auth_token = TOKEN, signature = signed1,
    url = URL, body = body }
end)
measure(validating, "of parameters", function()
  return signature.validate { auth_token = TOKEN, signature = signed1,
    url = URL, params = params }
end)
