local core = require "flexhooks.core"

describe("core.encode_form", function()
  it("encodes pairs in the order given", function()
    assert.equal("", core.encode_form {})
    assert.equal("b=2&a=1&b=", core.encode_form {
      { "b", "2" }, { "a", "1" }, { "b", "" } })
    assert.equal("a+b=%26%3D%25%2B%00%FF%C3%A9&=", core.encode_form {
      { "a b", "&=%+\0\255\195\169" }, { "", "" } })
    assert.equal("azAZ09-._*=%7E%27%28%29", core.encode_form {
      { "azAZ09-._*", "~'()" } })
  end)

  it("raises for what is no list of pairs", function()
    for _, list in ipairs { { "a" }, { { "a" } }, { { "a", 1 } },
      { { 1, "a" } }, { {} }, "a=1", 1 } do
      assert.has_error(function() core.encode_form(list) end)
    end
    assert.has_error(function() core.encode_form() end)
  end)
end)

describe("core.decode_form", function()
  it("gives pairs in the order they stand", function()
    assert.same({}, core.decode_form "")
    assert.same({ { "b", "2" }, { "a", "1 +" }, { "b", "" } },
      core.decode_form "b=2&&a=1+%2b&b&")
    assert.same({ { "a", "\0\255" } }, core.decode_form "a=%00%ff")
  end)

  it("reads back what was encoded", function()
    local list = {}
    for i = 1, 2000 do
      list[i] = { "name " .. i, string.char(i % 256):rep(i % 50) }
    end
    assert.same(list, core.decode_form(core.encode_form(list)))
  end)

  it("says that a form is malformed", function()
    for _, text in ipairs { "a=%", "a=%4", "a=%zz", "%00=a", "a=1&%" } do
      local list, why = core.decode_form(text)
      assert.is_nil(list)
      assert.equal("malformed", why)
    end
  end)

  it("raises for what is no string", function()
    assert.has_error(function() core.decode_form(1) end)
    assert.has_error(function() core.decode_form() end)
  end)
end)
