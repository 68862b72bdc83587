local faults = require "flexhooks.simulator.faults"

describe("simulator.faults", function()
  it("plans nothing where no chance was given", function()
    local none = faults.new(1, {})
    for i = 1, 100 do
      assert.same({}, none:delivery("1/1/" .. i))
      assert.is_false(none:strikes("throttle", tostring(i)))
    end
  end)

  it("decides the same for the same seed and key, in any order", function()
    local chances = { drop = 0.3, delay = 0.5, duplicate = 0.5 }
    local one, other = faults.new("s", chances), faults.new("s", chances)
    local plans = {}
    for i = 1, 50 do
      plans[i] = one:delivery("1/" .. i)
    end
    for i = 50, 1, -1 do
      assert.same(plans[i], other:delivery("1/" .. i))
    end
  end)

  it("decides the same on every Lua", function()
    local some, struck = faults.new(2, { drop = 0.2, missign = 0.2 }), {}
    for i = 1, 20 do
      local plan = some:delivery(tostring(i))
      struck[i] = plan.drop and "d" or plan.missign and "m" or "."
    end
    assert.equal(".m..d..m.m..md.m..dd", table.concat(struck))
  end)

  it("decides each trouble by itself", function()
    local one = faults.new("x", { drop = 0.3 })
    local two = faults.new("x", { drop = 0.3, duplicate = 1, delay = 1 })
    for i = 1, 100 do
      assert.equal(one:delivery("k" .. i).drop, two:delivery("k" .. i).drop)
    end
  end)

  it("hits about as often as it should, and delays within the limit",
    function()
      local some, hits, longest = faults.new(3, { delay = 0.25 }, 4), 0, 0
      for i = 1, 4000 do
        local delay = some:delivery(tostring(i)).delay
        hits = hits + (delay and 1 or 0)
        longest = math.max(longest, delay or 0)
      end
      assert.is_true(hits > 850 and hits < 1150, hits)
      assert.is_true(longest > 3 and longest <= 4, longest)
    end)

  it("strikes the service by name and key", function()
    local some, hits = faults.new(4, { throttle = 0.5 }), 0
    for i = 1, 1000 do
      hits = hits + (some:strikes("throttle", tostring(i)) and 1 or 0)
      assert.is_false(some:strikes("outage", tostring(i)))
    end
    assert.is_true(hits > 430 and hits < 570, hits)
  end)
end)
