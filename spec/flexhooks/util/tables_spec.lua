local tables = require "flexhooks.util.tables"

describe("tables.sorted_keys", function()
  it("orders by text, whatever the keys are", function()
    assert.same({ 10, 2, "a", "b" },
      tables.sorted_keys { b = 1, a = false, [2] = 0, [10] = {} })
    assert.same({}, tables.sorted_keys {})
  end)
end)

describe("tables.is_list", function()
  for what, t in pairs { ["nothing"] = {}, ["one"] = { false },
    ["some"] = { 1, {}, "x" } } do
    it("knows a list of " .. what, function()
      assert.is_true(tables.is_list(t))
    end)
  end

  for what, t in pairs { ["a hole"] = { 1, nil, 3 }, ["a name"] = { 1, a = 2 },
    ["nothing first"] = { nil, 2 }, ["a zero"] = { [0] = 1, 2 },
    ["a fraction"] = { 1, [1.5] = 2 } } do
    it("knows that " .. what .. " makes no list", function()
      assert.is_false(tables.is_list(t))
    end)
  end
end)

describe("tables.merged", function()
  it("lets the later one win, and changes none", function()
    local first, second = { a = 1, b = 2 }, { b = false, c = { 3 } }
    local all = tables.merged(first, nil, second)
    assert.same({ a = 1, b = false, c = { 3 } }, all)
    assert.equal(second.c, all.c)
    assert.same({ a = 1, b = 2 }, first)
    assert.same({ b = false, c = { 3 } }, second)
  end)

  it("makes a new table of one, and of nothing", function()
    local one = setmetatable({ a = 1 }, { __index = { b = 2 } })
    local copy = tables.merged(one)
    assert.same({ a = 1 }, copy)
    assert.not_equal(one, copy)
    assert.is_nil(getmetatable(copy))
    assert.same({}, tables.merged())
    assert.same({}, tables.merged(nil, nil))
  end)
end)
