-- The demo's script: provisions webhooks, starts interactions, shows what the
-- handlers do with the events, tries a forgery, cleans up, and checks it all.
-- examples/demo/run starts it beside the simulator and the receiver.
local here = arg[0]:match "^(.*)/[^/]*$" or "."
package.path = here .. "/?.lua;" .. package.path

local check = require "check"
local flexhooks = require "flexhooks"
local json = require "flexhooks.json"
local page = require "page"
local testing = require "flexhooks.testing"

local app = dofile(here .. "/app.lua")
local interaction_url = next(app.sources)

-- What each interaction is, and of how many events it consists.
local PLAN = {
  { type = "sms", scenario = "open", events = 8, color = "green",
    attached = true },
  { type = "voice", scenario = "conversation", events = 8, color = "blue" },
  { type = "whatsapp", scenario = "failed", events = 2, color = "yellow" },
}

-- Seconds for all of it; the simulator needs six.
local PATIENCE = 12

local function must(value, err)
  if value == nil then
    io.stderr:write("demo: ", tostring(err), "\n")
    os.exit(1, true)
  end
  return value
end

-- Webhooks ------------------------------------------------------------------

local function describe(webhook)
  return ("%-12s %-52s %d events"):format(webhook.type, webhook.webhook_url,
    #webhook.webhook_events)
end

local function provision(client)
  page.heading "Webhooks"
  local events = app.router:subscribed()
  local all = must(client.webhooks:create {
    webhook_url = app.public_url,
    webhook_events = events,
    friendly_name = "demo/all interactions",
  })
  page.line("created", describe(all))
  local own = must(client.webhooks:create {
    type = "interaction",
    webhook_url = interaction_url,
    webhook_events = { "onChannelCreated" },
    friendly_name = "demo/one interaction",
  })
  page.line("created", describe(own))
  page.line("updated", describe(must(own:update {
    webhook_events = events,
  })))
  local list = must(client.webhooks:list())
  for _, webhook in ipairs(list) do
    page.line("listed", ("%-12s %s"):format(webhook.type, webhook.ttid))
  end
  return { all = all, own = own, listed = #list }
end

local function remove(client, webhooks)
  page.heading "Webhooks again"
  must(webhooks.all:delete())
  must(webhooks.own:delete())
  webhooks.left = #must(client.webhooks:list())
  page.line("deleted", "both; " .. webhooks.left .. " left")
end

-- Interactions --------------------------------------------------------------

local function begin(client, webhooks)
  page.heading "Interactions"
  local colors = {}
  for _, plan in ipairs(PLAN) do
    local interaction = must(client.interactions:create {
      channel = {
        type = plan.type,
        initiated_by = "customer",
        properties = { scenario = plan.scenario },
      },
      webhook = plan.attached and webhooks.own or nil,
    })
    colors[interaction.sid] = plan.color
    page.line("created", ("%-9s %s%s"):format(plan.type, interaction.sid,
      plan.attached and "  with the webhook of its own" or ""))
  end
  return colors
end

-- Appends to `record` what the handlers have recorded since the last call.
local function read_record(record)
  local file = assert(io.open(os.getenv "DEMO_RECORD"))
  file:seek("set", record.read)
  for line in file:lines() do
    record[#record + 1] = assert(json.decode(line))
    record.read = record.read + #line + 1
  end
  file:close()
end

local function read_journal(client)
  return must(client:request("GET", "/simulator/journal"))
end

local function recipients(journal)
  local map = {}
  for _, entry in ipairs(journal.events) do
    map[check.name_of(entry.event)] = entry.recipients
  end
  return map
end

local function show(entry, begun, color, twice)
  local event = entry.event
  page.event {
    seconds = entry.at - begun,
    color = color or "dim",
    channel = event.MediaChannelType,
    name = event.EventType,
    detail = tostring(event.ParticipantType or event.ChannelStatus
      or event.ErrorCode or ""),
    twice = twice,
    note = entry.note,
  }
end

-- Shows events as they are handled, until nothing is left to come.
local function watch(client, colors, begun)
  page.heading "Events, as they are handled (×2: both webhooks told of it)"
  local record, shown = { read = 0 }, 0
  local journal
  repeat
    journal = read_journal(client)
    read_record(record)
    local told = recipients(journal)
    for index = shown + 1, #record do
      local event = record[index].event
      show(record[index], begun, colors[event.InteractionSid],
        told[check.name_of(event)] == 2)
    end
    shown = #record
    flexhooks.sleep(0.1)
  until not journal.pending or flexhooks.now() > begun + PATIENCE
  return record, journal
end

-- A forgery -----------------------------------------------------------------

-- Workers of nginx add up what they counted a few times a second: a reading is
-- whole when the next one is the same, and in any case after three seconds.
local function read_metrics()
  local url = "http://" .. os.getenv "DEMO_ADMIN" .. "/metrics"
  local text, before
  for _ = 1, 10 do
    before, text = text, must(flexhooks.http(url, { expect = 200 })).body
    if text == before then
      break
    end
    flexhooks.sleep(0.3)
  end
  return text
end

local function count_refusals()
  return check.counter(read_metrics(), "events_rejected_total")
end

local function forge()
  page.heading "A forgery"
  local request = testing.request(testing.event("onParticipantJoined", {
    AccountSid = os.getenv "TWILIO_ACCOUNT_SID",
  }), { auth_token = "not the account's token", url = app.public_url })
  page.line("sent", "onParticipantJoined, signed with another token")
  local before = count_refusals()
  local response = must(flexhooks.http(app.public_url, { expect = 403,
    method = "POST", headers = request.headers, body = request.body }))
  local valid, why = flexhooks.signature.validate {
    auth_token = os.getenv "TWILIO_AUTH_TOKEN",
    signature = request.headers["X-Twilio-Signature"],
    url = app.public_url,
    body = request.body,
  }
  page.line("refused", response.status .. ", and no more is said to strangers")
  page.line("why", why and why.message or "it is valid")
  return { status = response.status, valid = valid,
    counted = count_refusals() - before }
end

-- The whole -----------------------------------------------------------------

local function summarise(seen)
  page.heading "Summary"
  local expected, holds = 0, true
  for _, plan in ipairs(PLAN) do
    expected = expected + plan.events
  end
  for _, claim in ipairs(check.claims(seen, expected)) do
    page.claim(claim[1], claim[2])
    holds = holds and claim[2]
  end
  return holds
end

local function main()
  local client = flexhooks.client()
  local seen = {}
  page.heading "flexhooks demo"
  page.line("simulator", os.getenv "FLEXHOOKS_BASE_URL"
    .. "  stands in for the Flex API")
  page.line("receiver", app.public_url .. "  runs examples/demo/app.lua")
  seen.webhooks = provision(client)
  local begun = flexhooks.now()
  local colors = begin(client, seen.webhooks)
  seen.record, seen.journal = watch(client, colors, begun)
  seen.forgery = forge()
  remove(client, seen.webhooks)
  read_record(seen.record)
  seen.metrics = read_metrics()
  return summarise(seen)
end

os.exit(flexhooks.run(main) and 0 or 1, true)
