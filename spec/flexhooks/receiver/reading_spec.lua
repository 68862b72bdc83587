local reading = require "flexhooks.receiver.reading"
local sids = require "spec.data.sids"

local LIMITS = { depth = 64, name = 127 }

local function event(name)
  return ('{"EventType":"%s","AccountSid":"%s"}'):format(name, sids.account)
end

describe("reading", function()
  it("gives the event of fields, and what came", function()
    local list = reading.of_fields({ EventType = "onChannelUpdated",
      AccountSid = sids.account, InstanceSid = sids.instance,
      InteractionSid = sids.interaction, ChannelSid = sids.channel,
      MediaChannelSid = sids.conversation }, "raw")
    assert.equal(1, #list)
    assert.equal("onChannelStatusUpdated", list[1].event.EventType)
    assert.equal("onChannelUpdated", list[1].wire)
    assert.equal(sids.account, list[1].account)
    assert.is_nil(list[1].raw)
  end)

  it("keeps the bytes of what is no event, and whose it is", function()
    local r = reading.of_fields({ AccountSid = sids.account }, "raw")[1]
    assert.same({ raw = "raw", wrong = "EventType is missing",
      account = sids.account }, r)
    r = reading.of_fields({ AccountSid = "x" }, "raw")[1]
    assert.is_nil(r.account)
  end)

  it("gives one for each element of an array", function()
    local body = "[" .. event "onA" .. ',{"a":1},' .. event "onB" .. ",null]"
    local list, batch = reading.of_json(body, LIMITS)
    assert.is_true(batch)
    assert.equal(4, #list)
    assert.equal("onA", list[1].event.EventType)
    assert.equal('{"a":1}', list[2].raw)
    assert.is_truthy(list[2].wrong:find "^element 2: ")
    assert.equal("onB", list[3].event.EventType)
    assert.equal("element 4 is no object", list[4].wrong)
    assert.is_string(list[4].raw)
  end)

  it("keeps nested values that are unknown", function()
    local body = event("onA"):sub(1, -2) .. ',"deep":{"a":[1,"x",{"b":true}]}}'
    local list, batch = reading.of_json(body, LIMITS)
    assert.is_false(batch)
    assert.same({ a = { 1, "x", { b = true } } }, list[1].event.deep)
  end)

  it("reads an array as long as a body allows", function()
    local elements = {}
    for i = 1, 3000 do
      elements[i] = event("on" .. i)
    end
    local list = reading.of_json("[" .. table.concat(elements, ",") .. "]",
      LIMITS)
    assert.equal(3000, #list)
    assert.equal("on3000", list[3000].event.EventType)
  end)

  it("never raises, whatever JSON holds", function()
    for _, value in ipairs { "null", "[]", "{}", "5", '"x"', "[[],{}]", "{",
      "[null,null]", '[{"EventType":{}}]', '{"EventType":[]}' } do
      local list = reading.of_json(value, LIMITS)
      assert.is_true(#list > 0)
      for _, r in ipairs(list) do
        assert.is_string(r.wrong)
        assert.is_string(r.raw)
      end
    end
  end)
end)
