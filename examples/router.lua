-- Routes three kinds of events; `flexhooks serve examples/router.lua` runs it.
local flexhooks = require "flexhooks"

local router = flexhooks.router()

router:on("onParticipantJoined",
  { ParticipantType = "agent", MediaChannelType = { "sms", "whatsapp" } },
  function(event, context)
    context.log("info", "an agent took over", { task = event.TaskSid })
  end)

router:on("onChannelStatusUpdated", { ChannelStatus = "closed" },
  function(_, context)
    context.log("info", "a channel was closed")
  end)

router:on("onChannelCreateFailed", function(event, context)
  context.log("warn", "no channel", { code = event.ErrorCode })
end)

return router
