-- The application of `make demo-redis`: servers store its events in Redis,
-- workers handle them. Each handled event is a line of a record that all
-- workers share.
local flexhooks = require "flexhooks"

local router = flexhooks.router()
local record = assert(io.open(os.getenv "DEMO_RECORD", "a"))
record:setvbuf "no"

-- A handler that takes its time, as one that calls a CRM would.
router:on("*", function(event, context)
  flexhooks.sleep(0.01)
  record:write(("%s %s %s %d %d\n"):format(os.getenv "DEMO_WORKER" or "-",
    event.InteractionSid, event.Number, context.attempt,
    context.fence or 0))
end)

-- A lease of two seconds: what a worker that dies was working on is another's
-- after at most that time. Where the demo is interrupted Redis goes at the
-- same moment: nobody waits long to tell it of what was handled.
return { router = router, handler_timeout = 1, lease = 2, concurrency = 8,
  grace = 1, worker = not os.getenv "DEMO_SERVE" }
