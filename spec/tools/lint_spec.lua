local process = require "spec.support.process"

-- A checkout that holds one file.
local function checkout(path, text)
  local dir = process.folder()
  os.execute("mkdir -p '" .. dir .. "/" .. path:match "^(.*)/" .. "'")
  process.write(dir .. "/" .. path, text)
  return dir
end

local function lint(dir)
  local status, out = process.run { process.lua, "tools/lint.lua", dir }
  return status, out
end

describe("tools/lint.lua", function()
  it("passes what every check likes", function()
    local status, out = lint(checkout("bench/x.lua", "return 1\n"))
    assert.equal(0, status)
    assert.matches("nothing to complain of", out)
  end)

  it("names place and fault, and fails", function()
    local status, out = lint(checkout("bench/x.lua", "return\t1\n"))
    assert.equal(1, status)
    assert.matches("bench/x.lua:1: a tab\n", out, 1, true)
  end)
end)
