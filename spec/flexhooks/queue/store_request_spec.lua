local errors = require "flexhooks.error"
local flexhooks = require "flexhooks"
local queues = require "spec.support.queues"
local store_requests = require "flexhooks.queue.store_request"

local item = queues.item

-- A queue that tells later, or at once.
local function queue(later, err)
  return { submit = function(_, store)
    local function tell()
      store.err = err or false
      for _, one in ipairs(store.items) do
        one.verdict = "stored"
      end
      store_requests.tell(store)
    end
    if later then
      flexhooks.spawn(function()
        flexhooks.sleep(0.002)
        tell()
      end)
    else
      tell()
    end
  end }
end

describe("a submission", function()
  for _, later in ipairs { false, true } do
    it("is awaited, later = " .. tostring(later), function()
      flexhooks.run(function()
        local ok, verdicts = store_requests.await(queue(later),
          { item "a", item "b" })
        assert.is_true(ok)
        assert.same({ "stored", "stored" }, verdicts)
        local full = errors.new("queue", "full")
        assert.same({ nil, full }, { store_requests.await(queue(later, full),
          { item "a" }) })
      end)
    end)
  end

  it("can be given up", function()
    local err
    flexhooks.run(function()
      local task = flexhooks.spawn(function()
        err = select(2, store_requests.await(queue(true), { item "a" }))
      end)
      flexhooks.sleep(0)
      task:cancel()
    end)
    assert.equal("cancelled", err.kind)
  end)

  it("whose owner fails is that owner's failure alone", function()
    local logged = {}
    flexhooks.loop { logger = function(_, message, fields)
      logged[#logged + 1] = message .. tostring(fields and fields.traceback)
    end }
    flexhooks.run(function()
      store_requests.tell { done = function()
        error("broken", 0)
      end }
    end)
    assert.equal(1, #logged)
    assert.matches("broken", logged[1])
  end)
end)
