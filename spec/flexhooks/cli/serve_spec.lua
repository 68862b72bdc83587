local command = require "spec.support.command"
local process = require "spec.support.process"
local serve = require "flexhooks.cli.serve"

local ENV = { TWILIO_AUTH_TOKEN = "s3cret",
  FLEXHOOKS_PUBLIC_URL = "https://company.example/flex/events" }

local function app(text)
  return process.write(process.folder() .. "/app.lua", text)
end

local ROUTER = "return require('flexhooks').router()"

describe("cli.serve", function()
  it("says where it listens, and stops when asked to", function()
    assert.is_function(serve.configure)
    assert.is_function(serve.run)
    for _, signal in ipairs { "TERM", "INT" } do
      local child = command.spawn({ "serve", app(ROUTER), "--port", "0" }, ENV)
      local port = child:wait_output
        "listening on http://127%.0%.0%.1:(%d+)\n"
      local status, out = process.run { "curl", "-s", "-o", "/dev/null", "-w",
        "%{http_code}", "-d", "a=1", "http://127.0.0.1:" .. port
        .. "/flex/events" }
      assert.equal(0, status)
      assert.equal("403", out)
      assert.equal(0, child:stop(signal))
      assert.is_nil(child:stderr():find("s3cret", 1, true))
    end
  end)

  it("listens where it was told to, whatever the application says", function()
    local taken = process.port()
    local path = app("return { router = require('flexhooks').router(), port = "
      .. taken .. ", public_url = 'https://app.example/from/app' }")
    local child = command.spawn({ "serve", path, "--port", "0" }, ENV)
    local port = child:wait_output "listening on http://127%.0%.0%.1:(%d+)\n"
    assert.not_equal(tostring(taken), port)
    local function status_of(target)
      return select(2, process.run { "curl", "-s", "-o", "/dev/null", "-w",
        "%{http_code}", "-d", "a=1", "http://127.0.0.1:" .. port .. target })
    end
    assert.equal("403", status_of "/from/app")
    assert.equal("404", status_of "/flex/events")
    child:stop()
    child = command.spawn({ "serve", path }, ENV)
    child:wait_output("listening on http://127%.0%.0%.1:" .. taken .. "\n")
    child:stop()
  end)

  it("fails with 1 where the port is taken", function()
    local child = command.spawn({ "serve", app(ROUTER), "--port", "0" }, ENV)
    local port = child:wait_output "listening on http://127%.0%.0%.1:(%d+)\n"
    local status, out, err = command.run(
      { "serve", app(ROUTER), "--port", port }, ENV)
    assert.equal(1, status)
    assert.equal("", out)
    assert.matches("in use", err)
    child:stop()
  end)

  it("names what is wrong with an application", function()
    for _, text in ipairs { "return 1", "syntax error", "error 'broken'",
      "return { rooter = 1 }" } do
      local status, out, err = command.run(
        { "serve", app(text), "--port", "0" }, ENV)
      assert.is_true(status == 1 or status == 2, text)
      assert.equal("", out)
      assert.matches("flexhooks: .*app", err)
    end
    local status, _, err = command.run({ "serve", "/nonexistent.lua" }, ENV)
    assert.is_true(status == 1 or status == 2)
    assert.matches("nonexistent", err)
  end)

  it("names what is missing", function()
    local status, _, err = command.run({ "serve", app(ROUTER) },
      { TWILIO_AUTH_TOKEN = "t", FLEXHOOKS_PUBLIC_URL = false })
    assert.equal(2, status)
    assert.matches("FLEXHOOKS_PUBLIC_URL", err)
  end)

  it("takes the token from a file", function()
    local file = process.write(process.folder() .. "/token", "from-file\n")
    local env = { TWILIO_AUTH_TOKEN = false,
      FLEXHOOKS_PUBLIC_URL = ENV.FLEXHOOKS_PUBLIC_URL }
    local child = command.spawn({ "serve", app(ROUTER), "--port", "0",
      "--auth-token-file", file }, env)
    local url = child:wait_output "listening on (http://%S+)\n"
    env.TWILIO_AUTH_TOKEN = "from-file"
    local status, out = command.run({ "trigger", "onChannelCreated", "--url",
      url .. "/flex/events" }, env)
    assert.equal(0, status)
    assert.equal("200 {}\n", out)
    child:stop()
    status = command.run({ "serve", app(ROUTER), "--auth-token-file",
      "/nonexistent" }, env)
    assert.equal(2, status)
  end)

  it("takes shared keys from a file, in place of the application's",
    function()
      local id = "webhooks_sharedkey_a"
      local file = process.write(process.folder() .. "/keys", id .. "=typed")
      os.execute("chmod 600 " .. file)
      local path = app("return { router = require('flexhooks').router(), "
        .. "shared_keys = { " .. id .. " = 'the app' } }")
      local child = command.spawn({ "serve", path, "--port", "0",
        "--shared-keys-file", file }, ENV)
      local url = child:wait_output "listening on (http://%S+)\n"
      for secret, expected in pairs { typed = 0, ["the"] = 1 } do
        assert.equal(expected, (command.run({ "trigger", "onChannelCreated",
          "--url", url .. "/flex/events", "--shared-key", id }, {
          FLEXHOOKS_PUBLIC_URL = ENV.FLEXHOOKS_PUBLIC_URL,
          FLEXHOOKS_SHARED_KEYS = id .. "=" .. secret })))
      end
      child:stop()
      os.execute("chmod 640 " .. file)
      local status, _, err = command.run({ "serve", path, "--port", "0",
        "--shared-keys-file", file }, ENV)
      assert.equal(2, status)
      assert.matches("chmod 600 " .. file, err, 1, true)
    end)
end)
