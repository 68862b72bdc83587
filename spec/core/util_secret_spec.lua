local core = require "flexhooks.core"

describe("a secret", function()
  it("shows itself to nobody who does not ask", function()
    local secret = core.secret "token"
    assert.equal("****", tostring(secret))
    assert.equal("token", secret:reveal())
    assert.equal("a\0b", core.secret "a\0b":reveal())
    assert.equal("", core.secret "":reveal())
    secret:close()
  end)

  it("becomes an Authorization value", function()
    assert.equal("Basic QUM6dG9rZW4=",
      core.basic("AC", core.secret "token"):reveal())
    assert.equal("Bearer token", core.bearer(core.secret "token"):reveal())
  end)

  it("is refused without being shown", function()
    for _, row in ipairs { { "A:C", "token" }, { "AC\n", "token" },
      { "", "token" }, { "AC", "tok\ren" }, { "AC", "" }, { "AC", "tok\0en" },
      { "AC", "token\127" } } do
      local made, kind, message = core.basic(row[1], core.secret(row[2]))
      assert.is_nil(made)
      assert.equal("config", kind)
      assert.is_nil(message:find("tok", 1, true))
    end
    assert.is_nil((core.bearer(core.secret "a b")))
    assert.is_nil((core.secret(("x"):rep(10000))))
  end)
end)
