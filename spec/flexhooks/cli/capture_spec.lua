local process = require "spec.support.process"
local capture = require "flexhooks.cli.capture"

local function read(text)
  return capture.read(process.write(process.folder() .. "/events", text))
end

describe("cli.capture", function()
  it("reads events, envelopes and bodies, whatever the line ends", function()
    local items = assert(read('{"EventType":"a","ErrorCode":45600}\r\n\n'
      .. '{"event":{"EventType":"b"},"received_at":1000.5,"id":"1"}\n'
      .. "EventType=c&Note=a%26b+c&N=2&N=1\n"
      .. '{"raw":"EventType=d","received_at":1002}'))
    assert.same({
      { at = 0, event = { EventType = "a", ErrorCode = 45600 } },
      { at = 0, event = { EventType = "b" } },
      { at = 0, event = { EventType = "c", Note = "a&b c",
        N = { "2", "1" } } },
      { at = 1.5, event = { EventType = "d" } },
    }, items)
  end)

  it("reads what the queue's commands print", function()
    local items = assert(read('[{"event":{"EventType":"a"},"received_at":5},'
      .. '{"raw":"EventType=b","received_at":7},{"EventType":"c"}]\n[]\n'))
    assert.same({
      { at = 0, event = { EventType = "a" } },
      { at = 2, event = { EventType = "b" } },
      { at = 2, event = { EventType = "c" } },
    }, items)
  end)

  it("never goes back in time", function()
    local items = assert(read([[
{"event":{"EventType":"a"},"received_at":10}
{"event":{"EventType":"b"},"received_at":15}
{"event":{"EventType":"c"},"received_at":12}
]]))
    assert.equal(5, items[2].at)
    assert.equal(5, items[3].at)
  end)

  it("names the line that is wrong", function()
    for line, wanted in pairs {
      ["{"] = "is not JSON", ["[1]"] = "is no event",
      ['[null,{"EventType":"x"}]'] = "is no event",
      ['[{"EventType":"x"},{"a":"b"}]'] = "has no EventType",
      ['{"a":"b"}'] = "has no EventType", ["a=%zz"] = "is no form",
      ["a=b"] = "has no EventType", ['{"EventType":5}'] = "has no EventType",
      ['{"raw":"%"}'] = "is no form", ['"text"'] = "has no EventType",
      ['{"EventType":"x","A":{"b":{"c":1}}}'] =
        "cannot be sent as a form: A is not text",
    } do
      local items, err = read('{"EventType":"a"}\n' .. line .. "\n")
      assert.is_nil(items, line)
      assert.equal("config", err.kind)
      assert.matches("events, line 2 " .. wanted, err.message)
    end
  end)

  it("says what it cannot read", function()
    for path, wanted in pairs { ["/nonexistent"] = "No such file",
      ["/"] = "is not a file", ["/dev/null"] = "holds no events" } do
      local items, err = capture.read(path)
      assert.is_nil(items)
      assert.matches(wanted, err.message)
    end
  end)

  it("parts interactions, keeping each one's order", function()
    local function item(sid, number)
      return { at = 0, event = { InteractionSid = sid, N = number } }
    end
    local a1, b1, a2, none = item("a", 1), item("b", 1), item("a", 2), item()
    assert.same({ { a1, a2 }, { b1 }, { none } },
      capture.by_interaction { a1, b1, a2, none })
  end)
end)
