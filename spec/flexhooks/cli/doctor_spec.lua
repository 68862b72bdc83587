local command = require "spec.support.command"
local doctor = require "flexhooks.cli.doctor"
local hooks_command = require "spec.support.hooks_command"
local json = require "flexhooks.json"
local process = require "spec.support.process"
local terminal = require "spec.support.terminal"

local APP = [[
local router = require("flexhooks").router()
router:on("*", function()
  print "handled"
  io.stdout:flush()
end)
router:on("onChannelCreated", print)
return { router = router, port = %d }
]]

describe("cli.doctor", function()
  local bench, app, server, url

  lazy_setup(function()
    bench = hooks_command.start()
    local port = process.port()
    url = "http://127.0.0.1:" .. port .. "/flex/events"
    bench.env.FLEXHOOKS_PUBLIC_URL = url
    app = bench:file(APP:format(port), "app.lua")
    server = command.spawn({ "serve", app }, bench.env)
    server:wait_output "listening"
    assert.equal(0, (bench:run("apply", "--app", app, "--yes")))
  end)

  lazy_teardown(function()
    server:stop()
    bench:stop()
  end)

  -- name -> status of what was found, the exit status, and the whole text.
  local function examined(changes, ...)
    local env = {}
    for _, set in ipairs { bench.env, changes } do
      for name, value in pairs(set) do
        env[name] = value
      end
    end
    local status, out, err = command.run({ "doctor", "--json", ... }, env)
    assert.is_nil((out .. err):find(bench.env.TWILIO_AUTH_TOKEN, 1, true))
    local data = assert(json.decode(out), err)
    local found = {}
    for _, check in ipairs(data.checks) do
      found[check.name] = found[check.name] or check.status
      assert.is_true(check.status == "pass" or check.advice ~= nil
        or check.status == "skip", check.name)
    end
    assert.equal(status == 0, data.ok)
    return found, status, out
  end

  it("finds nothing wrong where nothing is, and hands no event to a handler",
    function()
      assert.is_function(doctor.configure)
      assert.is_function(doctor.run)
      local found, status, out = examined({}, app)
      assert.equal(0, status, out)
      assert.same({ credentials = "pass", instance = "pass", clock = "pass",
        ["API over TLS"] = "warn", application = "pass", webhooks = "pass",
        retries = "warn", handlers = "pass", ["public URL"] = "warn",
        reachable = "pass", signing = "pass", ["signed event"] = "pass" },
        found)
      assert.is_nil(server:stdout():find("handled", 1, true))
    end)

  it("looks into the application's queue", function()
    local found = examined({ FLEXHOOKS_QUEUE = "memory:" }, app)
    assert.equal("pass", found.queue)
    found = examined({ FLEXHOOKS_QUEUE = "redis://127.0.0.1:"
      .. process.port() .. "/0" }, app)
    assert.equal("fail", found.queue)
  end)

  it("tells a wrong token from a wrong URL", function()
    local found, status = examined({ TWILIO_AUTH_TOKEN = "0ther" }, app)
    assert.equal(1, status)
    assert.equal("fail", found.credentials)
    assert.equal("skip", found.webhooks)
    assert.equal("pass", found.reachable)
    assert.equal("fail", found["signed event"])
    found, status = examined({}, app, "--url", url .. "/")
    assert.equal(1, status)
    assert.equal("fail", found.webhooks)
    assert.equal("fail", found.reachable)
    assert.equal("skip", found["signed event"])
  end)

  it("signs with the token that the application believes", function()
    local other = bench:file((APP:gsub("port = %%d",
      "auth_token = '0ther'")), "other.lua")
    local found = examined({}, other)
    assert.equal("pass", found.credentials)
    assert.equal("fail", found["signed event"])
  end)

  it("says which shared key signs the URL, and whether it is configured",
    function()
      local id = "webhooks_sharedkey_a"
      local file = process.write(process.folder() .. "/keys", id .. "=hidden")
      os.execute("chmod 600 " .. file)
      local service = hooks_command.start { "--shared-key", id,
        "--shared-keys-file", file }
      local lacking = service.env
      lacking.FLEXHOOKS_PUBLIC_URL = url
      local found, status, out = examined(lacking, app)
      assert.equal(1, status)
      assert.equal("fail", found.signing)
      assert.matches("is signed with the shared key " .. id
        .. ", which is not configured", out, 1, true)
      found, status, out = examined(lacking, app, "--shared-keys-file", file)
      assert.equal(1, status)
      assert.equal("pass", found.signing)
      assert.matches("is refused (" .. id .. ")", out, 1, true)
      local port = process.port()
      local whole = service:file(APP:format(port):gsub("router = router",
        ("%%0, auth_token = false, shared_keys_file = %q"):format(file)),
        "whole.lua")
      lacking.FLEXHOOKS_PUBLIC_URL = url:gsub(":%d+", ":" .. port)
      local child = command.spawn({ "serve", whole }, lacking)
      child:wait_output "listening"
      found, status, out = examined(lacking, whole)
      assert.equal(1, status) -- no webhook points there
      assert.equal("pass", found.signing)
      assert.equal("pass", found["signed event"])
      assert.matches("arrives and is believed (" .. id .. ")", out, 1, true)
      assert.is_nil(out:find("hidden", 1, true))
      child:stop()
      service:stop()
    end)

  it("says what is missing", function()
    local none = { TWILIO_ACCOUNT_SID = false, TWILIO_AUTH_TOKEN = false,
      FLEXHOOKS_PUBLIC_URL = false }
    local status, out = command.run({ "doctor", "/nonexistent.lua" }, none)
    assert.equal(1, status)
    assert.matches("FAIL  credentials   no credentials.*\n"
      .. "FAIL  application   .*nonexistent.*\n"
      .. "FAIL  public URL    none is configured\n"
      .. " +set FLEXHOOKS_PUBLIC_URL .*\n"
      .. "0 passed, 0 warned, 3 failed, 0 skipped\n$", out)
  end)

  it("is read at a terminal, and ends at Ctrl-C with what it knows",
    function()
      local silent = process.spawn { process.lua, "-e", [[
        local server = assert(require("socket").bind("127.0.0.1", 0))
        print("port " .. select(2, server:getsockname()))
        io.stdout:flush()
        local peer = server:accept()
        print "met"
        io.stdout:flush()
        peer:receive "*a"]] }
      local port = silent:wait_output "port (%d+)"
      local env = { TERM = "xterm", NO_COLOR = false }
      for name, value in pairs(bench.env) do
        env[name] = value
      end
      local session = terminal.spawn({ "doctor", "--url",
        "http://127.0.0.1:" .. port .. "/" }, env)
      silent:wait_output "met"
      session:type "\3"
      local status, screen = session:wait()
      assert.equal(1, status)
      assert.matches("\27%[32mok  \27%[0m  credentials ", screen)
      assert.matches("flexhooks: cancelled: interrupted\n$", screen)
      silent:stop()
    end)
end)
