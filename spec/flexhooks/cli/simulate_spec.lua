local command = require "spec.support.command"
local process = require "spec.support.process"
local simulate = require "flexhooks.cli.simulate"

local ACCOUNT = "AC" .. ("a"):rep(32)
local CREDENTIALS = { TWILIO_ACCOUNT_SID = ACCOUNT,
  TWILIO_AUTH_TOKEN = "s3cret-token" }

describe("cli.simulate", function()
  it("says where it listens, and logs events without a secret", function()
    assert.is_function(simulate.configure)
    assert.is_function(simulate.run)
    local child = command.spawn({ "simulate", "--port", "0", "--speed",
      "100" }, CREDENTIALS)
    local url = child:wait_output "listening on (http://127%.0%.0%.1:%d+)\n"
    local status, out = process.run { "curl", "-s", "-u",
      ACCOUNT .. ":s3cret-token", "--data-urlencode",
      'Channel={"type":"sms"}', url .. "/v1/Interactions" }
    assert.equal(0, status)
    assert.matches('"sid":"KD', out)
    child:wait_output "message=onInteractionCreated"
    child:wait_output "message=onChannelStatusUpdated"
    assert.equal(0, child:stop())
    assert.is_nil(child:stderr():find("s3cret", 1, true))
    assert.equal("listening on " .. url .. "\n", child:stdout())
  end)

  it("fails with 1 where the port is taken", function()
    local child = command.spawn { "simulate", "--port", "0" }
    local port = child:wait_output "listening on http://127%.0%.0%.1:(%d+)\n"
    local status, out, err = command.run { "simulate", "--port", port }
    assert.equal(1, status)
    assert.equal("", out)
    assert.matches("^flexhooks: listen: ", err)
    child:stop()
  end)

  it("fails with 2 where an option makes no sense", function()
    for wanted, arguments in pairs {
      ["option 'drop' must be at most 1"] = { "simulate", "--drop", "2" },
      ["option 'port' must be"] = { "simulate", "--port", "70000" },
      ["option '%-%-scenario' must be one of"] =
        { "simulate", "--scenario", "x" },
    } do
      local status, _, err = command.run(arguments, CREDENTIALS)
      assert.equal(2, status)
      assert.matches(wanted, err)
    end
    local status, _, err = command.run({ "simulate" },
      { TWILIO_ACCOUNT_SID = ACCOUNT, TWILIO_AUTH_TOKEN = false })
    assert.equal(2, status)
    assert.matches("TWILIO_AUTH_TOKEN", err)
  end)

  it("signs with a shared key that it is given", function()
    local env = { FLEXHOOKS_SHARED_KEYS = "webhooks_sharedkey_a=s3cret-key" }
    for name, value in pairs(CREDENTIALS) do
      env[name] = value
    end
    local child = command.spawn({ "simulate", "--port", "0", "--shared-key",
      "webhooks_sharedkey_a" }, env)
    local url = child:wait_output "listening on (http://127%.0%.0%.1:%d+)\n"
    local _, out = process.run { "curl", "-s", "-u",
      ACCOUNT .. ":s3cret-token", url .. "/v1/Webhooks/Rules" }
    assert.matches('"matchType":"DEFAULT"', out)
    child:stop()
    local status, _, err = command.run({ "simulate", "--shared-key", "x" },
      env)
    assert.equal(2, status)
    assert.matches("there is no shared key x", err)
  end)
end)
