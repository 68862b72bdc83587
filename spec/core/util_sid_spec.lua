local core = require "flexhooks.core"

local HEX = ("0123456789abcdef"):rep(2)

describe("core.field_checker", function()
  local check = core.field_checker {
    AccountSid = { "AC" }, Media = { "CH", "CF", any_case = true },
    Text = {},
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

  it("takes out a SID that came empty", function()
    local event = { AccountSid = "", Media = "CH" .. HEX, Other = "",
      Text = "" }
    assert.is_nil(check(event))
    assert.same({ Media = "CH" .. HEX, Other = "", Text = "" }, event)
  end)

  it("lets any text through where no SID is wanted", function()
    assert.is_nil(check { Text = "any \0 text" })
    for _, value in ipairs { 7, true, {}, { "a", "b" } } do
      assert.equal("Text", check { Text = value })
    end
    assert.equal("Text", check { Text = false })
  end)

  it("raises for what is no table, or no rule", function()
    assert.is_false(pcall(check, "x"))
    assert.is_false(pcall(check))
    for _, rules in ipairs { { A = { "A" } }, { A = "AC" },
      { A = { "AC", "AD", "AE" } }, { { "AC" } } } do
      assert.is_false(pcall(core.field_checker, rules))
    end
    local many = {}
    for i = 1, 33 do
      many["n" .. i] = { "AC" }
    end
    assert.is_false(pcall(core.field_checker, many))
  end)
end)
