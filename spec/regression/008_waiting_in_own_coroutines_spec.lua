-- A call that waits in a coroutine of the caller's own raised without saying
-- where that call is.
local flexhooks = require "flexhooks"

describe("waiting in a coroutine of one's own inside a task", function()
  local calls = {
    sleep = function()
      local ok = flexhooks.sleep(0)
      return ok
    end,
    http = function()
      local answer = flexhooks.http "http://127.0.0.1:1/"
      return answer
    end,
    map = function()
      local results = flexhooks.map({ 1 }, 1, print)
      return results
    end,
  }
  for name, call in pairs(calls) do
    it("raises at the call of " .. name, function()
      local ok, err = flexhooks.run(function()
        local wrapped = coroutine.wrap(pcall)
        return wrapped(call)
      end)
      assert.is_false(ok)
      assert.equal("argument", err.kind)
      local line = debug.getinfo(call, "S").linedefined + 1
      assert.matches("008_waiting_in_own_coroutines_spec.lua:" .. line .. ": ",
        err.message)
      assert.matches("flexhooks.spawn", err.message)
    end)
  end
end)
