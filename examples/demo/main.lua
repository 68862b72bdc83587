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

-- The events that each of the interactions below consists of.
local PLAN = {
  { type = "sms", scenario = "open", events = 8, color = "green",
    attached = true },
  { type = "voice", scenario = "conversation", events = 8, color = "blue" },
  { type = "whatsapp", scenario = "failed", events = 2, color = "yellow" },
}

local function must(value, err)
  if value == nil then
    io.stderr:write("demo: ", tostring(err), "\n")
    os.exit(1, true)
  end
  return value
end

-- Webhooks ------------------------------------------------------------------

local function describe(webhook)
  return ("%-11s %s  %d events  %s"):format(webhook.type, webhook.webhook_url,
    #webhook.webhook_events, webhook.friendly_name or "")
end

local function provision(client)
  page.heading "Webhooks: register, list, update"
  local events = app.router:subscribed()
  local all = must(client.webhooks:create {
    webhook_url = app.public_url,
    webhook_events = events,
    friendly_name = "demo, all interactions",
  })
  local own = must(client.webhooks:create {
    type = "interaction",
    webhook_url = interaction_url,
    webhook_events = { "onChannelCreated" },
    friendly_name = "demo, one interaction",
  })
  page.line("created", describe(all))
  page.line("created", describe(own))
  must(own:update { webhook_events = events })
  page.line("updated", describe(must(client.webhooks:get(own.ttid))))
  local list = must(client.webhooks:list())
  page.line("listed", #list .. " webhooks")
  return { all = all, own = own, listed = #list }
end

local function remove(client, webhooks)
  page.heading "Webhooks: delete"
  must(webhooks.all:delete())
  must(webhooks.own:delete())
  local left = #must(client.webhooks:list())
  page.line("deleted", left .. " left")
  return left
end

-- Interactions --------------------------------------------------------------

local function begin(client, webhooks)
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
      plan.attached and "  with a webhook of its own" or ""))
  end
  return colors
end

local function show(entry, begun, colors)
  local event = entry.event
  local detail = event.ParticipantType or event.ChannelStatus
    or event.ErrorCode and tostring(event.ErrorCode) or ""
  page.event(flexhooks.clock() - begun, colors[event.InteractionSid] or "dim",
    event.MediaChannelType, event.EventType, detail, entry.note)
end

-- Reads what the handlers have recorded since the last call.
local function read_record(file, record)
  file:seek("set", record.read)
  for line in file:lines() do
    record[#record + 1] = assert(json.decode(line))
    record.read = record.read + #line + 1
  end
end

local function journal(client)
  return must(client:request("GET", "/simulator/journal"))
end

-- Shows events as they are handled, until the simulator has nothing to come.
local function watch(client, colors)
  local file = assert(io.open(os.getenv "DEMO_RECORD"))
  local begun, record, shown = flexhooks.clock(), { read = 0 }, 0
  local pending
  repeat
    pending = journal(client).pending and flexhooks.clock() < begun + 20
    read_record(file, record)
    for index = shown + 1, #record do
      show(record[index], begun, colors)
    end
    shown = #record
    flexhooks.sleep(0.1)
  until not pending
  file:close()
  return record
end

-- A forgery -----------------------------------------------------------------

local function forge()
  page.heading "A forged delivery"
  local forged = { auth_token = "not the account's token",
    url = app.public_url }
  local request = testing.request(testing.event("onParticipantJoined", {
    AccountSid = os.getenv "TWILIO_ACCOUNT_SID",
    ParticipantType = "agent",
  }), forged)
  local response = must(flexhooks.http(app.public_url, {
    method = "POST",
    headers = request.headers,
    body = request.body,
  }))
  local valid, why = flexhooks.signature.validate {
    auth_token = os.getenv "TWILIO_AUTH_TOKEN",
    signature = request.headers["X-Twilio-Signature"],
    url = app.public_url,
    method = "POST",
    body = request.body,
  }
  page.line("sent", "onParticipantJoined, signed with another token")
  page.line("answer", tostring(response.status))
  page.line("because", valid and "it is valid" or tostring(why))
  return response.status, valid
end

local function metrics()
  local response = must(flexhooks.http("http://" .. os.getenv "DEMO_ADMIN"
    .. "/metrics"))
  return response.body
end

-- The whole -----------------------------------------------------------------

local function summarise(claims)
  page.heading "Summary"
  local holds = true
  for _, claim in ipairs(claims) do
    page.claim(claim[1], claim[2])
    holds = holds and claim[2]
  end
  return holds
end

local function claims_of(seen)
  local events = 0
  for _, plan in ipairs(PLAN) do
    events = events + plan.events
  end
  local claims = check.events(seen.journal, seen.record, { events = events })
  for _, claim in ipairs {
    { "two webhooks were registered, none is left",
      seen.webhooks.listed == 2 and seen.left == 0 },
    { "the forgery was refused with 403 and reached no handler",
      seen.forged == 403 and seen.valid == nil
        and seen.record_after == #seen.record },
  } do
    claims[#claims + 1] = claim
  end
  return claims
end

local function main()
  local client = flexhooks.client()
  local seen = {}
  page.heading "flexhooks demo"
  page.line("simulator", os.getenv "FLEXHOOKS_BASE_URL")
  page.line("receiver", app.public_url)
  seen.webhooks = provision(client)
  page.heading "Interactions"
  local colors = begin(client, seen.webhooks)
  page.heading "Events, as they are handled"
  seen.record = watch(client, colors)
  seen.journal = journal(client)
  seen.forged, seen.valid = forge()
  seen.left = remove(client, seen.webhooks)
  local after = { read = 0 }
  local file = assert(io.open(os.getenv "DEMO_RECORD"))
  read_record(file, after)
  file:close()
  seen.record_after = #after
  seen.metrics = metrics()
  return summarise(claims_of(seen))
end

os.exit(flexhooks.run(main) and 0 or 1, true)
