-- Signing parameters that no form can carry blamed a body that was not given.
local flexhooks = require "flexhooks"

describe("signature.sign with a NUL in a name", function()
  it("blames the parameters", function()
    local ok, err = pcall(flexhooks.signature.sign, { auth_token = "token",
      url = "https://company.com/", params = { ["a\0b"] = "1" } })
    assert.is_false(ok)
    assert.equal("argument", err.kind)
    assert.matches("option 'params'", err.message)
    assert.not_matches("'body'", err.message)
  end)
end)
