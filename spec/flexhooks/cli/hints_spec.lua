local hints = require "flexhooks.cli.hints"
local errors = require "flexhooks.error"

local function of(kind, status)
  return hints.of(errors.new(kind, "x", { status = status }))
end

describe("cli.hints", function()
  it("goes by what the API answered", function()
    assert.matches("TWILIO_AUTH_TOKEN", of("auth", 401))
    assert.matches("rights", of("auth", 403))
    assert.matches("webhooks list", of("not_found", 404))
    assert.matches("run it again", of("rate_limited", 429))
    assert.is_nil(of("http", 400))
  end)

  it("goes by what failed before an answer", function()
    assert.matches("listen", of "connect")
    assert.matches("certificate", of "tls")
    assert.is_nil(of "argument")
    assert.is_nil(of("timeout", 408))
  end)
end)
