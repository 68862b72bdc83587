local process = require "spec.support.process"
local simulator = require "spec.support.simulator"

-- The page's snippets, one after the other, as one program whose lines keep
-- their numbers.
local function program(path)
  local lines, inside = {}, false
  for line in io.lines(path) do
    if line == "```lua" then
      inside, line = true, ""
    elseif line == "```" then
      inside = false
    end
    lines[#lines + 1] = inside and line or ""
  end
  return table.concat(lines, "\n")
end

describe("docs/client.md", function()
  it("holds snippets that run", function()
    local server = simulator.start()
    local path = process.folder() .. "/client.md.lua"
    process.write(path, program "docs/client.md")
    local status, out, err = process.run({ process.lua, path },
      { env = server.env })
    assert.equal("", err)
    assert.equal(0, status)
    assert.matches("auth_token ****", out, 1, true)
    assert.matches("front desk", out, 1, true)
    assert.matches("not_found\t404\t20404\tRQ", out, 1, true)
  end)
end)
