local json = require "flexhooks.json"
local locales = require "spec.support.locales"
local process = require "spec.support.process"

-- { text, what the message says }
local REFUSED = {
  { "", "value is missing" },
  { " \t\r\n", "value is missing" },
  { "{", "name is missing" },
  { "[1", "does not go on" },
  { '{"a":1', "does not go on" },
  { '{"a"', "colon" },
  { '{"a":', "value is missing" },
  { '{"a" 1}', "colon" },
  { "{}x", "follows" },
  { "{}{}", "follows" },
  { "{} \0", "follows" },
  { "{}\0", "follows" },
  { "[1,]", "value is missing" },
  { "[,1]", "value is missing" },
  { "[1 2]", "does not go on" },
  { '{"a":1,}', "name is missing" },
  { "{a:1}", "name is missing" },
  { "{'a':1}", "name is missing" },
  { "{1:1}", "name is missing" },
  { "]", "value is missing" },
  { "[1}", "does not go on" },
  { "\239\187\191{}", "value is missing" },
  { "{\0\"\0a\0\"\0:\0001\0}\0", "name is missing" },
  { "// x\n1", "value is missing" },
  { "[NaN]", "value is missing" },
  { "[nan]", "value is missing" },
  { "[Infinity]", "value is missing" },
  { "[-Infinity]", "grammar" },
  { "[0x10]", "does not go on" },
  { "[+1]", "value is missing" },
  { "[01]", "grammar" },
  { "[-01]", "grammar" },
  { "[.5]", "value is missing" },
  { "[1.]", "grammar" },
  { "[1.e5]", "grammar" },
  { "[-]", "grammar" },
  { "[--1]", "grammar" },
  { "[1e]", "grammar" },
  { "[1e+]", "grammar" },
  { "[1e5.5]", "does not go on" },
  { "-", "grammar" },
  { "[1e400]", "too large" },
  { "[-1e400]", "too large" },
  { "[1e309]", "too large" },
  { "[1.7976931348623159e308]", "too large" },
  { "[0.00017976931348623159e312]", "too large" },
  { "[17976931348623159" .. ("0"):rep(292) .. "]", "too large" },
  { "[1" .. ("0"):rep(309) .. "]", "too large" },
  { "[1e99999999999999999999999]", "too large" },
  { "tru", "value is missing" },
  { "True", "value is missing" },
  { "nulll", "follows" },
  { '"a', "does not end" },
  { '"a\\', "does not end" },
  { '"a\\"', "does not end" },
  { '"\1"', "control byte" },
  { '"a\nb"', "control byte" },
  { '"\0"', "control byte" },
  { '"\\x41"', "escape" },
  { '"\\u12"', "escape" },
  { '"\\u12G4"', "escape" },
  { '"\\U0041"', "escape" },
  { '"\\ud800"', "escape" },
  { '"\\udc00"', "escape" },
  { '"\\ud800\\u0041"', "escape" },
  { '"\\ud800\\ud800"', "escape" },
  { '"\\ud800x"', "escape" },
  { '"\255"', "UTF%-8" },
  { '"\192\175"', "UTF%-8" },
  { '"\193\129"', "UTF%-8" },
  { '"\224\128\128"', "UTF%-8" },
  { '"\237\160\128"', "UTF%-8" },
  { '"\240\128\128\128"', "UTF%-8" },
  { '"\244\144\128\128"', "UTF%-8" },
  { '"\245\128\128\128"', "UTF%-8" },
  { '"\226\130"', "UTF%-8" },
  { '"\226\130', "UTF%-8" },
  { '"\128"', "UTF%-8" },
  { '{"a":1,"a":2}', "twice" },
  { '{"a":1,"\\u0061":2}', "twice" },
  { '{"x":{"a":1,"b":{},"a":1}}', "twice" },
  { '[{"\\ud83d\\ude00":1,"\240\159\152\128":2}]', "twice" },
  { '{"":1,"":2}', "twice" },
  { ('{"%s":1}'):format(("n"):rep(128)), "too long" },
  { ('{"%s":1}'):format(("\\u0061"):rep(128)), "too long" },
  { ("["):rep(65) .. ("]"):rep(65), "too deeply" },
  { ('{"a":'):rep(65) .. "1" .. ("}"):rep(65), "too deeply" },
  { ("["):rep(100000), "too deeply" },
  { "null", "null" },
}

