local command = require "spec.support.command"
local json = require "flexhooks.json"
local process = require "spec.support.process"
local webhooks = require "flexhooks.cli.webhooks"

local service, env

-- Runs `flexhooks webhooks …`; its status, output and messages.
local function run(...)
  return command.run({ "webhooks", ... }, env)
end

local function succeed(...)
  local status, out, err = run(...)
  assert.equal(0, status, err)
  return out, err
end

describe("cli.webhooks", function()
  before_each(function()
    service = command.spawn { "simulate", "--port", "0" }
    env = {
      FLEXHOOKS_BASE_URL = service:wait_output "listening on (http://%S+)\n",
      TWILIO_ACCOUNT_SID = "AC" .. ("a"):rep(32),
      TWILIO_AUTH_TOKEN = "s3cret",
    }
  end)

  after_each(function()
    service:stop()
  end)

  it("creates, shows, changes, lists and deletes", function()
    assert.is_function(webhooks.configure)
    assert.is_function(webhooks.run)
    assert.equal("TTID  TYPE  METHOD  NAME  URL  EVENTS\n", succeed "list")
    local out = succeed("create", "--url", "https://h.example/e", "--event",
      "onChannelCreated", "--event", "onParticipantLeft", "--name", "staging")
    local ttid = out:match "^ttid +(flex_interactionwebhook_%w+)\n"
    assert.matches("\nwebhook_method +POST\n", out)
    assert.matches("\nwebhook_events +onChannelCreated onParticipantLeft\n",
      out)
    assert.equal(out, succeed("get", ttid))
    out = succeed("update", ttid, "--method", "GET")
    assert.matches("\nwebhook_method +GET\n", out)
    assert.matches("\nfriendly_name +staging\n", out)
    assert.matches("\n" .. ttid .. "  global  GET +staging  "
      .. "https://h%.example/e  onChannelCreated onParticipantLeft\n",
      succeed("list", "--type", "global"))
    local err
    out, err = succeed("delete", ttid)
    assert.equal("", out)
    assert.equal("deleted " .. ttid .. "\n", err)
  end)

  it("prints JSON where it is asked to", function()
    assert.equal("[]\n", succeed("list", "--json"))
    local out = succeed("create", "--json", "--url", "https://h.example/e",
      "--event", "onChannelCreated", "--type", "interaction")
    local webhook = assert(json.decode(out))
    assert.equal("interaction", webhook.type)
    assert.same({ webhook }, json.decode((succeed("list", "--json"))))
    assert.same(webhook, json.decode((succeed("get", "--json", webhook.ttid))))
  end)

  it("deletes several, and stops at the first that fails", function()
    local ttids = {}
    for i = 1, 3 do
      ttids[i] = succeed("create", "--url", "https://h.example/e", "--event",
        "onChannelCreated"):match "(flex_[%w_]+)\n"
    end
    local status, _, err = run("delete", ttids[1], "flex_interactionwebhook_"
      .. ("0"):rep(26), ttids[2])
    assert.equal(1, status)
    assert.matches("^deleted " .. ttids[1] .. "\nflexhooks: not_found: ", err)
    assert.is_not_nil(succeed "list":find(ttids[2], 1, true))
    assert.is_nil(succeed "list":find(ttids[1], 1, true))
  end)

  it("fails with 1 where the API refuses, naming why", function()
    env.TWILIO_AUTH_TOKEN = "s3cret"
    succeed "list"
    env.TWILIO_AUTH_TOKEN = "wr0ng"
    local status, out, err = run "list"
    assert.equal(1, status)
    assert.equal("", out)
    assert.matches("^flexhooks: auth: .*20003", err)
    assert.is_nil(err:find("wr0ng", 1, true))
    assert.is_nil(err:find("stack traceback", 1, true))
  end)

  it("fails with 2 where it was misused", function()
    for _, arguments in ipairs { { "create", "--event", "onChannelCreated" },
      { "create", "--url", "https://h.example/", "--event", "onNothing" },
      { "create", "--url", "https://h.example/", "--event", "onChannelCreated",
        "--method", "PUT" },
      { "get" }, { "get", "notattid" }, { "delete" }, { "lst" }, {} } do
      local status, out, err = run((table.unpack or unpack)(arguments))
      assert.equal(2, status, err)
      assert.equal("", out)
      assert.is_nil(err:find("stack traceback", 1, true))
    end
    env.TWILIO_AUTH_TOKEN = false
    local status, _, err = run "list"
    assert.equal(2, status)
    assert.matches("^flexhooks: config: ", err)
  end)

  it("takes the token from a file", function()
    succeed "list"
    env.TWILIO_AUTH_TOKEN = false
    local file = process.write(process.folder() .. "/token", "s3cret\n")
    succeed("list", "--auth-token-file", file)
    process.write(file, "wr0ng\n")
    assert.equal(1, (run("list", "--auth-token-file", file)))
  end)

  it("says that nobody answers", function()
    env.FLEXHOOKS_BASE_URL = "http://127.0.0.1:" .. process.port()
    local status, _, err = run("get", "flex_interactionwebhook_"
      .. ("0"):rep(26))
    assert.equal(1, status)
    assert.matches("^flexhooks: connect: ", err)
  end)
end)
