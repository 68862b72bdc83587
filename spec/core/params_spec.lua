-- Parameters as key:sign and a validator read them.
local core = require "flexhooks.core"
local reference = require "spec.support.reference"

local URL = "https://h.example/e"

-- `count` parameters with values of `size` bytes, as table and as list.
local function many(count, size)
  local params, list = {}, {}
  for i = 1, count do
    list[i] = { "name" .. i, ("v"):rep(size) }
    params["name" .. i] = list[i][2]
  end
  return params, list
end

describe("parameters", function()
  local key, validator

  before_each(function()
    key, validator = core.key "s", core.validator()
  end)

  after_each(function()
    key:close()
    validator:close()
  end)

  it("are read whole, be they few or many, short or long", function()
    for _, shape in ipairs { { 0, 0 }, { 1, 0 }, { 39, 3 }, { 40, 3 },
      { 41, 3 }, { 1000, 3 }, { 1, 4000 }, { 1, 4100 }, { 40, 102 },
      { 300, 300 } } do
      local params, list = many(shape[1], shape[2])
      local signature = reference.signature("s", URL, list)
      assert.equal(signature, (key:sign(URL, params)))
      assert.is_true((validator:params(URL, "s", nil, signature, params)))
    end
  end)

  it("may be lists for a key, of any number of values", function()
    local values, list = {}, {}
    for i = 1, 100 do
      values[i] = tostring(i % 60)
      list[i] = { "a", values[i] }
    end
    assert.equal(reference.signature("s", URL, list),
      (key:sign(URL, { a = values, b = {} })))
  end)

  it("may hold any bytes", function()
    local signature = reference.signature("s", URL, { { "a\255", "\0b\0" } })
    local params = { ["a\255"] = "\0b\0" }
    assert.equal(signature, (key:sign(URL, params)))
    assert.is_true((validator:params(URL, "s", nil, signature, params)))
  end)

  it("are strings", function()
    for _, params in ipairs { { "x" }, { a = 1 }, { a = true },
      { [1.5] = "x" },
      { a = { 1 } }, { a = { "x", {} } } } do
      assert.has_error(function() key:sign(URL, params) end)
      assert.same({ nil, "general" },
        { validator:params(URL, "s", nil, "x", params) })
    end
  end)
end)
