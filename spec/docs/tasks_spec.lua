local page = require "spec.support.page"
local process = require "spec.support.process"
local rude = require "spec.support.rude"

describe("docs/tasks.md", function()
  it("holds snippets that run", function()
    local server = rude.start()
    local path = process.folder() .. "/tasks.md.lua"
    process.write(path, page.program "docs/tasks.md")
    local status, out, err = process.run({ process.lua, path },
      { env = { CRM_URL = server.url .. "/ok?x" } })
    assert.equal("", err)
    assert.equal(0, status)
    assert.equal(table.concat({ "3", "9 1 4\tnil", "nil\tcancelled",
      "200\t2\t2",
      "https://company.example/flex/events#rc=3&rp=5xx,ct,rt", "done",
      "true", "" }, "\n"), out)
    assert.matches("^/ok%?x&sid=KD0+$", server:requests()[1].target)
  end)
end)
