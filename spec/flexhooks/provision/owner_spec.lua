local owner = require "flexhooks.provision.owner"

describe("provision.owner", function()
  it("takes a name without a slash, and says what is wrong with others",
    function()
      for _, name in ipairs { "teamA", "1", "a.b_c-d", ("x"):rep(64) } do
        assert.is_nil(owner.complaint(name))
      end
      for _, name in ipairs { "", "a/b", "a b", "_a", "\195\169", "a\0",
        ("x"):rep(65) } do
        assert.matches("^must be 1 to 64 letters", owner.complaint(name))
      end
      assert.equal("must be a string, got number", owner.complaint(5))
    end)

  it("is what stands before the first slash of a friendly name", function()
    for name, found in pairs { ["a/x"] = "a", ["a/b/c"] = "a", ["a/"] = "a",
      ["ab/x"] = "ab", ["a.b/x"] = "a.b" } do
      assert.equal(found, owner.of(name))
    end
    for _, name in ipairs { "", "a", "/x", "a b/x", " a/x", "a\n/x",
      "flexhooks company.example/x" } do
      assert.is_nil(owner.of(name))
    end
    assert.is_nil(owner.of(nil))
  end)
end)
