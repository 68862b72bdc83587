local limiter = require "flexhooks.simulator.limiter"

describe("simulator.limiter", function()
  it("counts each key in each second", function()
    local time = 10.9
    local some = limiter.new(2, function()
      return time
    end)
    assert.is_true(some:take "a")
    assert.is_true(some:take "a")
    assert.is_false(some:take "a")
    assert.is_true(some:take "b")
    time = 11
    assert.is_true(some:take "a")
  end)

  it("lets everything pass without a rate", function()
    local some = limiter.new(nil, os.time)
    for _ = 1, 100 do
      assert.is_true(some:take "a")
    end
  end)
end)
