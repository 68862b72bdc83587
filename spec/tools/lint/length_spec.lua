local lint = require "spec.support.lint"
local length = require "lint.length"

local function c(lines)
  return "static int f(int a,\n             int b) {\n"
    .. ("  a++;\n"):rep(lines - 3) .. "}\n"
end

local function lua(lines)
  return "local function f()\n" .. ("  if a then b() end\n"):rep(lines - 2)
    .. "end\n"
end

describe("lint.length", function()
  it("takes sixty lines", function()
    assert.same({}, lint("length", {
      ["src/a.c"] = c(60), ["lua/a.lua"] = lua(60),
      ["spec/a_spec.lua"] = "describe(f)\n" .. lua(90),
    }))
  end)

  it("refuses one more", function()
    assert.same({
      "lua/a.lua:2: a function of 61 lines",
      "src/a.c:2: a function of 61 lines",
    }, lint("length", { ["src/a.c"] = "\n" .. c(61),
      ["lua/a.lua"] = "\n" .. lua(61) }))
  end)

  it("finds functions by their blocks", function()
    local text = [[
local M = { f = function() return "end" end }
function M.g()
  -- function
  for i = 1, 2 do
    repeat x() until true
    while true do local h = function()
      end
    end
  end
end
]]
    local found = {}
    for _, f in ipairs(length.lua_functions(text)) do
      found[#found + 1] = f.first .. "-" .. f.last
    end
    assert.same({ "1-1", "6-7", "2-10" }, found)
  end)

  it("takes no structure or table for a C function", function()
    local text = "struct a {\n  int b;\n};\n"
      .. "static const int t[] = {\n    1,\n};\nint main(void) {\n}\n"
    assert.same({ { first = 7, last = 8 } }, length.c_functions(text))
  end)
end)
