local core = require "flexhooks.core"

local HEX = ("0123456789abcdef"):rep(2)

describe("core.sid_checker", function()
  local check = core.sid_checker {
    AccountSid = { "AC" }, Media = { "CH", "CF", any_case = true },
  }

  it("lets SIDs of their kind through, and what it does not know", function()
    assert.is_nil(check { AccountSid = "AC" .. HEX, Media = "CF" .. HEX,
      Other = "x" })
    assert.is_nil(check { Media = "CH" .. HEX:upper() })
    assert.is_nil(check {})
  end)

  it("names a field that is none", function()
    for _, value in ipairs { "AC", "CH" .. HEX, "AC" .. HEX .. "0",
      "AC" .. HEX:upper(), "AC" .. HEX:sub(1, -2) .. "\0", 7, true, {} } do
      assert.equal("AccountSid", check { AccountSid = value })
    end
    assert.equal("AccountSid", check { AccountSid = false })
  end)

  it("takes out what came empty", function()
    local event = { AccountSid = "", Media = "CH" .. HEX, Other = "" }
    assert.is_nil(check(event))
    assert.same({ Media = "CH" .. HEX, Other = "" }, event)
  end)

  it("raises for what is no table, or no rule", function()
    assert.is_false(pcall(check, "x"))
    assert.is_false(pcall(check))
    for _, rules in ipairs { { A = {} }, { A = { "A" } }, { A = "AC" },
      { A = { "AC", "AD", "AE" } }, { { "AC" } } } do
      assert.is_false(pcall(core.sid_checker, rules))
    end
    local many = {}
    for i = 1, 33 do
      many["n" .. i] = { "AC" }
    end
    assert.is_false(pcall(core.sid_checker, many))
  end)
end)
