local values = require "flexhooks.signature.values"

-- The fields that a step of this name leads to, spelt out.
local function after(name, fields, query)
  local spelt = {}
  for _, variation in ipairs(values.params(fields, query)) do
    if variation.names[1] == name then
      local parts = {}
      for i, field in ipairs(variation.value) do
        parts[i] = field[1] .. "=" .. field[2]
      end
      spelt[table.concat(parts, "&")] = true
    end
  end
  return spelt
end

describe("values.params", function()
  it("begins with what was given", function()
    local fields = { { "a", "1" } }
    local list = values.params(fields, nil)
    assert.same({}, list[1].names)
    assert.equal(fields, list[1].value)
  end)

  it("has nothing else where there are no fields", function()
    assert.equal(1, #values.params({}, "x=1"))
  end)

  it("undoes what a parser does to values", function()
    assert.is_true(after("values trimmed", { { "a", " b " } })["a=b"])
    assert.is_true(after("body parsed again", { { "a", "b c" } })["a=b+c"])
    assert.is_true(after("body parsed again",
      { { "a", " 1415" }, { "b", "x y" } })["a=+1415&b=x y"])
    local encoded = after("values still encoded", { { "a", "b+%63" } })
    assert.is_true(encoded["a=b c"])
    assert.is_true(encoded["a=b+c"])
    assert.is_true(after("line ends", { { "a", "b\r\nc" } })["a=b\nc"])
    assert.is_true(after("line ends", { { "a", "b\nc" } })["a=b\r\nc"])
    assert.is_true(after("character set", { { "a", "\233" } })["a=\195\169"])
    assert.is_true(after("character set", { { "a", "\195\169" } })["a=\233"])
    assert.is_true(after("value trimmed", { { "a", "b" } })["a=b "])
  end)

  it("leaves out the line break at the end of a file, and no other", function()
    for _, ending in ipairs { "\n", "\r\n" } do
      local found = after("line break added",
        { { "a", "1" .. ending }, { "b", "2" .. ending } })
      assert.same({ ["a=1" .. ending .. "&b=2"] = true }, found)
    end
    assert.same({},
      after("line break added", { { "a", "1\n" }, { "b", "2" } }))
  end)

  it("takes as many fields as a body holds", function()
    local fields = {}
    for i = 1, 100000 do
      fields[i] = { "a", "" }
    end
    fields[#fields] = { "a", "b\n" }
    local found
    for _, variation in ipairs(values.params(fields, nil)) do
      found = found or variation.names[1] == "line break added"
        and variation.value[#fields][2]
    end
    assert.equal("b", found)
    assert.equal("b\n", fields[#fields][2])
  end)

  it("undoes what a parser does to repeated names", function()
    local twice = { { "a", "2" }, { "b", "x" }, { "a", "1" } }
    assert.is_true(after("duplicates joined", twice)["a=2,1&b=x"])
    assert.is_true(after("duplicates dropped", twice)["a=2&b=x"])
    assert.is_true(after("duplicates dropped", twice)["a=1&b=x"])
    assert.is_true(after("duplicates joined", { { "a", "2,1" } })["a=2&a=1"])
  end)

  it("leaves out what was not sent", function()
    local fields = { { "a", "" }, { "b", "" }, { "c", "1" } }
    assert.is_true(after("empty parameters", fields)["c=1"])
    assert.is_true(after("empty parameters", fields)["b=&c=1"])
    assert.is_true(after("query's parameters", fields, "c=1&x")["a=&b="])
    assert.is_true(after("URL alone", fields)[""])
  end)

  it("varies no single one of very many", function()
    local many = {}
    for i = 1, 1000 do
      many[i] = { "n" .. i, "" }
    end
    assert.is_true(#values.params(many, nil) < 20)
  end)
end)

describe("values.tokens", function()
  it("takes those given, others, and those without what surrounds them",
    function()
      local list = values.tokens({ "a", " b\n" }, { "c" })
      local found = {}
      for _, variation in ipairs(list) do
        found[variation.value] = #variation.names
        assert.is_nil((variation.hints[1] or ""):find(variation.value .. "'"))
      end
      assert.same({ a = 0, [" b\n"] = 0, c = 1, b = 1 }, found)
    end)
end)

describe("values.signatures", function()
  it("takes the header as it is, and as it was", function()
    local found = values.signatures ' "a b%2B=" '
    assert.equal(0, #found[' "a b%2B=" '].names)
    assert.equal(1, #found['"a b%2B="'].names)
    assert.equal(1, #found["a b%2B="].names)
    assert.equal(1, #found[' "a b+=" '].names)
    assert.equal(1, #found['+"a+b%2B="+'].names)
  end)
end)
