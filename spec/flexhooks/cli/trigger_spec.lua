local command = require "spec.support.command"
local json = require "flexhooks.json"
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

  it("says what a 400 means", function()
    local status, out, err = run { "trigger", "onChannelCreated", "--url",
      url, "--signed-url", SIGNED, "InteractionSid=no" }
    assert.equal(1, status)
    assert.matches("^400 ", out)
    assert.matches("^400: the signature held", err)
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
      "http://127.0.0.1:" .. process.port() .. "/" }
    assert.equal(1, status)
    assert.matches("^flexhooks: connect: ", err)
  end)

  it("sends a scenario in its order", function()
    local status, out, err = run { "trigger", "--scenario", "conversation",
      "--url", url, "--signed-url", SIGNED, "--speed", "100" }
    assert.equal(0, status, err)
    local names = {}
    for name in out:gmatch "200 (%w+) KD%x+\n" do
      names[#names + 1] = name
    end
    assert.equal("onInteractionCreated onChannelCreated "
      .. "onChannelStatusUpdated onParticipantJoined onParticipantJoined "
      .. "onParticipantUpdated onParticipantLeft onChannelStatusUpdated",
      table.concat(names, " "))
    assert.matches("^8 sent in .*: 200 × 8; p50 ", err)
    server:wait_output("handled onParticipantLeft agent\n"
      .. "handled onChannelStatusUpdated")
  end)

  it("signs captured events anew, from a file or a pipe", function()
    local captured = [[
{"EventType":"onNewerThanUs","AccountSid":"%s","InteractionSid":"KD%s"}
EventType=onOther&AccountSid=%s&InteractionSid=KD1&ParticipantType=a+b%%26
]]
    local account = "AC" .. ("d"):rep(32)
    captured = captured:format(account, ("e"):rep(32), account)
      :gsub("KD1", "KD" .. ("f"):rep(32))
    local path = process.write(process.folder() .. "/captured", captured)
    for _, arguments in ipairs { { path }, { "-" } } do
      local status, out, err = command.run({ "trigger", "--events",
        arguments[1], "--url", url, "--signed-url", SIGNED },
        { TWILIO_AUTH_TOKEN = "s3cret" }, { stdin = captured })
      assert.equal(0, status, err)
      assert.equal("200 onNewerThanUs KD" .. ("e"):rep(32)
        .. "\n200 onOther KD" .. ("f"):rep(32) .. "\n", out)
    end
    server:wait_output "handled onOther a b&\n"
  end)

  it("sends a load, and says what came of it", function()
    local load = { "trigger", "onChannelCreated", "--url", url, "--signed-url",
      SIGNED, "--count", "50", "--rate", "500" }
    local status, out, err = run(load)
    assert.equal(0, status, err)
    assert.equal("", err)
    assert.matches("^50 sent in [%d.]+ s %(%d+/s%): 200 × 50; p50 [%d.]+ ms, "
      .. "p99 [%d.]+ ms, max [%d.]+ ms\n$", out)
    load[#load + 1] = "--json"
    status, out, err = run(load)
    assert.equal(0, status, err)
    local summary = assert(json.decode(out))
    assert.same({ ["200"] = 50 }, summary.statuses)
    assert.equal(50, summary.good)
    local _, handled = server:stdout():gsub("handled onChannelCreated", "")
    assert.equal(100, handled)
  end)

  it("fails with 1 where any of a load fails, and counts on", function()
    local status, out = run { "trigger", "onChannelCreated", "--url",
      "http://127.0.0.1:" .. process.port() .. "/", "--count", "3" }
    assert.equal(1, status)
    assert.matches("^3 sent in .*: connect × 3\n$", out)
  end)

  it("ends at Ctrl-C with what was sent so far", function()
    local child = command.spawn({ "trigger", "onChannelCreated", "--url", url,
      "--signed-url", SIGNED, "--count", "100000", "--rate", "50" },
      { TWILIO_AUTH_TOKEN = "s3cret" })
    server:wait_output "handled onChannelCreated"
    child:kill "INT"
    assert.equal(1, child:wait())
    assert.matches("^%d+ sent in [%d.]+ s .*\n$", child:stdout())
    assert.equal("flexhooks: cancelled: interrupted\n", child:stderr())
  end)

  it("signs with a shared key that it is given", function()
    local id = "webhooks_sharedkey_a"
    local app = process.write(process.folder() .. "/app.lua",
      (APP:gsub("router = router", "%0, auth_token = false")))
    local file = process.write(process.folder() .. "/keys", id
      .. "=a s3cret with blanks\n" .. id .. "2=0ther\n")
    os.execute("chmod 600 " .. file)
    local shared = command.spawn({ "serve", app, "--port", "0", "--public-url",
      SIGNED, "--shared-keys-file", file }, { TWILIO_AUTH_TOKEN = "s3cret" })
    local to = shared:wait_output "listening on (http://%S+)\n"
      .. "/flex/events"
    for _, method in ipairs { "POST", "GET" } do
      local status, out, err = run { "trigger", "onChannelCreated", "--url",
        to, "--signed-url", SIGNED, "--method", method, "--shared-keys-file",
        file, "--shared-key", id }
      assert.equal(0, status, err)
      assert.equal("200 {}\n", out)
    end
    local status, out, err = run { "trigger", "onChannelCreated", "--url", to,
      "--signed-url", SIGNED }
    assert.equal(1, status)
    assert.matches("^403 ", out)
    assert.matches("auth token or shared key", err)
    status, out, err = run { "trigger", "onChannelCreated", "--url", to,
      "--shared-keys-file", file }
    assert.same({ 2, "" }, { status, out })
    assert.matches("choose one with %-%-shared%-key", err)
    shared:stop()
  end)
end)
