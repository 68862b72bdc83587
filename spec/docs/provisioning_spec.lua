local json = require "flexhooks.json"
local process = require "spec.support.process"
local session = require "spec.support.session"
local simulator = require "spec.support.simulator"

local PAGE = "docs/provisioning.md"

describe(PAGE, function()
  it("shows commands that do what it says", function()
    local status, out, err = session.run(PAGE)
    assert.equal(0, status, out .. err)
    for _, wanted in ipairs {
      "Plan: 2 to create.\nsomething would change\nApplied: 2 created.\n",
      "No changes: 2 unchanged.\nnothing would change\n",
      "! teamA/old (flex_interactionwebhook_",
      "prune deletes it\nNo changes: ", "Applied: 1 deleted, 2 unchanged.\n",
      'owner = "teamB",\n', 'friendly_name = "teamB/desk"',
      "Applied: 1 created.\n", "Applied: 1 updated.\n", "//flex:****@",
      "No changes: 4 unchanged.\n", "Applied: 1 created.\n",
    } do
      local place = out:find(wanted, 1, true)
      assert.is_truthy(place, wanted .. "\nin\n" .. out)
      out = out:sub(place)
    end
    assert.not_matches("flex:one", out .. err)
    assert.not_matches("flex:two", out .. err)
    assert.matches("onParticipantJoined is subscribed to, but", err)
    local data = assert(json.decode(out:match '{"changes".*}'))
    assert.equal("unchanged", data.changes[1].action)
  end)

  it("shows Lua that runs", function()
    local service, folder = simulator.start(), process.folder()
    local text = process.read(PAGE)
    process.write(folder .. "/hooks.lua",
      text:match "```lua\n(%-%- hooks.lua\n.-)```")
    local program = text:match "## From Lua\n\n```lua\n(.-)```"
    process.write(folder .. "/main.lua", program)
    local status, out, err = process.run({ process.lua, "main.lua" },
      { cwd = folder, env = service.env })
    assert.equal(0, status, err)
    assert.matches("\ncreate\tteamA/desk\thttps://company", out)
    assert.matches("\n2\t0\t0\t0\t0\n$", out)
    service.child:stop()
  end)
end)
