-- A transport of the user's own that returned nil and a table with a kind, as
-- the contract says, was taken for a connection that was reset.
local flexhooks = require "flexhooks"

local TTID = "flex_interactionwebhook_01jke8z8vte4ette30t5w9h081"

local function get(...)
  local given, n = { ... }, 0
  local client = flexhooks.client {
    account_sid = "AC" .. ("1"):rep(32), auth_token = "token",
    instance_sid = "GO" .. ("1"):rep(32),
    transport = { send = function()
      n = n + 1
      return nil, given[1]
    end },
  }
  local _, err = client.webhooks:get(TTID, { max_retries = 0 })
  return err
end

describe("the error of a transport of one's own", function()
  it("keeps its kind and message", function()
    local err = get { kind = "timeout", message = "too slow" }
    assert.equal("timeout", err.kind)
    assert.equal("too slow", err.message)
    assert.equal(1, err.attempts)
  end)

  it("is a lost connection where it has no kind that we know", function()
    for _, given in ipairs { "boom", { kind = "odd", message = "boom" },
      { message = "boom" } } do
      local err = get(given)
      assert.equal("reset", err.kind)
      assert.equal("boom", err.message)
    end
    assert.equal("reset: the transport failed without a reason",
      tostring(get(nil)))
  end)
end)
