local refusal = require "flexhooks.router.refusal"

local function context()
  local c = { lines = {} }
  function c.log(level, message, fields)
    c.lines[#c.lines + 1] = { level, message, fields }
  end
  return c
end

local function answer(status)
  local made = { status = status }
  refusal.note(made)
  return made
end

describe("refusal", function()
  it("warns of an answer that was noted, once for each handler", function()
    local c, one = context(), function() end
    refusal.warn(answer(500), one, c)
    refusal.warn(answer(404), one, c)
    assert.equal(1, #c.lines)
    local level, message, fields = c.lines[1][1], c.lines[1][2], c.lines[1][3]
    assert.equal("warn", level)
    assert.matches('expect = "2xx"', message, 1, true)
    assert.equal(500, fields.status)
    assert.matches("refusal_spec.lua:%d+$", fields.handler)
    local function other() end
    refusal.warn(answer(404), other, c)
    assert.equal(2, #c.lines)
  end)

  it("knows a handler that is made again for each event", function()
    local c = context()
    for _ = 1, 3 do
      refusal.warn(answer(500), function()
        return c
      end, c)
    end
    assert.equal(1, #c.lines)
  end)

  it("does not warn of other values", function()
    local c = context()
    for _, value in ipairs { { status = 500 }, "x", 500, print } do
      refusal.warn(value, function() end, c)
    end
    assert.same({}, c.lines)
  end)

  it("keeps no answer alive", function()
    local kept = setmetatable({ answer(500) }, { __mode = "v" })
    collectgarbage()
    collectgarbage()
    assert.is_nil(kept[1])
  end)
end)
