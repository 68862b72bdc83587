local webhook_file = require "flexhooks.cli.webhook_file"
local hooks_command = require "spec.support.hooks_command"

local unpack = table.unpack or unpack

local APP = [[
local router = require("flexhooks").router()
router:on({ "onChannelCreated", "onParticipantLeft" }, print)
return { router = router, public_url = %s }
]]

local URL = '"https://company.example/flex/events"'

describe("cli.webhook_file", function()
  local bench, two

  lazy_setup(function()
    bench = hooks_command.start()
    two = bench:file(hooks_command.TWO)
  end)

  lazy_teardown(function()
    bench:stop()
  end)

  local function app(public_url)
    return bench:file(APP:format(public_url), "app.lua")
  end

  it("tells where a file and an application differ, both ways", function()
    for _, f in ipairs { webhook_file.configure,
      webhook_file.configure_owner, webhook_file.read, webhook_file.plan,
      webhook_file.data } do
      assert.is_function(f)
    end
    local status, out, err = bench:run("plan", two, "--app", app(URL))
    assert.equal(0, status)
    assert.matches("Plan: 2 to create", out)
    assert.equal("flexhooks: warning: onParticipantJoined is subscribed to, "
      .. "but the application has no handler for it\n"
      .. "flexhooks: warning: onParticipantLeft is handled, but no webhook in "
      .. "the file brings it\n", err)
  end)

  it("derives a webhook from an application", function()
    local status, out, err = bench:run("plan", "--app", app(URL))
    assert.equal(0, status, err)
    assert.equal("", err)
    assert.matches('webhook_url: "https://company.example/flex/events"', out)
    assert.matches('friendly_name: "flexhooks company.example/flex/events"\n',
      out)
    assert.matches("webhook_events: %[onChannelCreated, onParticipantLeft%]",
      out)
    out = select(2, bench:run("plan", "--app", app(URL), "--owner", "teamA",
      "--prune"))
    assert.matches('friendly_name: "teamA/company.example/flex/events"\n', out)
    local long = ("x"):rep(300)
    out = select(2, bench:run("plan", "--app", app('"https://h.example/'
      .. long .. '"'), "--owner", "teamA"))
    assert.matches('friendly_name: "teamA/h.example/x+ %x+"\n', out)
    bench.env.FLEXHOOKS_PUBLIC_URL = "https://elsewhere.example/x"
    out = select(2, bench:run("plan", "--app", app "nil"))
    assert.matches('webhook_url: "https://elsewhere.example/x"', out)
    bench.env.FLEXHOOKS_PUBLIC_URL = nil
  end)

  it("names what is missing", function()
    for wanted, arguments in pairs {
      ["name a file of webhooks, or an application"] = {},
      ["no public_url.*FLEXHOOKS_PUBLIC_URL"] = { "--app", app "nil" },
      ["nonexistent"] = { "--app", "/nonexistent/app.lua" },
      ["no router"] = { "--app", bench:file("return {}", "app.lua") },
    } do
      local status, out, err = bench:run("plan", unpack(arguments))
      assert.equal(2, status)
      assert.equal("", out)
      assert.matches(wanted, err)
    end
  end)
end)
