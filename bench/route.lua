-- From bytes to a handler, and the parts of that way: events per second of
-- processor time.
local flexhooks = require "flexhooks"
local testing = require "flexhooks.testing"

local URL = "https://company.example/flex/events"
local TOKEN = "0123456789abcdef0123456789abcdef"

local name, seconds = arg[1], tonumber(arg[2])

local function measure(variant, f)
  collectgarbage()
  local count, begun = 0, os.clock()
  local took
  repeat
    for _ = 1, 1000 do
      f()
    end
    count = count + 1000
    took = os.clock() - begun
  until took >= seconds
  print(("route\t%s, %s\t%.0f\tevents/s"):format(variant, name, count / took))
end

local function nothing() end

local function router_of(handlers)
  local router = flexhooks.router()
  for _ = 1, handlers do
    router:on("onParticipantJoined", nothing)
  end
  return router
end

local event = testing.event "onParticipantJoined"
local context = testing.context()
local request = testing.request(event, { auth_token = TOKEN, url = URL })
local h = request.headers
local token = h["I-Twilio-Idempotency-Token"]

local one, ten = router_of(1), router_of(10)
measure("a call", function()
  nothing(event, context)
end)
measure("dispatch to one", function()
  one:dispatch(event, context)
end)
measure("dispatch to ten", function()
  ten:dispatch(event, context)
end)

local filtered = flexhooks.router()
filtered:on("onParticipantJoined",
  { ParticipantType = "agent", MediaChannelType = { "sms", "web" } }, nothing)
measure("dispatch past a filter", function()
  filtered:dispatch(event, context)
end)

local wrapped = router_of(1)
wrapped:use(function(_, _, next)
  return next()
end)
measure("dispatch in middleware", function()
  wrapped:dispatch(event, context)
end)

-- The token differs each time, or all but the first would be duplicates.
local function receive(dedupe)
  local receiver = flexhooks.receiver { auth_token = TOKEN, public_url = URL,
    router = one, dedupe = dedupe }
  local n = 0
  return function()
    n = n + 1
    assert(receiver:answer("POST", "/flex/events", request.body,
      h["Content-Type"], nil, h["X-Twilio-Signature"], token .. n) == 200)
  end
end

measure("receive", receive {})
measure("receive, duplicates let through", receive(false))