local ACCEPTED = {
  { "true", true }, { " false ", false }, { "1", 1 }, { '"x"', "x" },
  { "[]", {} }, { "{}", {} }, { "\t[ 1 , 2 ]\r\n", { 1, 2 } },
  { '{ "a" : { "b" : [ { } ] } }', { a = { b = { {} } } } },
  { '{"a":{"a":1},"b":{"a":2}}', { a = { a = 1 }, b = { a = 2 } } },
  { '[{"a":1},{"a":1}]', { { a = 1 }, { a = 1 } } },
  { '"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t' },
  { '"\\u0000\\u0041\\u00e9\\u20ac\\ud83d\\ude00"',
    "\0A\195\169\226\130\172\240\159\152\128" },
  { '"\237\159\191\238\128\128\244\143\191\191"',
    "\237\159\191\238\128\128\244\143\191\191" },
  { "[0,-1,1.5,1E2,1e+2,25e-1]", { 0, -1, 1.5, 100, 100, 2.5 } },
  { "[1.7976931348623157e308]", { 1.7976931348623157e308 } },
  { "[17976931348623157" .. ("0"):rep(292) .. "]",
    { 1.7976931348623157e308 } },
  { "[1" .. ("0"):rep(400) .. "e-400]", { 1 } },
  { "[0." .. ("0"):rep(400) .. "1e401]", { 1 } },
  { "[0e999999999]", { 0 } },
  { "[1e-999999999]", { 0 } },
  { ('{"%s":1}'):format(("n"):rep(127)), { [("n"):rep(127)] = 1 } },
  { ('{"%s":1}'):format(("\\u0061"):rep(127)), { [("a"):rep(127)] = 1 } },
  { '{"a":null,"b":[null,1,null],"c":{"d":null}}',
    { b = { [2] = 1 }, c = {} } },
  { '{"__index":1,"__gc":"x"}', { __index = 1, __gc = "x" } },
}

describe("json.decode", function()
  for _, row in ipairs(REFUSED) do
    it("refuses " .. ("%q"):format(row[1]:sub(1, 30)), function()
      local value, message = json.decode(row[1])
      assert.is_nil(value)
      assert.matches(row[2], message)
    end)
  end

  for _, row in ipairs(ACCEPTED) do
    it("reads " .. ("%q"):format(row[1]:sub(1, 30)), function()
      local value, message = json.decode(row[1])
      assert.is_nil(message)
      assert.same(row[2], value)
    end)
  end

  it("takes nesting up to its limit, and another limit", function()
    local text = ("["):rep(64) .. ("]"):rep(64)
    assert.is_table(json.decode(text))
    assert.is_nil(json.decode(text, { depth = 63 }))
    assert.is_table(json.decode(("["):rep(900) .. ("]"):rep(900),
      { depth = 900 }))
  end)

  it("takes names up to another limit", function()
    assert.is_nil(json.decode('{"abc":1}', { name = 2 }))
    assert.same({ abc = 1 }, json.decode('{"abc":1}', { name = 3 }))
  end)

  it("finds the one name that repeats among very many", function()
    local parts = {}
    for i = 1, 20000 do
      parts[i] = ('"%s%d":1'):format(("n"):rep(100), i)
    end
    assert.is_table(json.decode("{" .. table.concat(parts, ",") .. "}"))
    parts[20001] = parts[7]
    local value, message = json.decode("{" .. table.concat(parts, ",") .. "}")
    assert.is_nil(value)
    assert.matches("twice", message)
  end)

  it("gives whole numbers that print as such", function()
    assert.equal("20404", tostring(json.decode("20404")))
    assert.equal("20404", tostring(json.decode('{"a":[20404.0]}').a[1]))
  end)

  it("keeps the sign of zero", function()
    assert.equal(-math.huge, 1 / json.decode("-0"))
  end)

  it("says that there is no text", function()
    local value, message = json.decode(nil)
    assert.is_nil(value)
    assert.matches("missing", message)
  end)

  it("never puts the text into a message", function()
    local _, message = json.decode '{"secret":"hunter2",}'
    assert.is_nil(message:find "hunter")
  end)
end)

describe("json in a process with a decimal comma", function()
  local PROGRAM = [[
    local json = require "flexhooks.json"
    assert(os.setlocale(arg[1]))
    assert(json.decode("[0.5,1.25e3]")[2] == 1250)
    assert(json.encode { 0.5, 0.1 + 0.2 } == "[0.5,0.30000000000000004]")
    local core = require "flexhooks.core"
    assert(core.json_text(0.1 + 0.2) == "0.30000000000000004")
    assert(os.setlocale "C")
    assert(json.decode("0.5") == 0.5)
  ]]
  local folder = locales.make { "de_DE.UTF-8" }

  for _, locale in ipairs { "C", "de_DE.UTF-8" } do
    it("reads and writes a point: " .. locale, function()
      local script = process.write(process.folder() .. "/a.lua", PROGRAM)
      local status, _, errors = process.run({ process.lua, script, locale },
        { env = { LOCPATH = folder } })
      assert.equal("", errors)
      assert.equal(0, status)
    end)
  end
end)

describe("json.is_array", function()
  it("tells an empty array from an empty object", function()
    assert.is_true(json.is_array " [] ")
    assert.is_false(json.is_array "{}")
    assert.is_false(json.is_array '"["')
    assert.is_false(json.is_array "")
  end)
end)

