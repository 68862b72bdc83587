-- A small contact centre: the handlers of `make demo`.
--
-- `flexhooks serve` runs this file; the script that provisions reads from the
-- same file which events have handlers and where they are to be sent.
local flexhooks = require "flexhooks"
local json = require "flexhooks.json"

local router = flexhooks.router()

-- The demo shows and checks what was handled from this file, one line for each
-- event. An application of yours needs no such thing.
local record = io.open(os.getenv "DEMO_RECORD" or "/dev/null", "a")

router:use(function(event, context, next)
  local ok, err = next()
  record:write(assert(json.encode {
    at = context.received_at,
    event = event,
    note = context.state.note,
    failed = not ok,
  }), "\n")
  record:flush()
  return ok, err
end)

router:on("onInteractionCreated", function(_, context)
  context.state.note = "a customer is coming in"
end)

-- Of all participants, only agents, and only where people write: asks the API
-- who is on the channel now.
router:on("onParticipantJoined",
  { ParticipantType = "agent", MediaChannelType = { "sms", "whatsapp" } },
  function(event, context)
    local channel = context.client.interactions:ref(event.InteractionSid)
      .channels:ref(event.ChannelSid)
    local participants, err = channel.participants:list()
    if not participants then
      return nil, err
    end
    context.state.note = "asked the API: " .. #participants
      .. " on the channel"
  end)

-- When the agent has left a chat it is over: closes it, through the API, and
-- so brings about the next event.
router:on("onParticipantLeft",
  { ParticipantType = "agent", MediaChannelType = { "sms", "whatsapp" } },
  function(event, context)
    context.state.note = "closes the channel through the API"
    return context.client.interactions:ref(event.InteractionSid)
      .channels:update(event.ChannelSid, { status = "closed" })
  end)

router:on("onChannelStatusUpdated", { ChannelStatus = "closed" },
  function(_, context)
    context.state.note = "files the transcript"
  end)

router:on("onChannelCreateFailed", function(event, context)
  context.state.note = "alerts the operator: error " .. event.ErrorCode
end)

-- Everything else is only counted.
router:on({ "onChannelCreated", "onParticipantUpdated" }, function() end)

local public_url = os.getenv "FLEXHOOKS_PUBLIC_URL"
  or "http://127.0.0.1:8080/flex/events"

return {
  router = router,
  public_url = public_url,
  -- A webhook of one interaction gets a URL of its own: so the receiver can
  -- tell one event that comes twice from two equal events.
  sources = { [public_url .. "/interaction"] = "interaction" },
}
