local command = require "spec.support.command"
local process = require "spec.support.process"
local signature = require "flexhooks.signature"
local verify = require "flexhooks.cli.verify"

local URL = "https://company.example/flex/events"
local BODY = "AccountSid=AC1&EventType=onChannelCreated"
local PARAMS = { AccountSid = "AC1", EventType = "onChannelCreated" }

local function sign(url, params)
  return (signature.sign { auth_token = "s3cret", url = url, params = params,
    method = params and "POST" or "GET" })
end

local function run(arguments, more)
  table.insert(arguments, 1, "verify")
  return command.run(arguments, { TWILIO_AUTH_TOKEN = "s3cret" }, more)
end

describe("cli.verify", function()
  it("accepts what matches: a form, standard input, a GET", function()
    assert.is_function(verify.configure)
    assert.is_function(verify.run)
    local file = process.write(process.folder() .. "/body", BODY)
    local good = sign(URL, PARAMS)
    local status, out, err = run { "--url", URL, "--body", file,
      "--signature", good }
    assert.equal(0, status, err)
    assert.equal("The signature matches.\n", out)
    assert.equal(0, (run({ "--url", URL, "--body", "-", "--signature", good },
      { stdin = BODY })))
    assert.equal(0, (run { "--url", URL .. "?a=1", "--signature",
      sign(URL .. "?a=1") }))
  end)

  it("explains what does not match, with status 1", function()
    local file = process.write(process.folder() .. "/body", BODY)
    local status, out, err = run { "--url", URL, "--body", file,
      "--signature", sign("http://company.example/flex/events", PARAMS) }
    assert.equal(1, status)
    assert.matches("http", out)
    assert.equal("", err)
    assert.is_nil(out:find("s3cret", 1, true))
    status, out = run { "--url", URL, "--body", file, "--signature",
      ("A"):rep(27) .. "=" }
    assert.equal(1, status)
    assert.is_true(#out > 20)
  end)

  it("fails with 2 where it was misused", function()
    for wanted, arguments in pairs {
      ["missing option '%-%-signature'"] = { "--url", URL },
      ["option '%-%-url': the URL must be absolute"] =
        { "--url", "company.example", "--signature", ("A"):rep(27) .. "=" },
      ["cannot read %-%-body"] = { "--url", URL, "--signature", "x",
        "--body", "/nonexistent" },
    } do
      local status, _, err = run(arguments)
      assert.equal(2, status)
      assert.matches(wanted, err)
    end
    local status, _, err = command.run({ "verify", "--url", URL,
      "--signature", "x" }, { TWILIO_AUTH_TOKEN = false })
    assert.equal(2, status)
    assert.matches("TWILIO_AUTH_TOKEN", err)
  end)
end)
