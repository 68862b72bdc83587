-- A webhook's URL may hold a user name and a password. Every command that
-- showed a URL showed the password too, and a derived webhook had it in its
-- friendly name. The test event of the doctor, `trigger` and the simulator
-- could not be sent to such a URL.
local command = require "spec.support.command"
local process = require "spec.support.process"
local scripted = require "spec.support.scripted"
local simulator = require "spec.support.simulator"

local APP = [[
local router = require("flexhooks").router()
router:on("onChannelCreated", function(event)
  io.stdout:write("handled ", event.EventType, "\n")
  io.stdout:flush()
end)
return { router = router }
]]

describe("a password in a URL", function()
  local service, server, env, app, url, shown

  lazy_setup(function()
    service = simulator.start { "--speed", "50" }
    env = { TWILIO_ACCOUNT_SID = simulator.account_sid,
      TWILIO_AUTH_TOKEN = simulator.auth_token,
      FLEXHOOKS_BASE_URL = service.url }
    local port = process.port()
    url = "http://flex:OLDs3cret@127.0.0.1:" .. port .. "/flex/events"
    app = process.write(process.folder() .. "/app.lua", APP)
    env.FLEXHOOKS_PUBLIC_URL = url
    server = command.spawn({ "serve", app, "--port", tostring(port) }, env)
    server:wait_output "listening on http"
  end)

  lazy_teardown(function()
    server:stop()
    service.child:stop()
  end)

  -- Runs a command that must show no password, and ends as told.
  local function run(wanted, ...)
    local status, out, err = command.run({ ... }, env)
    shown = out .. err
    assert.equal(wanted, status, shown)
    assert.is_nil(shown:find("s3cret", 1, true), shown)
    return out
  end

  local function is_shown()
    assert.matches("flex:****@127.0.0.1", shown, 1, true)
  end

  it("is shown by no command, and makes no second webhook", function()
    run(0, "plan", "--app", app)
    is_shown()
    run(0, "plan", "--app", app, "--json")
    is_shown()
    run(0, "apply", "--app", app, "--yes")
    is_shown()
    env.FLEXHOOKS_PUBLIC_URL = url:gsub("OLD", "NEW")
    run(0, "plan", "--app", app, "--json")
    is_shown()
    run(0, "apply", "--app", app, "--yes", "--json")
    is_shown()
    env.FLEXHOOKS_PUBLIC_URL = url
    local ttids = {}
    for ttid in run(0, "webhooks", "list", "--json"):gmatch
      '"ttid":"([%w_]+)"' do
      ttids[#ttids + 1] = ttid
    end
    assert.equal(1, #ttids)
    is_shown()
    run(0, "webhooks", "list")
    is_shown()
    run(0, "webhooks", "get", ttids[1])
    is_shown()
    run(0, "webhooks", "update", ttids[1], "--url", url, "--json")
    is_shown()
    run(2, "webhooks", "update", ttids[1], "--url",
      (url:gsub("OLDs3cret", "****")))
    run(0, "export")
    is_shown()
  end)

  it("is shown by no check, and goes into a header", function()
    run(0, "webhooks", "create", "--url", url, "--event", "onChannelCreated",
      "--name", "flexhooks flex:OLDs3cret@127.0.0.1/x")
    is_shown()
    run(0, "doctor", app)
    is_shown()
    run(0, "doctor", app, "--json")
    is_shown()
    assert.equal("200 {}\n",
      run(0, "trigger", "onChannelCreated", "--url", url))
    assert.equal("200 {}\n", run(0, "trigger", "onChannelCreated", "--url",
      (url:gsub("//.*@", "//"))))
    is_shown()
    local body = process.write(process.folder() .. "/body", "EventType=x")
    for _, format in ipairs { "--json", "--method=POST" } do
      run(1, "verify", "--url", url, "--signature", ("A"):rep(27) .. "=",
        "--also-url", url .. "/also", "--body", body, format)
    end
    local proxy = scripted.start {
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" }
    run(0, "trigger", "onChannelCreated", "--url",
      (proxy.url:gsub("//", "//flex:s3cret@")))
    assert.equal("Basic ZmxleDpzM2NyZXQ=",
      proxy:requests()[1].headers.authorization)
    proxy.child:stop()
    run(2, "trigger", "onChannelCreated", "--url", "ftp://flex:s3cret@h/x")
    run(2, "webhooks", "create", "--url", "http://flex:s3/cret@h.example/",
      "--event", "onChannelCreated")
  end)

  it("is delivered to by the simulator", function()
    local before = select(2, server:stdout():gsub("handled", ""))
    local client = require("flexhooks").client { base_url = service.url,
      account_sid = simulator.account_sid, auth_token = simulator.auth_token }
    assert(client.interactions:create {
      channel = { type = "sms", initiated_by = "customer" } })
    process.eventually(function()
      return select(2, server:stdout():gsub("handled", "")) > before
    end)
    client:close()
    for _, text in ipairs { server:stdout(), server:stderr(),
      service.child:stdout(), service.child:stderr() } do
      assert.is_nil(text:find("s3cret", 1, true))
    end
  end)
end)
