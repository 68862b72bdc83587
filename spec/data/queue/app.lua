-- The application that crash specs kill: each event is one line of a journal.
-- What it does else comes from the environment.
local flexhooks = require "flexhooks"
local journal = require "spec.support.journal"

local slow = tonumber(os.getenv "SLOW" or 0)

local router = flexhooks.router()

router:on("*", function(event, context)
  if slow > 0 then
    -- Past its deadline a handler does nothing more: it is tried again.
    local slept, err = flexhooks.sleep(slow * math.random())
    if not slept then
      return nil, err
    end
  end
  journal.note("did", event, context)
end)

return {
  router = router, auth_token = "secret",
  public_url = "https://company.example/flex/events",
  queue = flexhooks.queue(os.getenv "QUEUE", { logger = nil,
    synchronous = os.getenv "SYNCHRONOUS" }),
  port = tonumber(os.getenv "PORT"), concurrency = 16, handler_timeout = 1,
  worker = os.getenv "WORKER" ~= "no", lease = tonumber(os.getenv "LEASE"),
  -- Each kill takes an attempt from what was running.
  backoff = { 0.05, 0.2 }, max_attempts = 1000,
}
