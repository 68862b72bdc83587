local core = require "flexhooks.core"

describe("core.recent", function()
  it("knows a token within the window only", function()
    local seen = core.recent(10, 100)
    assert.is_false(seen:has("a", 0))
    seen:add("a", 0)
    assert.is_true(seen:has("a", 10))
    assert.is_false(seen:has("a", 10.1))
  end)

  it("forgets the oldest where there are too many", function()
    local seen = core.recent(1000, 3)
    for i, key in ipairs { "a", "b", "c", "d" } do
      seen:add(key, i)
    end
    assert.is_false(seen:has("a", 5))
    for _, key in ipairs { "b", "c", "d" } do
      assert.is_true(seen:has(key, 5))
    end
  end)

  it("remembers a token again after it expired", function()
    local seen = core.recent(10, 3)
    seen:add("a", 0)
    seen:add("a", 20)
    assert.is_true(seen:has("a", 25))
    seen:add("b", 26)
    seen:add("c", 27)
    assert.is_true(seen:has("a", 28))
    seen:add("d", 28)
    assert.is_false(seen:has("a", 28))
  end)

  it("gives memory back as time passes", function()
    local seen = core.recent(10, 1000)
    for i = 1, 500 do
      seen:add("old" .. i, 0)
    end
    for i = 1, 200 do
      seen:add("new" .. i, 100)
    end
    assert.equal(200, seen:count())
  end)

  it("says whether a key counted already, and takes the newest back",
    function()
      local seen = core.recent(10, 100)
      assert.is_true(seen:add("old", 0))
      assert.is_true(seen:add("a", 5))
      assert.is_false(seen:add("a", 6))
      assert.is_true(seen:add("b", 6))
      seen:take_back(0)
      assert.equal(3, seen:count())
      seen:take_back(2)
      assert.same({ true, false, false }, { seen:has("old", 6),
        seen:has("a", 6), seen:has("b", 6) })
      assert.is_true(seen:add("a", 7))
      assert.is_true(seen:has("a", 16))
      seen:take_back(5)
      assert.equal(0, seen:count())
      assert.is_false(seen:has("old", 7))
      assert.is_true(seen:add("c", 7))
      assert.has_error(function()
        seen:take_back(-1)
      end)
    end)

  it("works with room for one", function()
    local seen = core.recent(10, 1)
    for i = 1, 5 do
      seen:add("k" .. i, i)
      assert.is_true(seen:has("k" .. i, i))
      assert.is_false(seen:has("k" .. i - 1, i))
    end
  end)

  it("agrees with a slow and plain one, at random", function()
    math.randomseed(7)
    for _ = 1, 50 do
      local window, entries = math.random(1, 30), math.random(1, 20)
      local seen, list, now = core.recent(window, entries), {}, 0
      for _ = 1, 200 do
        now = now + math.random(0, 3)
        local key = "k" .. math.random(1, 40)
        local known = false
        for i = math.max(1, #list - entries + 1), #list do
          known = known or (list[i][1] == key and now - list[i][2] <= window)
        end
        assert.equal(known, seen:has(key, now))
        if not known then
          seen:add(key, now)
          list[#list + 1] = { key, now }
        end
      end
    end
  end)

  it("takes any bytes for a key", function()
    local seen = core.recent(10, 1000)
    local keys = { "", "\0", "\0\0", ("x"):rep(7), ("x"):rep(8),
      ("x"):rep(9), ("x"):rep(1000), ("x"):rep(1001) }
    for i, key in ipairs(keys) do
      assert.is_false(seen:has(key, 0), "key " .. i)
      seen:add(key, 0)
      assert.is_true(seen:has(key, 0))
    end
    assert.equal(#keys, seen:count())
  end)

  it("keeps a hundred thousand keys apart from Lua's memory", function()
    local seen = core.recent(10, 100000)
    collectgarbage()
    collectgarbage()
    local before = collectgarbage "count"
    for i = 1, 100000 do
      seen:add(tostring(i), 1)
    end
    collectgarbage()
    collectgarbage()
    assert(collectgarbage "count" - before < 200)
    assert.equal(100000, seen:count())
    assert.is_true(seen:has("1", 2))
    seen:add("one more", 2)
    assert.is_false(seen:has("1", 2))
    seen:close()
  end)

  it("is closed once and for all", function()
    local seen = core.recent(1, 1)
    seen:close()
    seen:close()
    assert.is_false(pcall(seen.has, seen, "a", 1))
  end)

  it("goes by the monotonic clock where no time is given", function()
    local seen = core.recent(100, 2)
    seen:add("a")
    assert.is_true(seen:has("a"))
    assert.is_true(seen:has("a", core.clock()))
    assert.is_false(seen:has("a", core.clock() + 101))
    seen:add("b", core.clock() - 101)
    assert.is_false(seen:has("b"))
  end)

  it("raises for what it cannot take", function()
    for _, row in ipairs { {}, { "x", 1 }, { -1, 1 }, { 1, 0 }, { 1, 2 ^ 33 },
      { 0 / 0, 1 } } do
      assert.is_false(pcall(core.recent, row[1], row[2]))
    end
    local seen = core.recent(1, 1)
    assert.is_false(pcall(seen.add, seen, nil, 1))
    assert.is_false(pcall(seen.add, seen, "a", "now"))
    assert.is_false(pcall(seen.has, "x", "a", 1))
  end)
end)
