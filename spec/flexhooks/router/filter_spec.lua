local filters = require "flexhooks.router.filter"

describe("a filter", function()
  it("that is empty matches without being asked", function()
    assert.is_nil(filters.compile("f", {}))
  end)

  it("tells the event types that it lets through", function()
    local _, types = filters.compile("f",
      { EventType = { "onChannelUpdated", "onNew" } })
    assert.same({ onChannelStatusUpdated = true, onNew = true }, types)
    _, types = filters.compile("f", { EventType = "onNew", Tag = "x" })
    assert.same({ onNew = true }, types)
    _, types = filters.compile("f", { Tag = "x" })
    assert.is_nil(types)
    _, types = filters.compile("f", { EventType = function() end })
    assert.is_nil(types)
  end)

  it("asks predicates in the order of their fields, last of all", function()
    local asked = {}
    local function predicate(name)
      return function(value, event)
        asked[#asked + 1] = name .. tostring(value) .. tostring(event.B)
        return true
      end
    end
    local match = filters.compile("f",
      { C = predicate "C", A = predicate "A", B = "b" })
    assert.is_true(match { B = "b", A = 1 })
    assert.same({ "A1b", "Cnilb" }, asked)
    assert.is_false(match { B = "x" })
    assert.equal(2, #asked)
  end)

  it("refuses what equals nothing", function()
    for _, filter in ipairs { { ErrorCode = 0 / 0 }, { Tag = 0 / 0 },
      { Tag = { 1, 0 / 0 } } } do
      local ok, err = pcall(filters.compile, "on", filter)
      assert.is_false(ok)
      assert.equal("argument", err.kind)
      assert.matches("NaN", err.message)
    end
  end)

  it("blames the line that gave it", function()
    local function on(filter)
      return (filters.compile("on", filter))
    end
    local ok, err = pcall(function()
      on { Tag = {} }
    end)
    assert.is_false(ok)
    assert.is_truthy(err.message:find("filter_spec.lua", 1, true))
    assert.is_truthy(err.message:find("on: filter 'Tag'", 1, true))
  end)
end)
