local output = require "flexhooks.cli.output"
local process = require "spec.support.process"
local terminal = require "spec.support.terminal"

-- The functions below run in processes of their own, where their names are
-- text: all that commands print with.
local FUNCTIONS = { output.check, output.fields, output.is_terminal,
  output.json, output.paint, output.rows, output.say, output.text,
  output.write, output.flush }

-- What a call writes, in a process of its own.
local function printed(call)
  assert.equal(10, #FUNCTIONS)
  local status, out, err = process.run { process.lua, "-e",
    'require("flexhooks.cli.output").' .. call }
  assert.equal(0, status, err)
  return out, err
end

describe("cli.output", function()
  it("remembers that what it wrote went nowhere, much or little", function()
    for _, text in ipairs { '"x"', '("x"):rep(1e6)' } do
      local status, out, err = process.run { "sh", "-c", 'exec "$0" -e "$1" '
        .. ">/dev/full", process.lua, ([[
          local output = require "flexhooks.cli.output"
          output.write(%s)
          local ok, why = output.flush()
          io.stderr:write(tostring(ok), " ", why)]]):format(text) }
      assert.equal(0, status)
      assert.equal("", out)
      assert.equal("nil No space left on device", err)
    end
    assert.equal("ab1", (printed 'write("a", "b", 1)'))
  end)

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
    assert.equal("\\x1b[2J  \\x07\n",
      (printed 'fields { {"\\27[2J", "\\7"} }'))
  end)

  it("writes JSON on one line", function()
    assert.equal('{"a":[1,2]}\n', (printed "json { a = {1, 2} }"))
  end)

  it("writes JSON of what is no text, and of lists with holes", function()
    assert.equal('{"a\239\191\189é":"\239\191\189\239\191\189"}\n',
      (printed 'json { ["a\\255é"] = "\\255\\192" }'))
    assert.equal('{"a":[],"b":[1' .. (",null"):rep(19) .. ',2]}\n',
      (printed [[json { a = require("flexhooks.json").array {},
        b = { 1, [21] = 2 } }]]))
    assert.equal('"\239\191\189"', output.text "\255")
  end)

  it("speaks to people on stderr", function()
    local out, err = printed 'say("%d %s", 1, "x")'
    assert.equal("", out)
    assert.equal("1 x\n", err)
  end)

  it("writes what a check found, and what to do below it", function()
    assert.equal("FAIL  queue         no \\x1b\n" .. (" "):rep(20)
      .. "do this\n", (printed 'check("fail", "queue", "no \27", "do this")'))
    assert.equal("ok    queue         good\n",
      (printed 'check("pass", "queue", "good")'))
  end)

  it("cuts lines to the terminal's width", function()
    local session = terminal.spawn({}, {}, { columns = 20, words = {
      process.lua, "-e", [[require("flexhooks.cli.output").rows({ "NAME",
        "EVENTS" }, { { "é", ("x"):rep(30) } })]] } })
    local _, screen = session:wait()
    assert.equal("NAME  EVENTS\né     " .. ("x"):rep(13) .. "…\n", screen)
  end)
end)
