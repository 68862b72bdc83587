local core = require "flexhooks.core"

local FUNCTIONS = { json_check = core.json_check,
  json_decode = core.json_decode }

for name, f in pairs(FUNCTIONS) do
  describe("core." .. name, function()
    it("says what is wrong and where", function()
      assert.is_truthy(f("[1]", 1, 10))
      local good, message = f("[1,]", 1, 10)
      assert.is_nil(good)
      assert.equal("a value is missing (at byte 4)", message)
      assert.matches("at byte 1%)$", (select(2, f("", 1, 10))))
    end)

    it("raises for arguments of the wrong kind", function()
      assert.has_error(function() f(1, 1, 1) end)
      assert.has_error(function() f("1", 0, 1) end)
      assert.has_error(function() f("1", 1001, 1) end)
      assert.has_error(function() f("1", 1, -1) end)
      assert.has_error(function() f("1", 0 / 0, 1) end)
      assert.has_error(function() f() end)
    end)

    it("takes 1000 containers within each other", function()
      local text = ("[{\"a\":"):rep(500) .. "1" .. ("}]"):rep(500)
      assert.is_truthy(f(text, 1000, 1))
      assert.is_nil((f("[" .. text .. "]", 1000, 1)))
    end)
  end)
end

describe("core.json_decode", function()
  local function decode(text, keep)
    return core.json_decode(text, 64, 127, keep)
  end

  it("leaves nulls out, or in their places", function()
    local text = '{"a":null,"b":[null,1,null,[null],2],"c":{"d":null,"e":3}}'
    assert.same({ b = { [2] = 1, [4] = {}, [5] = 2 }, c = { e = 3 } },
      decode(text))
    local null = core.json_null
    assert.same({ a = null, b = { null, 1, null, { null }, 2 },
      c = { d = null, e = 3 } }, decode(text, true))
    for _, keep in ipairs { true, false } do
      local value, message = decode(" null ", keep)
      assert.is_nil(value)
      assert.equal("it is null", message)
    end
  end)

  it("has the null of lua-cjson", function()
    assert.equal(require("cjson").null, core.json_null)
  end)

  it("sees a name that comes twice, also after a null", function()
    for _, text in ipairs { '{"a":null,"a":1}', '{"a":1,"a":null}',
      '{"a":null,"b":2,"\\u0061":null}', '[{"x":{"":0,"y":[],"":0}}]' } do
      for _, keep in ipairs { true, false } do
        local value, message = decode(text, keep)
        assert.is_nil(value)
        assert.matches("twice", message)
      end
    end
  end)

  local kind = rawget(math, "type") or function()
    return "number"
  end

  local WHOLE = { "0", "20404", "-1", "9007199254740991",
    "9007199254740993", "-9007199254740993", "9223372036854775807",
    "-9223372036854775808", "1000000000000000001" }
  local BELOW_2_53 = { ["1e3"] = 1000, ["10E-1"] = 1, ["20404.0"] = 20404,
    ["-9007199254740991.0"] = -9007199254740991, ["0.0"] = 0,
    ["0e9"] = 0, ["1.5e1"] = 15, ["0.00012e5"] = 12 }
  local FLOATS = { ["9223372036854775808"] = 2 ^ 63,
    ["-9223372036854775809"] = -2 ^ 63, ["1e300"] = 1e300, ["0.5"] = 0.5,
    ["123456789012345678901"] = 123456789012345678901.0, ["1e18"] = 1e18,
    ["9007199254740992.0"] = 2 ^ 53, ["9007199254740993.0"] = 2 ^ 53,
    ["-9007199254740993e0"] = -2 ^ 53, ["4503599627370496.5"] = 2 ^ 52,
    ["1.00000000000000000000001"] = 1.0, ["1e-400"] = 0.0 }

  it("gives a whole number of 64 bits exactly where Lua has integers",
    function()
      for _, text in ipairs(WHOLE) do
        local number = decode(text)
        assert.equal(tonumber(text), number)
        if rawget(math, "type") then
          assert.equal("integer", kind(number))
          assert.equal(text, ("%d"):format(number))
        end
      end
      for text, number in pairs(BELOW_2_53) do
        assert.equal(number, decode(text))
        assert.equal(kind(number), kind(decode(text)))
      end
    end)

  it("gives every other number as a float, never another integer", function()
    for text, number in pairs(FLOATS) do
      assert.equal(number, decode(text))
      assert.equal(kind(0.5), kind(decode(text)), text)
      assert.matches("[.e]", text == "1e-400" and text
        or core.json_text(number) .. (math.abs(number) < 2 ^ 53 and "." or ""))
    end
    assert.equal(-math.huge, 1 / decode "-0")
    assert.equal(-math.huge, 1 / decode "-0.0")
  end)

  it("marks arrays, and nothing else", function()
    local value = decode '{"a":[],"b":[[1],[{}]],"c":{}}'
    local mark = core.json_array
    for _, list in ipairs { value.a, value.b, value.b[1], value.b[2],
      decode "[]" } do
      assert.equal(mark, getmetatable(list))
    end
    for _, object in ipairs { value, value.b[2][1], value.c } do
      assert.is_nil(getmetatable(object))
    end
  end)

  it("takes bytes that are not UTF-8 if it is told to", function()
    local text = '["\255\\u00e9","\128\192\175"]'
    assert.is_nil((core.json_decode(text, 2, 9)))
    assert.same({ "\255\195\169", "\128\192\175" },
      core.json_decode(text, 2, 9, false, true))
    assert.same({ ["\254"] = 1 },
      core.json_decode('{"\254":1}', 2, 9, nil, true))
    for _, wrong in ipairs { '"\255', '"\1"', '"\n"', '"\255\\x"',
      '{"\255":1,"\255":2}' } do
      assert.is_nil((core.json_decode(wrong, 2, 9, nil, true)))
    end
  end)

  it("unescapes strings of every size", function()
    for _, size in ipairs { 0, 1, 1023, 1024, 1025, 5000, 100000 } do
      local plain = ("x"):rep(size)
      assert.equal(plain .. "\233\128\128", decode('"' .. plain
        .. '\\u9000"'))
      assert.same({ plain .. "\n", "\t" .. plain },
        decode('["' .. plain .. '\\n","\\t' .. plain .. '"]'))
    end
  end)

  -- Building a table may run a finalizer, and that may decode as well.
  it("is not disturbed by finalizers that decode", function()
    local text = '{"a":"' .. ("\\u0041"):rep(2000) .. '","b":["\\u0042"]}'
    local other = '["' .. ("\\u0043"):rep(3000) .. '",{"b":"\\u0044"}]'
    local ran = 0
    local function litter()
      local new = rawget(_G, "newproxy")
      local proxy = new and new(true)
      local meta = proxy and getmetatable(proxy) or {}
      meta.__gc = function()
        ran = ran + 1
        assert(decode(other)[2].b == "D")
      end
      return proxy or setmetatable({}, meta)
    end
    collectgarbage("setpause", 0)
    for _ = 1, 300 do
      for _ = 1, 5 do
        litter()
      end
      collectgarbage("step", 50)
      assert.same({ a = ("A"):rep(2000), b = { "B" } }, decode(text))
    end
    collectgarbage("setpause", 200)
    assert.is_true(ran > 0)
  end)
end)
