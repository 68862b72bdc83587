local steps = require "flexhooks.signature.steps"

local function concat(a, b)
  return a .. b
end

describe("steps", function()
  it("begin with none", function()
    assert.same({ names = {}, hints = {}, value = 7 }, steps.none(7))
    assert.same({ names = { "n" }, hints = { "h" }, value = 7 },
      steps.one("n", "h", 7))
  end)

  it("add up in a product", function()
    local first = { steps.none "a", steps.one("x", "hx", "b") }
    local second = { steps.none "1", steps.one("y", "hy", "2") }
    local made = steps.product(first, second, concat)
    assert.equal(4, #made)
    assert.same(steps.none "a1", made[1])
    assert.same({ names = { "x", "y" }, hints = { "hx", "hy" },
      value = "b2" }, made[4])
  end)

  it("may depend on the first's value", function()
    local made = steps.product({ steps.none "a", steps.none "b" },
      function(value)
        return { steps.none(value:upper()) }
      end, concat)
    assert.equal("aA", made[1].value)
    assert.equal("bB", made[2].value)
  end)
end)
