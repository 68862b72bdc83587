-- A signed JSON event without memory: handled, or an answer after which it
-- comes again. That it is no event, or forged, is never said.
local flexhooks = require "flexhooks"
local testing = require "flexhooks.testing"

local URL = "https://company.example/flex/events"
local RETRIED = { [500] = true, [503] = true }

local event = testing.event("onParticipantJoined",
  { Note = ('"\\u00e9'):rep(200) })
local request = testing.request(event, { auth_token = "secret", url = URL,
  content_type = "application/json" })

local handled
local router = flexhooks.router()
router:on("*", function(given)
  assert(given.Note == event.Note, "wrong: another event")
  handled = true
end)
local receiver = flexhooks.receiver { auth_token = "secret",
  public_url = URL, router = router, dedupe = false }
-- What is made with the first request is there already.
assert(receiver:handle(request).status == 200)

return function()
  handled = false
  local status = receiver:handle(request).status
  assert(status == 200 and handled or RETRIED[status],
    "wrong: answered " .. status .. ", handled " .. tostring(handled))
  return status == 200
end
