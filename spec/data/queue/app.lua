-- The application that crash specs kill: each event is one line of a journal,
-- written at once. What it does else comes from the environment.
local flexhooks = require "flexhooks"

local journal = assert(io.open(os.getenv "JOURNAL", "a"))
journal:setvbuf "no"
local mark = os.getenv "MARK" or tostring(os.time())
local slow = tonumber(os.getenv "SLOW" or 0)

local router = flexhooks.router()

-- One write call, so that lines of several processes never mix.
router:on("*", function(event, context)
  if slow > 0 then
    -- Past its deadline a handler does nothing more: it is tried again.
    local slept, err = flexhooks.sleep(slow * math.random())
    if not slept then
      return nil, err
    end
  end
  journal:write(table.concat({ mark, event.InteractionSid, event.Number,
    context.id, context.attempt, tostring(context.fence) }, " ") .. "\n")
end)

return {
  router = router, auth_token = "secret",
  public_url = "https://company.example/flex/events",
  queue = flexhooks.queue(os.getenv "QUEUE", { logger = nil,
    synchronous = os.getenv "SYNCHRONOUS" }),
  port = tonumber(os.getenv "PORT"), concurrency = 16, handler_timeout = 1,
  worker = os.getenv "WORKER" ~= "no", lease = tonumber(os.getenv "LEASE"),
  backoff = { 0.05, 0.2 },
}
