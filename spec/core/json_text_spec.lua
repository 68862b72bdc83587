local cjson = require "cjson"
local core = require "flexhooks.core"

describe("core.json_text", function()
  it("writes plain values", function()
    assert.equal('"a\\u0000\\"\255"', core.json_text 'a\0"\255')
    assert.equal("[1,2.5,true,false,null]",
      core.json_text { 1, 2.5, true, false, cjson.null })
    assert.equal('{"a":{"b":["c"]}}', core.json_text { a = { b = { "c" } } })
    assert.equal("{}", core.json_text {})
    for _, place in ipairs { 0, -1, 1.5, 1e300 } do
      assert.matches('^{"[^"]+":1}$', core.json_text { [place] = 1 })
    end
  end)

  it("writes a list with its empty places", function()
    assert.equal("[1,null,2]", core.json_text { 1, nil, 2 })
    assert.equal("[null,null,{}]", core.json_text { [3] = {} })
    assert.equal("[1" .. (",null"):rep(99) .. ",2]",
      core.json_text { 1, [101] = 2 })
    assert.matches('^{.*"2":"b".*}$', core.json_text { "a", "b", x = 1 })
  end)

  it("writes an empty table as an object, unless it is a marked array",
    function()
      local list = setmetatable({}, core.json_array)
      assert.equal('{"a":[[]]}', core.json_text { a = { list } })
      list[1] = 1
      assert.equal("[1]", core.json_text(list))
      list[1], list.x = nil, 1
      assert.equal('{"x":1}', core.json_text(list))
      assert.equal("{}", core.json_text(setmetatable({}, {})))
      assert.equal('{"v":1,"a":[],"b":{}}', core.json_object('{"v":1',
        { a = setmetatable({}, core.json_array), b = {} }, { "a", "b" }))
    end)

  it("keeps integers that a float cannot hold", function()
    local most = rawget(math, "maxinteger")
    if most then
      assert.equal("9223372036854775807", core.json_text(most))
    end
  end)

  it("raises for what is no plain value", function()
    local loop = {}
    loop.loop = loop
    for _, value in ipairs { print, io.stdout, 0 / 0, 1 / 0, loop,
      { [true] = 1 }, { [{}] = 1 } } do
      assert.is_false(pcall(core.json_text, value))
    end
    assert.has_error(function() core.json_text() end)
  end)

  it("nests as deeply as can be decoded", function()
    local deep = "x"
    for _ = 1, 120 do
      deep = { deep }
    end
    assert.equal(("["):rep(120) .. '"x"' .. ("]"):rep(120),
      core.json_text(deep))
    assert.is_false(pcall(core.json_text, { deep }))
  end)
end)

describe("core.json_object", function()
  it("goes on with the fields that are named, in their order", function()
    assert.equal('{"v":1,"b":"x","a":{"c":2}}', core.json_object('{"v":1',
      { a = { c = 2 }, b = "x", other = print }, { "b", "none", "a" }))
  end)

  it("raises for arguments of the wrong kind", function()
    assert.has_error(function() core.json_object(1, {}, {}) end)
    assert.has_error(function() core.json_object("{", "a", {}) end)
    assert.has_error(function() core.json_object("{", {}) end)
    assert.has_error(function()
      core.json_object("{", { [true] = 1 }, { true })
    end)
  end)
end)
