local twins = require "flexhooks.dedupe.twins"

local function count(t)
  local n = 0
  for _ in pairs(t) do
    n = n + 1
  end
  return n
end

-- One report: joins or opens, and drops what is complete.
local function report(set, key, source, now)
  local instance = set:join(key, source, now)
  local opened = not instance
  if opened then
    instance = set:open(key, source, now)
  end
  if set:is_complete(instance) then
    set:remove(instance)
  end
  return opened, instance
end

describe("twins", function()
  it("join the oldest instance that lacks their source", function()
    local set = twins.new(60, 100, 2)
    local _, first = report(set, "k", "a", 0)
    local _, second = report(set, "k", "a", 1)
    assert.not_equal(first, second)
    local opened, joined = report(set, "k", "b", 2)
    assert.is_false(opened)
    assert.equal(first, joined)
    opened, joined = report(set, "k", "b", 3)
    assert.is_false(opened)
    assert.equal(second, joined)
    assert.is_true(report(set, "k", "b", 4))
  end)

  it("are of one form", function()
    local set = twins.new(60, 100, 2)
    report(set, "k", "a", 0)
    assert.is_true(report(set, "l", "b", 0))
  end)

  it("wait no longer than the window", function()
    local set = twins.new(60, 100, 2)
    report(set, "k", "a", 0)
    assert.is_true(report(set, "k", "b", 60.5))
  end)

  it("are forgotten when complete", function()
    local set = twins.new(60, 100, 3)
    for _ = 1, 10 do
      for _, source in ipairs { "a", "c", "b" } do
        report(set, "k", source, 0)
      end
    end
    assert.equal(0, set.count)
    assert.equal(0, count(set.forms))
    assert.equal(set.ends, set.ends.next)
  end)

  it("are forgotten oldest first where there are too many", function()
    local set = twins.new(60, 3, 2)
    for i = 1, 5 do
      report(set, "k" .. i, "a", i)
    end
    assert.equal(3, set.count)
    assert.equal(3, count(set.forms))
    assert.is_true(report(set, "k1", "b", 6))
    assert.is_false(report(set, "k5", "b", 6))
  end)

  it("are forgotten as time passes", function()
    local set = twins.new(60, 10000, 2)
    for i = 1, 100 do
      report(set, "old" .. i, "a", 0)
    end
    for i = 1, 50 do
      report(set, "new" .. i, "a", 100)
    end
    assert.equal(50, set.count)
  end)

  it("that leave may come again, in their old place", function()
    local set = twins.new(60, 100, 2)
    local _, first = report(set, "k", "a", 0)
    local _, second = report(set, "k", "a", 0)
    assert.equal(first, set:join("k", "b", 1))
    assert.equal(second, set:join("k", "b", 1))
    set:leave(first, "b")
    set:leave(first, "b")
    assert.equal(first, set:join("k", "b", 1))
    assert.is_nil(set:join("k", "b", 1))
    set:remove(second)
    set:remove(second)
    set:leave(second, "b")
    assert.equal(1, set.count)
  end)

  it("search on from where their source stopped", function()
    local set = twins.new(60, 1e6, 2)
    for i = 1, 1000 do
      report(set, "k", "a", i / 1000)
    end
    local form = set.forms.k
    for i = 1, 999 do
      assert.is_false(report(set, "k", "b", 5))
      assert.equal(i + 1, form.cursors.b)
    end
    assert.equal(1, set.count)
  end)
end)
