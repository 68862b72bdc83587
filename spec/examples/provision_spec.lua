local process = require "spec.support.process"
local simulator = require "spec.support.simulator"

describe("examples/provision.lua", function()
  it("does what it says, and leaves nothing behind", function()
    local server = simulator.start()
    local status, out, err = process.run({ process.lua,
      "examples/provision.lua", "https://company.example/x" },
      { env = server.env })
    assert.equal("", err)
    assert.equal(0, status)
    local ttid = "flex_interactionwebhook_%w+"
    assert.matches("created\tglobal\t" .. ttid, out)
    assert.matches("created\tinteraction\t" .. ttid, out)
    assert.matches("there is\t" .. ttid .. "\texample/every interaction", out)
    assert.matches("updated\t" .. ttid .. "\tonParticipantJoined\n", out)
    assert.matches("reports\tKD%x+\t" .. ttid, out)
    assert.equal(2, select(2, out:gsub("deleted\t" .. ttid .. "\ttrue", "")))
  end)

  it("takes away what it registered when something fails", function()
    local server = simulator.start()
    server.env.TWILIO_AUTH_TOKEN = "wrong-wrong-wrong"
    local status, out, err = process.run({ process.lua,
      "examples/provision.lua" }, { env = server.env })
    assert.equal(1, status)
    assert.equal("", out)
    assert.matches("^provision: auth: ", err)
    assert.not_matches("wrong", err)
  end)
end)
