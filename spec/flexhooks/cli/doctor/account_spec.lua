local account = require "flexhooks.cli.doctor.account"
local command = require "spec.support.command"
local process = require "spec.support.process"
local scripted = require "spec.support.scripted"
local sids = require "spec.data.sids"

local INSTANCE = "GO" .. ("b"):rep(32)

-- What the doctor prints of an API that answers this.
local function printed(status, body, headers, more)
  local server = scripted.start { ("HTTP/1.1 %s X\r\nContent-Type: "
    .. "application/json\r\n%sContent-Length: %d\r\n\r\n%s"):format(status,
      headers or "", #body, body) }
  local env = { TWILIO_ACCOUNT_SID = sids.account, TWILIO_AUTH_TOKEN = "tok",
    FLEXHOOKS_BASE_URL = server.url, FLEXHOOKS_PUBLIC_URL = false }
  for name, value in pairs(more or {}) do
    env[name] = value
  end
  local _, out, err = command.run({ "doctor" }, env)
  server.child:stop()
  assert.equal("", err)
  return out
end

local GOOD = ('{"account_sid":"%s","flex_instance_sid":"%s"}'):format(
  sids.account, INSTANCE)

describe("cli.doctor.account", function()
  it("compares the instance with the account's", function()
    assert.is_function(account.check)
    assert.matches("ok    instance      " .. INSTANCE, printed(200, GOOD))
    local other = "GO" .. ("c"):rep(32)
    assert.matches("FAIL  instance      " .. other .. " is configured, but "
      .. "the account's is " .. INSTANCE, printed(200, GOOD, nil,
        { FLEX_INSTANCE_SID = other }))
  end)

  it("compares clocks", function()
    local function date(offset)
      return ("Date: @now%+d@\r\n"):format(offset)
    end
    assert.matches("ok    clock         within 5 s", printed(200, GOOD,
      date(0)))
    assert.matches("warn  clock         %d+ s behind the API's", printed(200,
      GOOD, date(30)))
    assert.matches("FAIL  clock         %d+ s ahead of the API's", printed(
      200, GOOD, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"))
    assert.matches("warn  clock         the API sent no date", printed(200,
      GOOD))
  end)

  it("tells refused credentials from an API that fails", function()
    assert.matches("^FAIL  credentials   auth: ", printed(401,
      '{"code":20003,"message":"Authenticate","status":401}'))
    assert.matches("^FAIL  API           http: ", printed(500, "{}"))
    assert.matches("^FAIL  API           connect: ", printed(200, GOOD, nil,
      { FLEXHOOKS_BASE_URL = "http://127.0.0.1:" .. process.port() }))
  end)

  it("knows what stays on this machine", function()
    for url, is in pairs { ["http://127.0.0.1:80"] = true,
      ["http://localhost"] = true, ["http://localhost:1/"] = true,
      ["http://[::1]:80/"] = true, ["http://localhost.example/"] = false,
      ["https://h.example"] = false, ["http://10.0.0.1/"] = false } do
      assert.equal(is, account.is_loopback(url), url)
    end
  end)
end)
