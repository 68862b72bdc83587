-- A copy of a fetched object was refused as a parameter table where the answer
-- held a field that is not documented.
local flexhooks = require "flexhooks"
local testing = require "flexhooks.testing"

local TTID = "flex_interactionwebhook_01jke8z8vte4ette30t5w9h081"
local ANSWER = { ttid = TTID, webhook_url = "https://company.com/flex",
  webhook_events = { "onChannelCreated" }, type = "global",
  date_created = "2026-01-01T00:00:00Z", region = { home = "us1" } }

describe("a fetched webhook with an undocumented field", function()
  local transport = testing.transport { { body = ANSWER }, { body = ANSWER },
    { body = ANSWER }, { body = ANSWER } }
  local client = flexhooks.client {
    account_sid = "AC" .. ("1"):rep(32), auth_token = "token",
    instance_sid = "GO" .. ("1"):rep(32), transport = transport,
  }
  local webhook = assert(client.webhooks:get(TTID))

  it("can be created and updated again, itself or its copy", function()
    local copy = {}
    for name, value in pairs(webhook) do
      copy[name] = value
    end
    assert(client.webhooks:create(webhook))
    assert(client.webhooks:create(copy))
    assert(webhook:update(copy))
    local body = transport.requests[2].body
    assert.equal("Type=global&WebhookEvents=onChannelCreated"
      .. "&WebhookUrl=https%3A%2F%2Fcompany.com%2Fflex", body)
    assert.equal(body, transport.requests[3].body)
    assert.equal(body, transport.requests[4].body)
  end)

  it("does not hide a slip", function()
    local ok, err = pcall(client.webhooks.create, client.webhooks,
      { webhook_urls = "x", data = webhook.data })
    assert.is_false(ok)
    assert.matches("webhook_url", err.message)
  end)
end)
