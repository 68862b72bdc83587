local command = require "spec.support.command"
local process = require "spec.support.process"
local settings = require "flexhooks.cli.settings"
local simulators = require "spec.support.simulator"
local terminal = require "spec.support.terminal"

-- They run in processes of their own, where their names are text.
local FUNCTIONS = { settings.auth_token, settings.client, settings.configure,
  settings.configure_token, settings.env, settings.configure_shared_keys,
  settings.configure_signer, settings.configure_algorithm,
  settings.shared_keys, settings.signer }

-- What a call gives, in a process with this environment.
local function given(call, env)
  assert.equal(10, #FUNCTIONS)
  local _, out = process.run({ process.lua, "-e", [[
    local value, err = require("flexhooks.cli.settings").]] .. call .. [[

    print(value, err and err.kind, err)]] }, { env = env })
  return (out:gsub("\n$", ""))
end

-- What signs: a line of the options, and what was said of it.
local function signer(arguments, env)
  local _, out, err = process.run({ process.lua, "-e", [[
    local signer, err = require("flexhooks.cli.settings").signer {
      ]] .. arguments .. [[ }
    if err then
      print(err.kind, err)
    else
      print(signer.auth_token or signer.shared_key_id,
        signer.shared_key, signer.algorithm)
    end]] }, { env = env })
  return out:gsub("\n$", ""), err
end

describe("cli.settings.signer", function()
  local A, B = "webhooks_sharedkey_a", "webhooks_sharedkey_b"
  local ONE, TWO = A .. "=x", A .. "=x " .. B .. "=hidden"

  local function file(text)
    local path = process.write(process.folder() .. "/keys", text)
    os.execute("chmod 600 " .. path)
    return ("shared_keys_file = %q"):format(path)
  end

  it("is the auth token unless a shared key is asked for", function()
    local env = { TWILIO_AUTH_TOKEN = "t", FLEXHOOKS_SHARED_KEYS = TWO }
    assert.equal("t\tnil\tnil", (signer("", env)))
    assert.equal(A .. "\tx\tHMAC_SHA256",
      (signer(("shared_key = %q"):format(A), env)))
    assert.equal(A .. "\tx\tHMAC_SHA1", (signer(
      ("shared_key = %q, algorithm = 'HMAC_SHA1'"):format(A), env)))
    assert.equal(B .. "\ty z\tHMAC_SHA256", (signer(file(B .. "=y z"), env)))
  end)

  it("is the only shared key where there is no token, and says so",
    function()
      local env = { TWILIO_AUTH_TOKEN = false, FLEXHOOKS_SHARED_KEYS = ONE }
      local out, err = signer("", env)
      assert.equal(A .. "\tx\tHMAC_SHA256", out)
      assert.equal("signed with " .. A .. " ($FLEXHOOKS_SHARED_KEYS)\n", err)
    end)

  it("is not guessed", function()
    local env = { TWILIO_AUTH_TOKEN = false, FLEXHOOKS_SHARED_KEYS = TWO }
    for arguments, wanted in pairs {
      [""] = "choose one with --shared-key",
      [file(TWO:gsub(" ", "\n"))] = "choose one with --shared-key",
      ["shared_key = 'x'"] = "there is no shared key x",
      ["shared_keys_file = '/nonexistent'"] = "cannot be read",
    } do
      local out = signer(arguments, env)
      assert.matches("^config\t", out)
      assert.matches(wanted, out, 1, true)
      assert.is_nil(out:find("hidden", 1, true))
    end
    env.FLEXHOOKS_SHARED_KEYS = false
    assert.matches("^config\t.*TWILIO_AUTH_TOKEN", (signer("", env)))
    env.FLEXHOOKS_SHARED_KEYS = "hidden"
    local out = signer("", env)
    assert.matches("FLEXHOOKS_SHARED_KEYS: word 1", out, 1, true)
    assert.is_nil(out:find("hidden", 1, true))
  end)
end)

describe("cli.settings", function()
  it("names the option that takes a number", function()
    assert.same({ 7.5 }, { settings.number "--grace" "7.5" })
    assert.same({ n = 2, nil, "--grace takes a number, not 'x'" },
      { n = 2, settings.number "--grace" "x" })
  end)

  it("takes an empty variable for none", function()
    assert.equal("x\tnil\tnil", given('env("FH")', { FH = "x" }))
    assert.equal("nil\tnil\tnil", given('env("FH")', { FH = "" }))
    assert.equal("nil\tnil\tnil", given('env("FH")', { FH = false }))
  end)

  it("takes the token from the environment or a file", function()
    local file = process.write(process.folder() .. "/token", "from file\n")
    assert.equal("t\tnil\tnil", given("auth_token {}",
      { TWILIO_AUTH_TOKEN = "t" }))
    process.write(file, " from-file\n")
    assert.equal("from-file\tnil\tnil",
      given('auth_token { auth_token_file = "' .. file .. '" }',
        { TWILIO_AUTH_TOKEN = "t" }))
  end)

  it("says where a token could come from, and shows none", function()
    assert.matches("^nil\tconfig\t.*TWILIO_AUTH_TOKEN.*%-%-auth%-token%-file",
      given("auth_token {}", { TWILIO_AUTH_TOKEN = false }))
    assert.matches("^nil\tconfig\t.*cannot read",
      given('auth_token { auth_token_file = "/nonexistent" }'))
    assert.matches("^nil\tconfig\t.*cannot read",
      given('auth_token { auth_token_file = "/" }'))
    local file = process.write(process.folder() .. "/token", "two words\n")
    local text = given('auth_token { auth_token_file = "' .. file .. '" }')
    assert.matches("^nil\tconfig", text)
    assert.is_nil(text:find("words", 1, true))
  end)

  it("asks at a terminal where nothing is set", function()
    local simulator = simulators.start()
    local session = terminal.spawn({ "webhooks", "list" }, {
      TWILIO_ACCOUNT_SID = simulators.account_sid, TWILIO_AUTH_TOKEN = false,
      FLEXHOOKS_BASE_URL = simulator.url })
    session.child:wait_output("Auth token of " .. simulators.account_sid)
    session:type(simulators.auth_token .. "\n")
    local status, screen = session:wait()
    assert.equal(0, status)
    assert.matches("TTID", screen)
    assert.is_nil(screen:find(simulators.auth_token, 1, true))
    simulator.child:stop()
  end)

  it("takes an API key's secret from a file", function()
    local key = "SK" .. ("c"):rep(32)
    local file = process.write(process.folder() .. "/secret", "key-s3cret\n")
    local service = command.spawn({ "simulate", "--port", "0" }, {
      TWILIO_ACCOUNT_SID = simulators.account_sid, TWILIO_AUTH_TOKEN = "other",
      TWILIO_API_KEY = key, TWILIO_API_SECRET = "key-s3cret" })
    local env = { TWILIO_ACCOUNT_SID = simulators.account_sid,
      TWILIO_AUTH_TOKEN = false, TWILIO_API_SECRET = false,
      FLEXHOOKS_BASE_URL = service:wait_output "listening on (%S+)" }
    local list = { "webhooks", "list", "--api-secret-file", file }
    local status, _, err = command.run(list, env)
    assert.equal(2, status)
    assert.matches("needs TWILIO_API_KEY", err)
    env.TWILIO_API_KEY = key
    status, _, err = command.run(list, env)
    assert.equal(0, status, err)
    service:stop()
  end)
end)
