local core = require "flexhooks.core"

describe("core.json_check", function()
  it("gives true, or what is wrong and where", function()
    assert.is_true(core.json_check("[1]", 1, 10))
    local good, message = core.json_check("[1,]", 1, 10)
    assert.is_nil(good)
    assert.equal("a value is missing (at byte 4)", message)
  end)

  it("raises for arguments of the wrong kind", function()
    assert.has_error(function() core.json_check(1, 1, 1) end)
    assert.has_error(function() core.json_check("1", 0, 1) end)
    assert.has_error(function() core.json_check("1", 1001, 1) end)
    assert.has_error(function() core.json_check("1", 1, -1) end)
    assert.has_error(function() core.json_check("1", 0 / 0, 1) end)
  end)
end)
