-- A finalizer may run anywhere, also where a request was sent and is not yet
-- waited for. Its own call drove the loop, which took the request's end for
-- one that nobody wanted; then the caller waited for ever.
local core = require "flexhooks.core"
local curl = require "flexhooks.runtime.curl"
local flexhooks = require "flexhooks"
local loop = require "flexhooks.runtime.loop"
local task = require "flexhooks.runtime.task"

local NOBODY = { method = "GET", url = "http://127.0.0.1:1/" }

describe("a loop that a finalizer needed while it was made", function()
  it("is the one that all use", function()
    local poller, drive = core.poller, task.drive
    package.loaded["flexhooks.runtime.loop"] = nil
    local fresh = require "flexhooks.runtime.loop"
    local inner
    core.poller = function()
      core.poller = poller
      inner = fresh.poller()
      return poller()
    end
    local outer = fresh.poller()
    package.loaded["flexhooks.runtime.loop"], task.drive = loop, drive
    assert.equal(inner, outer)
    outer:close()
  end)
end)

describe("a request that ends before it is waited for", function()
  -- In the finalizer's place: calls of the same transport.
  local function interrupt(transport)
    local state = transport.state
    local pool = state.pool
    state.pool = { start = function(_, ...)
      local handle = pool:start(...)
      state.pool = pool
      for _ = 1, 3 do
        assert.is_nil((transport:send(NOBODY)))
      end
      return handle
    end }
  end

  it("gives its outcome all the same, and the next does", function()
    local transport = curl.new()
    flexhooks.run(function()
      assert.is_nil((transport:send(NOBODY)))
      interrupt(transport)
      local token = loop.enter(loop.clock() + 5)
      for _ = 1, 2 do
        local answer, err = transport:send(NOBODY)
        assert.is_nil(answer)
        assert.equal("connect", err.kind)
      end
      assert.is_false(loop.leave(token))
      assert.equal(0, transport.state.running)
      assert.is_nil(next(transport.state.waiting))
    end)
    transport:close()
  end)
end)
