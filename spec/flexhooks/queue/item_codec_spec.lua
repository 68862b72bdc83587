local item_codec = require "flexhooks.queue.item_codec"
local json = require "flexhooks.json"

local function round(event)
  return item_codec.decode(item_codec.encode { id = "x", event = event }).event
end

local all = {}
for byte = 0, 255 do
  all[#all + 1] = string.char(byte)
end

it("an item's bytes begin with its id", function()
  for _, id in ipairs { "a", 'quo"te', "back\\slash", "id#2" } do
    local beginning = item_codec.beginning(id)
    assert.equal(beginning, item_codec.encode({ id = id, raw = "x",
      source = "s", event = { id = "other" } }):sub(1, #beginning))
  end
end)

describe("envelope", function()
  it("keeps every byte of names and values", function()
    local bytes = table.concat(all)
    assert.same({ [bytes] = bytes, a = "\\\"/\127\0" },
      round { [bytes] = bytes, a = "\\\"/\127\0" })
  end)

  it("never holds a raw NUL or a line's end", function()
    local body = item_codec.encode { id = "\0\n", event = { a = "\r\0" } }
    assert.is_nil(body:find "%c")
  end)

  it("keeps numbers exactly, and integers as integers", function()
    for _, n in ipairs { 0, -1, 30001, 2 ^ 53 - 1, -2 ^ 52, 0.1, 1e300,
      1763829299.123456, 5e-324 } do
      assert.equal(n, round({ n = n }).n)
    end
    assert.equal("30001", tostring(round({ n = 30001 }).n))
  end)

  it("keeps lists, nesting and booleans", function()
    local event = { list = { "a", "b", { c = { 1, 2 } } }, yes = true,
      no = false }
    assert.same(event, round(event))
  end)

  it("keeps empty lists apart from empty objects", function()
    local event = round(json.decode '{"a":[],"b":{},"c":[[],{"d":[]}]}')
    assert.equal('{"a":[],"b":{},"c":[[],{"d":[]}]}', json.encode(event))
    assert.equal("[]", json.encode(item_codec.decode_value "[]"))
    assert.same({}, item_codec.decode_value(item_codec.encode_value {}))
  end)

  it("keeps whole numbers of 64 bits, or a float", function()
    for _, text in ipairs { "9007199254740993", "-9223372036854775808" } do
      local event = round(json.decode('{"n":' .. text .. "}"))
      if rawget(math, "type") then
        assert.equal(text, ("%d"):format(event.n))
      else
        assert.equal(tonumber(text), event.n)
        assert.matches("[.e]", json.encode(event))
      end
    end
    if rawget(math, "type") then
      assert.equal("float", math.type(round({ n = 2 ^ 53 }).n))
    end
  end)

  it("keeps what stands behind a null in a list", function()
    local list = json.decode("[null,1,null,[null,2]," .. ("null,"):rep(30)
      .. "3]")
    assert.same({ [2] = 1, [4] = { [2] = 2 }, [35] = 3 }, list)
    assert.same({ list = list }, round { list = list })
  end)

  it("keeps what belongs to a delivery", function()
    local item = { id = "i#1", event = { EventType = "onX" },
      source = "default", received_at = 1.5, wire_type = "onY",
      query = { a = "b" }, replay = true,
      possible_replay = true }
    assert.same(item, item_codec.decode(item_codec.encode(item)))
    local raw = { id = "r", raw = all[1] .. "{", reason = "malformed" }
    assert.same(raw, item_codec.decode(item_codec.encode(raw)))
  end)

  it("keeps the first failure and the last nine", function()
    local list = {}
    for n = 1, 12 do
      local before = #list
      local text = item_codec.encode_failures(list, { attempt = n })
      assert.equal(before, #list)
      list = item_codec.decode_value(text)
    end
    local attempts = {}
    for i, failure in ipairs(list) do
      attempts[i] = failure.attempt
    end
    assert.same({ 1, 4, 5, 6, 7, 8, 9, 10, 11, 12 }, attempts)
  end)

  it("refuses what is no plain value", function()
    local loop = {}
    loop[1] = loop
    for _, value in ipairs { print, coroutine.create(print), 0 / 0,
      math.huge, loop } do
      assert.is_false(pcall(item_codec.encode, { event = { value } }))
    end
  end)

  it("hands out as raw what it cannot read", function()
    for _, bytes in ipairs { "", "{", "null", "[]", "5", "\0\255",
      '{"v":1,"id":"x"}', '{"v":1,"event":5}', '{"v":1,"raw":{}}' } do
      assert.same({ raw = bytes, reason = "damaged" },
        item_codec.decode(bytes))
    end
    local newer = '{"v":2,"id":"x","event":{"EventType":"onX"}}'
    local item = item_codec.decode(newer)
    assert.equal("unknown_version", item.reason)
    assert.equal("x", item.id)
    assert.equal(newer, item.raw)
    assert.is_nil(item.event)
  end)
end)
