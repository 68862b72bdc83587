local heaps = require "flexhooks.util.heap"

describe("timers", function()
  local function drain(heap)
    local order = {}
    while heap:first() do
      local entry = heap:first()
      heap:remove(entry)
      assert.is_nil(entry.index)
      order[#order + 1] = entry.due
    end
    return order
  end

  it("come out in the order they are due", function()
    local heap, times = heaps.new(), {}
    for i = 1, 500 do
      times[i] = (i * 7919) % 101
      heap:push { due = times[i] }
    end
    table.sort(times)
    assert.same(times, drain(heap))
    assert.is_nil(heap:first())
  end)

  it("are gone once taken out, wherever they were", function()
    for victim = 1, 50 do
      local heap, entries, rest = heaps.new(), {}, {}
      for i = 1, 50 do
        entries[i] = { due = (i * 37) % 50 }
        heap:push(entries[i])
      end
      heap:remove(entries[victim])
      for i, entry in ipairs(entries) do
        if i ~= victim then
          rest[#rest + 1] = entry.due
        end
      end
      table.sort(rest)
      assert.same(rest, drain(heap))
    end
  end)
end)
