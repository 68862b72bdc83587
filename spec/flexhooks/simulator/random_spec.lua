local random = require "flexhooks.simulator.random"

describe("simulator.random", function()
  it("draws the same numbers from the same seed on every Lua", function()
    local draw, numbers = random.new(42), {}
    for i = 1, 6 do
      numbers[i] = draw:integer(0, 999)
    end
    assert.same({ 319, 848, 512, 852, 168, 277 }, numbers)
    assert.equal("a049a1858e2f8dfe8e61bb553c8b12f8", draw:hex(32))
  end)

  it("takes numbers and text for a seed, and tells near ones apart", function()
    assert.equal(random.new(7):next(), random.new("7"):next())
    assert.not_equal(random.new(7):next(), random.new(8):next())
    assert.not_equal(random.new("ab"):next(), random.new("ba"):next())
    assert.not_equal(random.new(""):next(), random.new("\0"):next())
  end)

  it("stays in its bounds and is fair", function()
    local draw, sum, low, high = random.new "fair", 0, 1, 0
    local seen = {}
    for _ = 1, 20000 do
      local value = draw:next()
      sum, low, high = sum + value, math.min(low, value), math.max(high, value)
      seen[draw:integer(1, 6)] = true
    end
    assert.is_true(low >= 0 and high < 1)
    assert.is_true(math.abs(sum / 20000 - 0.5) < 0.01)
    assert.same({ true, true, true, true, true, true }, seen)
  end)

  it("never hits a chance of 0 and always one of 1", function()
    local draw = random.new(1)
    for _ = 1, 1000 do
      assert.is_false(draw:chance(0))
      assert.is_true(draw:chance(1))
    end
  end)

  it("forks by key alone, whatever was drawn before", function()
    local one, other = random.new "seed", random.new "seed"
    other:hex(100)
    assert.equal(one:fork("a"):next(), other:fork("a"):next())
    assert.not_equal(one:fork("a"):next(), one:fork("b"):next())
  end)
end)
