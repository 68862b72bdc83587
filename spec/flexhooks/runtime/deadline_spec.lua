-- Deadlines of one holder; how they cut the waits of tasks is in task_spec.
local core = require "flexhooks.core"
local deadlines = require "flexhooks.runtime.deadline"

local function soon()
  return core.clock() + 60
end

describe("deadlines", function()
  it("are over what holds them until they are left", function()
    local holder = {}
    local outer = deadlines.enter(holder, soon())
    assert.is_nil(deadlines.interrupted(holder))
    local inner = deadlines.enter(holder, core.clock() - 1)
    local err = deadlines.interrupted(holder)
    assert.equal("timeout", err.kind)
    assert.is_true(deadlines.leave(inner))
    assert.is_nil(deadlines.interrupted(holder))
    assert.is_false(deadlines.leave(outer))
    assert.is_nil(holder.scope)
  end)

  it("belong to the nearest one, which is told that it cut", function()
    local holder = {}
    local outer = deadlines.enter(holder, core.clock() - 1)
    local inner = deadlines.enter(holder, soon())
    assert.equal("timeout", deadlines.interrupted(holder).kind)
    assert.is_false(deadlines.leave(inner))
    assert.is_true(deadlines.leave(outer))
  end)

  it("are not used again where somebody else may hold them", function()
    local holder, other = {}, {}
    local scope = deadlines.enter(holder, core.clock() - 1)
    other.scope = scope
    deadlines.keep(scope)
    deadlines.leave(scope)
    local next_one = deadlines.enter(holder, soon())
    assert.not_equal(scope, next_one)
    assert.equal("timeout", deadlines.interrupted(other).kind)
    assert.is_nil(deadlines.interrupted(holder))
    deadlines.leave(next_one)
    -- One that nobody holds is.
    assert.equal(next_one, deadlines.enter(other, soon()))
  end)

  it("say of what was cancelled that it was, and raise in the end", function()
    local holder = { cancelled = true }
    for _ = 1, 100 do
      assert.equal("cancelled", deadlines.interrupted(holder).kind)
    end
    local ok, err = pcall(deadlines.interrupted, holder)
    assert.is_false(ok)
    assert.equal("cancelled", err.kind)
  end)
end)
