local page = require "spec.support.page"
local process = require "spec.support.process"

local function run()
  local path = process.folder() .. "/handlers.md.lua"
  process.write(path, page.program "docs/handlers.md")
  return process.run { process.lua, path }
end

describe("docs/handlers.md", function()
  it("holds snippets that run", function()
    local status, out, err = run()
    assert.equal("", err)
    assert.equal(0, status)
    assert.equal(table.concat({
      "onChannelCreated onParticipantJoined onParticipantLeft",
      "onParticipantJoined\tagent",
      "nil\tfalse\tno such number",
      "onParticipantJoined\tagent",
      "200\t{}", "",
    }, "\n"), out)
  end)
end)
