require "spec.support.lint"
local process = require "spec.support.process"
local tree = require "lint.tree"

describe("lint.tree", function()
  it("reads the files of a checkout", function()
    local dir = process.folder()
    os.execute("mkdir -p " .. dir .. "/src " .. dir .. "/build")
    process.write(dir .. "/src/a.c", "a")
    process.write(dir .. "/build/b.c", "b")
    local sources = tree.read(dir)
    assert.same({ ["src/a.c"] = "a" }, sources)
    assert.same({ "src/a.c" }, tree.paths(sources, "%.c$"))
  end)

  it("gives lines, the last one too", function()
    local lines = {}
    for number, line in tree.lines "a\n\nb" do
      lines[number] = line
    end
    assert.same({ "a", "", "b" }, lines)
  end)

  it("blanks comments and strings of Lua", function()
    assert.equal("a = " .. (" "):rep(8), tree.lua_code 'a = "-- \\"b"')
    assert.equal("a \n        \nb", tree.lua_code "a \n-- it's \nb")
    assert.equal("a       \n   b", tree.lua_code "a --[=[ \n]=]b")
    assert.equal("a = t[1][2]", tree.lua_code "a = t[1][2]")
    assert.equal("a = 'x'     ", tree.lua_code("a = 'x' -- y", true))
  end)

  it("blanks comments and strings of C", function()
    assert.equal("a " .. (" "):rep(8) .. " b", tree.c_code "a /* \"x */ b")
    assert.equal("a / b " .. (" "):rep(6), tree.c_code "a / b // 'c'")
    assert.equal("   + '\"'", tree.c_code("/**/ + '\"'", true):sub(3))
  end)
end)
