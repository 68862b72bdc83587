local page = require "spec.support.page"
local process = require "spec.support.process"

local function run()
  local path = process.folder() .. "/security.md.lua"
  process.write(path, page.program "docs/security.md")
  return process.run { process.lua, path }
end

describe("docs/security.md", function()
  it("holds snippets that run", function()
    local status, out, err = run()
    assert.equal("", err)
    assert.equal(0, status)
    assert.equal("false\tconfig\nonChannelCreated\tdefault\n", out)
  end)
end)
