local lint = require "spec.support.lint"

local function said(path, text)
  return lint("documented", { [path] = text })
end

describe("lint.documented", function()
  it("takes a documented function, and private ones without", function()
    assert.same({}, said("lua/a.lua", [[
--- Does it.
---@param b string what
function M.f(b)
end
local function g()
end
function M:_h()
end
]]))
  end)

  it("refuses one without documentation", function()
    assert.same({
      "lua/a.lua:1: M.f: no documentation",
      "lua/a.lua:5: M:g: no documentation",
    }, said("lua/a.lua", "function M.f()\nend\n\n-- Not for readers.\n"
      .. "function M:g()\nend\nlocal A = {}\nfunction A.h()\nend\n"))
  end)

  it("refuses a method of a documented class without a comment", function()
    local text = "---@class x.A\n---@field b any\nlocal A = {}\n"
    assert.same({ "lua/a.lua:4: A:h: no comment" },
      said("lua/a.lua", text .. "function A:h()\nend\n"))
    assert.same({},
      said("lua/a.lua", text .. "-- Does it.\nfunction A:h()\nend\n"))
  end)

  it("refuses a parameter that is not there", function()
    assert.same({ "lua/a.lua:3: M.f: @param c is no parameter" },
      said("lua/a.lua",
        "--- Does it.\n---@param c string\nfunction M.f(b, ...)\nend\n"))
  end)

  it("wants a comment for each prototype", function()
    assert.same({ "src/a.h:5: a prototype without a comment" },
      said("src/a.h",
        "/* Both of\n * them. */\nint f(void);\n\nint g(void);\n"))
    assert.same({}, said("src/a.h",
      "/* Both. */\nint f(void);\nint g(int a,\n      int b);\n"))
  end)
end)
