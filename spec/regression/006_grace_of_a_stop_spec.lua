-- server:stop(grace) ended in time, but told the log, and a worker beside it,
-- of the configured grace.
local flexhooks = require "flexhooks"

local function grace_of(...)
  local graces, stopping = { ... }, nil
  assert(flexhooks.serve {
    app = { router = flexhooks.router(), auth_token = "token",
      public_url = "https://company.com/flex" },
    port = 0, signals = false, grace = 20,
    logger = function(_, message, fields)
      stopping = message == "stopping" and fields or stopping
    end,
    on_ready = function(server)
      for _, grace in ipairs(graces) do
        server:stop(grace)
      end
      if #graces == 0 then
        server:stop()
      end
    end,
  })
  return stopping.grace
end

describe("the grace of a stop", function()
  it("is the one that was given, else the configured one", function()
    assert.equal(20, grace_of())
    assert.equal(2, grace_of(2))
  end)

  it("can only be shortened", function()
    assert.equal(1, grace_of(2, 1))
    assert.equal(1, grace_of(1, 2))
  end)
end)
