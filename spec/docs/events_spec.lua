local page = require "spec.support.page"
local process = require "spec.support.process"

local function run()
  local path = process.folder() .. "/events.md.lua"
  process.write(path, page.program "docs/events.md")
  return process.run { process.lua, path }
end

describe("docs/events.md", function()
  it("holds snippets that run", function()
    local status, out, err = run()
    assert.equal("", err)
    assert.equal(0, status)
    assert.matches("^onChannelCreateFailed\n.*onParticipantUpdated\n", out)
    assert.matches("\nonChannelStatusUpdated\nnil\ninteger\nfalse\n"
      .. "CH or CF\n$", out)
  end)
end)
