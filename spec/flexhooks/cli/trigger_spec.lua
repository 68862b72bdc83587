local command = require "spec.support.command"
local process = require "spec.support.process"
local trigger = require "flexhooks.cli.trigger"

local APP = [[
local flexhooks = require "flexhooks"
local router = flexhooks.router()
router:on("*", function(event)
  io.stdout:write("handled ", event.EventType, " ",
    event.ParticipantType or "-", "\n")
  io.stdout:flush()
end)
return { router = router, methods = { "POST", "GET" } }
]]

-- What the receiver takes for its URL; it listens on whatever port is free.
local SIGNED = "https://company.example/flex/events"

local server, url

local function run(arguments, env)
  env = env or { TWILIO_AUTH_TOKEN = "s3cret" }
  return command.run(arguments, env)
end

describe("cli.trigger", function()
  before_each(function()
    local app = process.write(process.folder() .. "/app.lua", APP)
    server = command.spawn({ "serve", app, "--port", "0", "--public-url",
      SIGNED }, { TWILIO_AUTH_TOKEN = "s3cret" })
    url = server:wait_output "listening on (http://%S+)\n" .. "/flex/events"
  end)

  after_each(function()
    server:stop()
  end)

  it("sends one signed event and prints the answer", function()
    assert.is_function(trigger.configure)
    assert.is_function(trigger.run)
    for _, method in ipairs { "POST", "GET" } do
      local status, out, err = run { "trigger", "onParticipantJoined", "--url",
        url, "--signed-url", SIGNED, "--method", method,
        "ParticipantType=agent" }
      assert.equal(0, status, err)
      assert.equal("200 {}\n", out)
      server:wait_output "handled onParticipantJoined agent\n"
    end
  end)

  it("fails with 1 where the receiver refuses", function()
    local status, out, err = run({ "trigger", "onChannelCreated", "--url",
      url, "--signed-url", SIGNED }, { TWILIO_AUTH_TOKEN = "0ther" })
    assert.equal(1, status)
    assert.matches("^403 ", out)
    assert.is_nil((out .. err):find("0ther", 1, true))
  end)

  it("signs the URL it sends to where no other is named", function()
    local status, out, err = run { "trigger", "onChannelCreated", "--url",
      url }
    assert.equal(1, status)
    assert.matches("^403 ", out)
    assert.matches("refused the signature", err)
  end)

  it("signs the environment's public URL where it is the same path",
    function()
      local env = { TWILIO_AUTH_TOKEN = "s3cret",
        TWILIO_ACCOUNT_SID = "AC" .. ("b"):rep(32),
        FLEXHOOKS_PUBLIC_URL = SIGNED }
      local status, out, err = run({ "trigger", "onChannelCreated", "--url",
        url .. "#rc=1" }, env)
      assert.equal(0, status, err)
      assert.equal("200 {}\n", out)
      assert.equal("signed for " .. SIGNED .. " ($FLEXHOOKS_PUBLIC_URL)\n",
        err)
      env.FLEXHOOKS_PUBLIC_URL = SIGNED .. "/other"
      assert.equal(1, (run({ "trigger", "onChannelCreated", "--url", url },
        env)))
    end)

  it("fails with 2 where it was misused", function()
    for wanted, arguments in pairs {
      ["onChanelCreated.*did you mean 'onChannelCreated'"] =
        { "trigger", "onChanelCreated", "--url", url },
      ["'agent' is not of the form Field=value"] =
        { "trigger", "onChannelCreated", "--url", url, "agent" },
    } do
      local status, out, err = run(arguments)
      assert.equal(2, status)
      assert.equal("", out)
      assert.matches(wanted, err)
    end
    local status, _, err = run({ "trigger", "onChannelCreated", "--url",
      url }, { TWILIO_AUTH_TOKEN = false })
    assert.equal(2, status)
    assert.matches("TWILIO_AUTH_TOKEN", err)
  end)

  it("fails with 1 where nobody listens", function()
    local status, _, err = run { "trigger", "onChannelCreated", "--url",
      "http://127.0.0.1:1/" }
    assert.equal(1, status)
    assert.matches("^flexhooks: connect: ", err)
  end)
end)
