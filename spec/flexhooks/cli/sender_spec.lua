local flexhooks = require "flexhooks"
local senders = require "flexhooks.cli.sender"

-- Sends `lists` and returns what was sent, in order, and when it had ended.
local function sent(lists, more)
  local list, begun = {}, flexhooks.clock()
  local given = { concurrency = 1, count = #lists,
    lists = function(index)
      return lists[index]
    end,
    stopped = function()
      return false
    end,
    send = function(item)
      list[#list + 1] = item.name
      return true
    end }
  for name, value in pairs(more or {}) do
    given[name] = value
  end
  local whole = flexhooks.run(function()
    return senders.run(given)
  end)
  return table.concat(list, " "), flexhooks.clock() - begun, whole
end

local function item(name, at)
  return { name = name, at = at or 0 }
end

describe("cli.sender", function()
  it("keeps each list's order, and the lists' with one at a time", function()
    local order, _, whole = sent { { item "a1", item "a2" },
      { item "b1", item "b2" } }
    assert.equal("a1 a2 b1 b2", order)
    assert.is_true(whole)
    local list = {}
    sent({ { item "a1", item "a2" }, { item "b1", item "b2" } }, {
      concurrency = 2,
      send = function(one)
        list[#list + 1] = one.name
        return flexhooks.sleep(0.001)
      end })
    assert.equal("a1 b1 a2 b2", table.concat(list, " "))
  end)

  it("never sends earlier than asked", function()
    local _, seconds = sent({ { item("a", 0), item("b", 1) } }, { speed = 10 })
    assert.is_true(seconds >= 0.1)
    _, seconds = sent({ { item "a" }, { item "b" }, { item "c" } },
      { rate = 20, concurrency = 3 })
    assert.is_true(seconds >= 0.1)
  end)

  it("ends where sending does, or where it is stopped", function()
    local order, _, whole = sent({ { item "a", item "b" }, { item "c" } }, {
      send = function()
        return nil
      end })
    assert.equal("", order)
    assert.is_false(whole)
    order, _, whole = sent({ { item "a" } }, { stopped = function()
      return true
    end })
    assert.equal("", order)
    assert.is_false(whole)
  end)
end)