describe("json.encode", function()
  local function refused(pattern, value)
    local text, message = json.encode(value)
    assert.is_nil(text)
    assert.matches(pattern, message)
  end

  it("writes what json.decode reads back", function()
    local value = {
      a = { 1, 2, { b = true, c = false } },
      d = "\0\1\31\127\"\\/\195\169\240\159\152\128",
      e = 0.1, f = 0.1 + 0.2, g = 1 / 3, h = 1e300, i = 5e-324, j = 2 ^ 53,
      k = -2 ^ 53, l = 1.7976931348623157e308, m = {}, n = "", [""] = 1,
    }
    assert.same(value, json.decode(assert(json.encode(value))))
  end)

  it("keeps every digit of random doubles", function()
    math.randomseed(7)
    for _ = 1, 2000 do
      local number = (math.random() - 0.5) * 10 ^ math.random(-300, 300)
      assert.equal(number, json.decode(json.encode(number)))
    end
  end)

  it("writes numbers short and whole ones whole", function()
    assert.equal("[0.1,1,-0,1000000000000000,1e+22]",
      json.encode { 0.1, 1.0, -0.0, 1e15, 1e22 })
  end)

  it("sorts names", function()
    assert.equal('{"a":1,"ab":2,"b":3}', json.encode { b = 3, ab = 2, a = 1 })
  end)

  it("makes an empty table an object unless it is marked", function()
    assert.equal("{}", json.encode {})
    assert.equal("[]", json.encode(json.array {}))
    assert.equal('{"x":[1]}', json.encode { x = json.array { 1 } })
    assert.equal("[]", json.encode(require("flexhooks").json.array {}))
  end)

  it("writes as a list what was decoded from one", function()
    for _, text in ipairs { "[]", '{"a":[],"b":{}}', "[[],[[]],{}]",
      '{"a":{"b":[{"c":[]}]}}' } do
      assert.equal(text, json.encode(json.decode(text)))
    end
    local list = json.decode "[1]"
    list[1] = nil
    assert.equal("[]", json.encode(list))
    assert.equal("[]", json.encode(json.decode("[]", { keep_null = true })))
  end)

  it("writes no whole number that it did not read", function()
    local exact = rawget(math, "type")
    for _, text in ipairs { "9007199254740993", "-9007199254740993",
      "9223372036854775807", "-9223372036854775808", "9007199254740992",
      "12345678901234567" } do
      local written = json.encode { json.decode(text) }
      if exact then
        assert.equal("[" .. text .. "]", written)
      else
        assert.matches("[.e]", written)
        assert.equal(tonumber(text), json.decode(written)[1])
      end
    end
    for _, number in ipairs { 2 ^ 53, -2 ^ 53, 2 ^ 54 + 4, 1e17, 1e18,
      2 ^ 63, 1e22 } do
      local written = json.encode(number)
      assert.matches("[.e]", written)
      assert.equal(number, json.decode(written))
      assert.equal(exact and "float", exact and exact(json.decode(written)))
    end
    assert.equal("[9007199254740991,-9007199254740991]",
      json.encode { 2 ^ 53 - 1, 1 - 2 ^ 53 })
  end)

  it("writes null where it is asked to", function()
    assert.equal("null", json.encode(nil))
    assert.equal('{"a":null}', json.encode { a = json.null })
    assert.equal("[1,null,3]", json.encode { 1, nil, 3 })
  end)

  it("refuses lists that are mostly holes", function()
    refused("holes", { [1] = 1, [1e6] = 1 })
    refused("holes", { x = { [100] = 1 } })
    refused("holes", { [2 ^ 60] = 1 })
  end)

  it("refuses tables that are neither list nor object", function()
    refused("both", { 1, x = 2 })
    refused("key that is a number", { [0] = 1 })
    refused("key that is a number", { [1.5] = 1 })
    refused("key that is a boolean", { [true] = 1 })
    refused("key that is a table", { [{}] = 1 })
  end)

  it("refuses numbers that are not finite", function()
    refused("finite", 0 / 0)
    refused("finite", { math.huge })
    refused("finite", { a = -math.huge })
  end)

  it("refuses a table within itself and nesting without end", function()
    local cycle = {}
    cycle.a = { cycle }
    refused("itself", cycle)
    local deep = {}
    for _ = 1, 1001 do
      deep = { deep }
    end
    refused("deeply", deep)
  end)

  it("takes one table twice side by side", function()
    local shared = { 1 }
    assert.equal('{"a":[1],"b":[1]}', json.encode { a = shared, b = shared })
  end)

  it("refuses bytes that are not UTF-8, in values and names", function()
    refused("UTF%-8", "\255")
    refused("UTF%-8", { ["\192\175"] = 1 })
  end)

  it("refuses what has no JSON", function()
    refused("function", print)
    refused("function", { a = { print } })
    refused("thread", coroutine.create(print))
  end)

  it("asks no metatable", function()
    local watched = setmetatable({ a = 1 }, {
      __index = function() error "asked" end,
      __pairs = function() error "asked" end,
      __len = function() error "asked" end,
    })
    assert.equal('{"a":1}', json.encode(watched))
  end)
end)
