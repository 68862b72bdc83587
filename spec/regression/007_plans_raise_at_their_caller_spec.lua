-- flexhooks.plan raised for bad hooks without saying where it was called, and
-- flexhooks.drift raised Lua's own error for what is no router.
local flexhooks = require "flexhooks"

local HOOK = { friendly_name = "all", webhook_url = "https://company.com/",
  webhook_events = { "onChannelCreated" } }
local client = flexhooks.client { account_sid = "AC" .. ("1"):rep(32),
  auth_token = "token" }

local function raised(f, words)
  local ok, err = pcall(f)
  assert.is_false(ok)
  assert.equal("argument", err.kind)
  assert.matches("007_plans_raise_at_their_caller_spec.lua:%d+: flexhooks",
    err.message)
  assert.truthy(err.message:find(words, 1, true), err.message)
  return err
end

describe("a raise", function()
  it("of plan is at its caller, with every complaint", function()
    local err = raised(function()
      local plan = flexhooks.plan(client, { { friendly_name = "x" }, {} })
      return plan
    end, "flexhooks.plan: ")
    assert.is_true(#err.details >= 2)
  end)

  it("of drift is at its caller", function()
    for _, router in ipairs { 5, {}, "x", client } do
      raised(function()
        local unhandled = flexhooks.drift({ HOOK }, router)
        return unhandled
      end, "flexhooks.drift: argument 2")
    end
    raised(function()
      local unhandled = flexhooks.drift({ {} }, flexhooks.router())
      return unhandled
    end, "flexhooks.drift: ")
  end)
end)
