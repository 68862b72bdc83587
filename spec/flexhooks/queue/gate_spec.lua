local errors = require "flexhooks.error"
local flexhooks = require "flexhooks"
local gates = require "flexhooks.queue.gate"

-- Five tasks pass one gate; `outcome(n)` is what the n-th call returns.
local function pass(outcome)
  local gate, calls, left = gates.new(), 0, {}
  flexhooks.run(function()
    for n = 1, 5 do
      flexhooks.spawn(function()
        local ok, err = gate:pass(function()
          calls = calls + 1
          local mine = calls
          flexhooks.sleep(0.005)
          return outcome(mine)
        end)
        left[#left + 1] = { n, ok, err and err.kind }
      end)
    end
  end)
  return calls, left
end

describe("a gate", function()
  it("is opened once for all, who leave as they came", function()
    local calls, left = pass(function()
      return true
    end)
    assert.equal(1, calls)
    assert.same({ { 1, true }, { 2, true }, { 3, true }, { 4, true },
      { 5, true } }, left)
  end)

  it("that stays shut is shut for all", function()
    local calls, left = pass(function()
      return nil, errors.new("queue", "no")
    end)
    assert.equal(1, calls)
    for n = 1, 5 do
      assert.same({ n, [3] = "queue" }, left[n])
    end
  end)

  it("is tried by the next where the first was cancelled", function()
    local calls, left = pass(function(n)
      if n == 1 then
        return nil, errors.new("cancelled", "never mind")
      end
      return true
    end)
    assert.equal(2, calls)
    assert.equal("cancelled", left[1][3])
    for n = 2, 5 do
      assert.is_true(left[n][2])
    end
  end)
end)
