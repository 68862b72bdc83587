local json_body = require "flexhooks.receiver.json_body"
local sids = require "spec.data.sids"

local LIMITS = { depth = 64, name = 127 }

local function event(name)
  return ('{"EventType":"%s","AccountSid":"%s"}'):format(name, sids.account)
end

describe("reading", function()
  it("gives the event of an object, and what came", function()
    local items, batch = json_body.of_json(event "onA", LIMITS)
    assert.is_false(batch)
    assert.same({ { event = { EventType = "onA", AccountSid = sids.account },
      wire_type = "onA", account = sids.account } }, items)
  end)

  it("keeps the bytes of what is no event, and whose it is", function()
    local text = ('{"AccountSid":"%s"}'):format(sids.account)
    assert.same({ { raw = text, reason = "EventType is missing",
      account = sids.account } }, (json_body.of_json(text, LIMITS)))
  end)

  it("knows an account by its shape", function()
    for _, value in ipairs { "", "AC", sids.account:upper(), sids.instance,
      sids.account .. "\n", { sids.account }, 5, true } do
      assert.is_nil(json_body.account_of { AccountSid = value })
    end
    assert.is_nil(json_body.account_of {})
    assert.equal(sids.account,
      json_body.account_of { AccountSid = sids.account })
  end)

  it("gives one for each element of an array", function()
    local body = "[" .. event "onA" .. ',{"a":1},' .. event "onB" .. ",null]"
    local list, batch = json_body.of_json(body, LIMITS)
    assert.is_true(batch)
    assert.equal(4, #list)
    assert.equal("onA", list[1].event.EventType)
    assert.equal('{"a":1}', list[2].raw)
    assert.is_truthy(list[2].reason:find "^element 2: ")
    assert.equal("onB", list[3].event.EventType)
    assert.equal("element 4 is no object", list[4].reason)
    assert.is_string(list[4].raw)
  end)

  it("keeps nested values that are unknown", function()
    local body = event("onA"):sub(1, -2) .. ',"deep":{"a":[1,"x",{"b":true}]}}'
    local list, batch = json_body.of_json(body, LIMITS)
    assert.is_false(batch)
    assert.same({ a = { 1, "x", { b = true } } }, list[1].event.deep)
  end)

  it("reads an array as long as a body allows", function()
    local elements = {}
    for i = 1, 3000 do
      elements[i] = event("on" .. i)
    end
    local list = json_body.of_json("[" .. table.concat(elements, ",") .. "]",
      LIMITS)
    assert.equal(3000, #list)
    assert.equal("on3000", list[3000].event.EventType)
  end)

  it("never raises, whatever JSON holds", function()
    for _, value in ipairs { "null", "[]", "{}", "5", '"x"', "[[],{}]", "{",
      "[null,null]", '[{"EventType":{}}]', '{"EventType":[]}' } do
      local list = json_body.of_json(value, LIMITS)
      assert.is_true(#list > 0)
      for _, r in ipairs(list) do
        assert.is_string(r.reason)
        assert.is_string(r.raw)
      end
    end
  end)
end)
