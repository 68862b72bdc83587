local findings = require "spec.support.findings"
local webhooks = require "flexhooks.cli.doctor.webhooks"

local URL = "https://h.example/flex/events"

local function webhook(changes)
  local one = { ttid = "flex_interactionwebhook_1", type = "global",
    webhook_url = URL .. "#rc=3", webhook_method = "POST",
    webhook_events = { "onChannelCreated" }, friendly_name = "mine" }
  for name, value in pairs(changes or {}) do
    one[name] = value
  end
  return one
end

-- What is found of these webhooks, and which of them point here.
local function found(list, methods, urls)
  local report = findings.new()
  local client = { webhooks = { list = function()
    return list, not list and "refused" or nil
  end } }
  local here = webhooks.check(report, client, urls or { URL }, methods)
  return report:text(), here
end

describe("cli.doctor.webhooks", function()
  it("finds those that point here, by the URL that is signed", function()
    local text, here = found { webhook(), webhook { webhook_url =
      "https://other.example/", friendly_name = "other" } }
    assert.equal("pass webhooks: 1 of 2 point here: mine", text)
    assert.equal(1, #here)
    for _, url in ipairs { "https://h.example:443/flex/events#rc=3",
      "https://flex:OLD@h.example/flex/events" } do
      assert.equal("pass webhooks: 1 of 1 point here: mine",
        (found({ webhook { webhook_url = url .. "#rc=3" } }, nil,
          { "https://flex:NEW@h.example/flex/events" })))
    end
    assert.equal(URL, webhooks.signed(URL .. "#rc=1#"))
  end)

  it("finds those that nearly do", function()
    for _, url in ipairs { "http://h.example/flex/events",
      "https://H.example/flex/events", "https://h.example:8443/flex/events",
      "https://h.example/flex/%65vents", "https://h.example/x/../flex/events",
      URL .. "/", "https://h.example/Flex/events", URL .. "?a=1" } do
      local text, here = found { webhook { webhook_url = url } }
      assert.equal("fail webhooks: mine is registered with " .. url
        .. ", but the receiver's URL is " .. URL, text)
      assert.is_nil(here)
    end
    assert.equal("fail webhooks: none of 1 points at " .. URL,
      (found { webhook { webhook_url = URL .. "s" } }))
    assert.equal("fail webhooks: refused", (found(nil)))
  end)

  it("counts what comes more than once", function()
    local again = webhook { webhook_events = { "onChannelCreated",
      "onParticipantLeft" } }
    assert.matches("warn webhooks: more than one brings onChannelCreated: ",
      (found { webhook(), again }))
    assert.not_matches("warn", (found { webhook(), webhook { type =
      "interaction" } }))
    assert.same({ onChannelCreated = 2, onChannelStatusUpdated = 0 },
      webhooks.subscriptions { webhook(), webhook(), webhook {
        type = "interaction", webhook_events = { "onChannelUpdated" } } })
  end)

  it("compares methods", function()
    local get = webhook { webhook_method = "GET" }
    assert.matches("fail webhooks: mine delivers by GET", (found { get }))
    assert.not_matches("fail", (found({ get }, { "POST", "GET" })))
  end)

  it("warns where a failed delivery is not repeated", function()
    assert.matches("warn retries: mine: an event is lost",
      (found { webhook { webhook_url = URL } }))
  end)
end)
