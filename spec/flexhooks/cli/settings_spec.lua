local process = require "spec.support.process"
local settings = require "flexhooks.cli.settings"

-- They run in processes of their own, where their names are text.
local FUNCTIONS = { settings.auth_token, settings.client, settings.env }

-- What a call gives, in a process with this environment.
local function given(call, env)
  assert.equal(3, #FUNCTIONS)
  local _, out = process.run({ process.lua, "-e", [[
    local value, err = require("flexhooks.cli.settings").]] .. call .. [[

    print(value, err and err.kind, err)]] }, { env = env })
  return (out:gsub("\n$", ""))
end

describe("cli.settings", function()
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
end)
