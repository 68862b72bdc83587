-- Registers a webhook for all interactions, lists what is there, and attaches
-- another one to a new interaction. Run it with TWILIO_ACCOUNT_SID and
-- TWILIO_AUTH_TOKEN set, and FLEXHOOKS_BASE_URL to try it on the simulator.
local flexhooks = require "flexhooks"

local client = flexhooks.client()
local url = arg[1] or "https://company.com/flex/events"

local all = assert(client.webhooks:create {
  webhook_url = url,
  webhook_events = { "onChannelCreated", "onParticipantJoined" },
})
local own = assert(client.webhooks:create {
  type = "interaction",
  webhook_url = url .. "/one",
  webhook_events = { "onChannelStatusUpdated" },
})
for _, webhook in ipairs(assert(client.webhooks:list())) do
  print(webhook.ttid, webhook.type, webhook.webhook_url)
end

local interaction = assert(client.interactions:create {
  channel = { type = "sms", initiated_by = "api" },
  webhook = own,
})
print(interaction.sid, "reports to", interaction.webhook_ttid)

assert(all:delete())
