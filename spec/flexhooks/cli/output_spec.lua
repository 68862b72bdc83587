local output = require "flexhooks.cli.output"
local process = require "spec.support.process"

-- The functions below run in processes of their own, where their names are
-- text: all that commands print with.
local FUNCTIONS = { output.fields, output.json, output.rows, output.say }

-- What a call writes, in a process of its own.
local function printed(call)
  assert.equal(4, #FUNCTIONS)
  local status, out, err = process.run { process.lua, "-e",
    'require("flexhooks.cli.output").' .. call }
  assert.equal(0, status, err)
  return out, err
end

describe("cli.output", function()
  it("writes rows in columns as wide as they need", function()
    assert.equal("A   LONG  C\n1   -     x y\n22  é     z\n",
      (printed 'rows({"A","LONG","C"}, {{1,nil,{"x","y"}},{22,"é","z"}})'))
  end)

  it("writes fields one below the other", function()
    assert.equal("a       1\nlonger  -\n",
      (printed 'fields { {"a", 1}, {"longer"} }'))
  end)

  it("lets no control character through", function()
    assert.equal("A\n\\x1b[31m\\x0a\n", (printed
      'rows({"A"}, {{"\\27[31m\\n"}})'))
  end)

  it("writes JSON on one line", function()
    assert.equal('{"a":[1,2]}\n', (printed "json { a = {1, 2} }"))
  end)

  it("speaks to people on stderr", function()
    local out, err = printed 'say("%d %s", 1, "x")'
    assert.equal("", out)
    assert.equal("1 x\n", err)
  end)
end)
