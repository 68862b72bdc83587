-- Registers a webhook for every interaction and one for a single interaction,
-- looks at them, changes one, creates an interaction that carries the other,
-- and takes both away again.
--
--   lua5.4 examples/provision.lua [https://company.example/flex/events]
--
-- TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN say whose they are;
-- FLEXHOOKS_BASE_URL tries it on the simulator (flexhooks simulate).
local flexhooks = require "flexhooks"

-- Ask Twilio to try again when our server answers 5xx or not at all: by itself
-- it repeats a delivery only when it could not connect.
local url = flexhooks.delivery_url(
  arg[1] or "https://company.example/flex/events",
  { retries = 3, retry_on = { "5xx", "ct", "rt" } })

local client = flexhooks.client()
local made = {}

local function create(params)
  local webhook = assert(client.webhooks:create(params))
  made[#made + 1] = webhook
  print("created", webhook.type, webhook.ttid)
  return webhook
end

local function provision()
  local all = create {
    friendly_name = "example/every interaction",
    webhook_url = url,
    webhook_events = { "onInteractionCreated", "onChannelStatusUpdated" },
  }
  local one = create {
    type = "interaction",
    friendly_name = "example/one interaction",
    webhook_url = url,
    webhook_events = { "*" },
  }

  for webhook in client.webhooks:each { type = "global" } do
    print("there is", webhook.ttid, webhook.friendly_name or "")
  end

  assert(all:update { webhook_events = { "onParticipantJoined" } })
  print("updated", all.ttid, table.concat(all.webhook_events, " "))

  local interaction = assert(client.interactions:create {
    channel = { type = "sms", initiated_by = "api" },
    routing = { properties = { task_channel_unique_name = "sms" } },
    webhook = one,
  })
  print("reports", interaction.sid, interaction.webhook_ttid)
end

-- What was registered is taken away whatever happened.
local ok, err = pcall(provision)
for _, webhook in ipairs(made) do
  print("deleted", webhook.ttid, assert(webhook:delete()))
end
client:close()
if not ok then
  io.stderr:write("provision: ", tostring(err), "\n")
  os.exit(1)
end
