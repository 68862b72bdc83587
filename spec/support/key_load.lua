-- A steady load of signed events on a port, each over a connection of its own
-- as Twilio's are, about a thousand a second. STATEFILE holds the names of the
-- shared keys that sign, one after another; "stop" ends it. Prints the outcome
-- as JSON: `answered` by key, `refused` by status and key, `unanswered`.
--
--   lua spec/support/key_load.lua PORT STATEFILE
local cjson = require "cjson"
local socket = require "socket"

local d = require "spec.support.deliveries"
local process = require "spec.support.process"
local wire = require "spec.support.wire"

local RATE = 1000 -- a second
local LOOK = 20 -- events between two looks at the file
local LONGEST = 600 -- seconds

local port, state_file = tonumber(arg[1]), arg[2]
local counts = { answered = {}, refused = {}, unanswered = 0 }

local function count(list, name)
  list[name] = (list[name] or 0) + 1
end

local function send(i, name)
  local request = d.post { fields = d.fields { N = tostring(i) },
    shared = { id = "webhooks_sharedkey_" .. name, secret = name .. " secret",
      algorithm = "HMAC_SHA256" } }
  request.headers.Connection = "close"
  local answer = wire.send(port, wire.request(request.method, request.target,
    request.headers, request.body), { expect = 1, wait = 10 }).answers[1]
  if not answer then
    counts.unanswered = counts.unanswered + 1
  elseif answer.status == 200 then
    count(counts.answered, name)
  else
    count(counts.refused, answer.status .. " " .. name)
  end
end

local function names_of(text)
  local names = {}
  for name in text:gmatch "%S+" do
    names[#names + 1] = name
  end
  return names
end

local begun, i, names = socket.gettime(), 0, nil
while true do
  if i % LOOK == 0 then
    names = names_of(process.read(state_file))
    if names[1] == "stop" then
      break
    end
    assert(socket.gettime() < begun + LONGEST, "not stopped within 600 s")
  end
  i = i + 1
  if not pcall(send, i, names[i % #names + 1]) then
    counts.unanswered = counts.unanswered + 1
  end
  if i == 1 then
    print "began"
    io.stdout:flush()
  end
  socket.sleep(math.max(0, begun + i / RATE - socket.gettime()))
end
counts.sent, counts.seconds = i, socket.gettime() - begun
print(cjson.encode(counts))
