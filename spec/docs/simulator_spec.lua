-- What docs/simulator.md shows is run, and what it lists is there.
local command = require "spec.support.command"
local lifecycle = require "flexhooks.simulator.lifecycle"
local process = require "spec.support.process"

local PAGE = process.read "docs/simulator.md"

describe("docs/simulator.md", function()
  it("shows Lua that runs", function()
    local code = assert(PAGE:match "```lua\n(.-)```")
    local status, out, err = process.run { process.lua, "-e", code }
    assert.equal(0, status, err)
    assert.equal("8 events, 0 deliveries\n", out)
  end)

  it("shows a session that works", function()
    local session = assert(PAGE:match "```sh\n(.-)```")
    -- On a free port, whatever the page says.
    local service = command.spawn { "simulate", "--port", "0" }
    local port = service:wait_output "listening on http://%S+:(%d+)\n"
    session = session:gsub("flexhooks simulate [^\n]*\n", "")
      :gsub(":4010", ":" .. port)
    local status, out, err = process.run({ "sh", "-ec", session },
      { env = { LUA = process.lua } })
    assert.equal(0, status, err)
    assert.matches("webhook_events +onInteractionCreated onParticipantJoined",
      out)
    service:stop()
  end)

  it("lists every option and scenario", function()
    local _, help = command.run { "simulate", "--help" }
    for option in help:gmatch "\n   (%-%-[%w-]+)" do
      local elsewhere = option == "--host" or option == "--auth-token-file"
        or option:find "^%-%-log" ~= nil
      assert.is_true(elsewhere or PAGE:find("`?" .. option:gsub("%-", "%%-"))
        ~= nil, option)
    end
    for _, name in ipairs(lifecycle.names()) do
      assert.is_not_nil(PAGE:find("\n| `" .. name .. "` |", 1, true), name)
    end
  end)
end)
