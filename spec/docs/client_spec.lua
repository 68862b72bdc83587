local page = require "spec.support.page"
local process = require "spec.support.process"
local simulator = require "spec.support.simulator"

describe("docs/client.md", function()
  it("holds snippets that run", function()
    local server = simulator.start()
    local path = process.folder() .. "/client.md.lua"
    process.write(path, page.program "docs/client.md")
    local status, out, err = process.run({ process.lua, path },
      { env = server.env })
    assert.equal("", err)
    assert.equal(0, status)
    assert.matches("auth_token ****", out, 1, true)
    assert.matches("front desk", out, 1, true)
    assert.matches("not_found\t404\t20404\tRQ", out, 1, true)
  end)
end)
