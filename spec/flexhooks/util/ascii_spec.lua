local ascii = require "flexhooks.util.ascii"
local locales = require "spec.support.locales"
local process = require "spec.support.process"

-- Integers, where Lua has them.
local LARGEST = rawget(math, "maxinteger") or 7
local LEAST = rawget(math, "mininteger") or 7

local ALL = {}
for code = 0, 255 do
  ALL[code + 1] = string.char(code)
end
ALL = table.concat(ALL)

describe("ascii.lower and ascii.upper", function()
  it("change the 26 letters and no other byte", function()
    local small, large = "abcdefghijklmnopqrstuvwxyz",
      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert.equal(ALL:gsub("[A-Z]+", small), ascii.lower(ALL), 1)
    assert.equal(ALL:gsub("[a-z]+", large), ascii.upper(ALL), 1)
    assert.equal(small, ascii.lower(large))
    assert.equal(large, ascii.upper(small))
  end)

  it("give one value", function()
    assert.equal(1, select("#", ascii.lower "AbC"))
    assert.equal(1, select("#", ascii.upper "AbC"))
    assert.equal("", ascii.lower "")
  end)
end)

describe("ascii.trimmed", function()
  it("takes away the spaces and tabs at both ends, and nothing else",
    function()
      for given, wanted in pairs { [""] = "", [" \t"] = "", a = "a",
        ["\t a \0 b\n\t"] = "a \0 b\n", ["a "] = "a", [" a"] = "a" } do
        assert.equal(wanted, ascii.trimmed(given))
      end
      assert.equal(" a", ascii.trimmed("'' a\n'", "\n'"))
    end)

  it("looks at each blank once, or this would take hours", function()
    local blanks = (" "):rep(2000000)
    local text = "a" .. blanks .. "b"
    assert.is_true(ascii.trimmed(text .. " ") == text)
    assert.equal("", ascii.trimmed(blanks))
  end)
end)

describe("ascii.number", function()
  it("has a point, an exponent and a sign where there are such", function()
    for _, row in ipairs {
      { "2.5", 2.5 }, { "-0.25", -0.25 }, { "1e+300", 1e300 }, { "7", 7 },
      { "1e-07", 1e-7 }, { "0.100", 0.1, "%.3f" }, { "3", 2.6, "%.0f" },
      { "0.10000000000000001", 0.1, "%.17g" },
    } do
      assert.equal(row[1], ascii.number(row[2], row[3]))
    end
  end)
end)

describe("ascii.digits", function()
  it("are all that a number has, without a point where it is whole", function()
    for _, row in ipairs {
      { "5", 5.0 }, { "0", -0.0 }, { "-3", -3 }, { "0.1", 0.1 },
      { "1000000000000000000", 1e18 }, { "9007199254740994", 2 ^ 53 + 2 },
      { "0.3333333333333333", 1 / 3 }, { "1e+21", 1e21 }, { "5e-07", 5e-7 },
      { "-1e+300", -1e300 },
      { tostring(LARGEST), LARGEST },
      { tostring(LEAST), LEAST },
    } do
      assert.equal(row[1], ascii.digits(row[2]))
    end
  end)

  it("are none where it is not finite", function()
    for _, value in ipairs { 1 / 0, -1 / 0, 0 / 0 } do
      assert.is_nil(ascii.digits(value))
    end
  end)
end)

-- Where `I` has no lower case in ASCII, and numbers have a comma.
describe("in another locale", function()
  local PROGRAM = [[
    local ascii = require "flexhooks.util.ascii"
    assert(os.setlocale(arg[1]))
    io.write(ascii.lower "TITLE", ascii.upper "title", ascii.number(2.5),
      ascii.lower "\221\220", (" "):rep(ascii.number(-1e-7) == "-1e-07" and 1
      or 0))
  ]]

  it("everything is the same", function()
    local names = { "de_DE.UTF-8", "tr_TR.UTF-8", "tr_TR.ISO-8859-9" }
    local folder = locales.make(names)
    local script = process.write(folder .. "/a.lua", PROGRAM)
    for _, name in ipairs(names) do
      local _, out, err = process.run({ process.lua, script, name },
        { env = { LOCPATH = folder } })
      assert.equal("titleTITLE2.5\221\220 ", out .. err)
    end
  end)
end)

it("ascii.text is of what has one", function()
  assert.same({ "a", "5", "true", "false" }, { ascii.text "a",
    ascii.text(5.0), ascii.text(true), ascii.text(false) })
  for _, value in ipairs { 0 / 0, {}, print, io.stdout } do
    assert.is_nil(ascii.text(value))
  end
  assert.is_nil(ascii.text(nil))
end)
