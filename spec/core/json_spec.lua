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

  it("gives integers where they are exact, and floats beyond", function()
    local kind = math.type or function()
      return nil
    end
    for text, number in pairs { ["9007199254740992"] = 2 ^ 53,
      ["-9007199254740992.0"] = -2 ^ 53, ["1e3"] = 1000, ["0"] = 0,
      ["10E-1"] = 1 } do
      assert.equal(number, decode(text))
      assert.equal(math.type and "integer", kind(decode(text)))
    end
    for text, number in pairs { ["9007199254740994"] = 2 ^ 53 + 2,
      ["1e300"] = 1e300, ["-0"] = -0.0, ["0.5"] = 0.5,
      ["123456789012345678901"] = 123456789012345678901 } do
      assert.equal(number, decode(text))
      assert.equal(math.type and "float", kind(decode(text)))
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
