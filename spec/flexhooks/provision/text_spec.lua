local text = require "flexhooks.provision.text"

describe("provision.text", function()
  it("tells a plan, a line for each thing that changes", function()
    local wanted = { friendly_name = "a", type = "global", webhook_url = "u",
      webhook_events = { "onChannelCreated" } }
    assert.equal([[
  + create    "a"
      friendly_name: "a"
      type: "global"
      webhook_url: "u"
      webhook_events: [onChannelCreated]
  ~ update    "b"  (t1)
      webhook_method: (none) -> "GET"
      webhook_events: + onParticipantLeft
      webhook_events: - onChannelCreated
  - delete    v  (t2)
  ! a remark
Plan: 1 to create, 1 to update, 1 to delete, 2 unchanged.]], text.plan {
      changes = {
        { action = "create", friendly_name = "a", wanted = wanted },
        { action = "update", friendly_name = "b", ttid = "t1", fields = {
          webhook_method = { to = "GET" },
          webhook_events = { from = { "onChannelCreated" },
            to = { "onParticipantLeft" } },
        } },
        { action = "delete", webhook_url = "v", ttid = "t2" },
      },
      notes = { "a remark" },
      counts = { create = 1, update = 1, replace = 0, delete = 1,
        unchanged = 2 },
    })
  end)

  it("lets no name of somebody's reach into the terminal", function()
    local name = 'a\n  + create "b"\27]0;x\7\226\128\174'
    local told = text.plan {
      changes = { { action = "delete", friendly_name = name },
        { action = "update", webhook_url = "u", fields = {
          friendly_name = { from = name, to = 'q"' } } } },
      notes = { name },
      counts = { create = 0, update = 1, replace = 0, delete = 1,
        unchanged = 0 },
    }
    assert.is_nil(told:gsub("\n", ""):find "%c")
    assert.is_nil(told:find("\226\128\174", 1, true))
    assert.equal(4, select(2, told:gsub("\n", "")))
    assert.matches([[a\x0a  + create \"b\"\x1b]], told, 1, true)
    assert.matches([[-> "q\""]], told, 1, true)
  end)

  it("shows no password", function()
    local wanted = { type = "global", webhook_events = { "onParticipantLeft" },
      webhook_url = "https://flex:s3cret@h.example/x" }
    local shown = "https://flex:****@h.example/x"
    local told = text.plan {
      changes = { { action = "create", wanted = wanted,
        webhook_url = wanted.webhook_url },
        { action = "update", friendly_name = "flexhooks flex:s3cret@h.example",
          fields = { webhook_url = { from = shown, to = shown } } } },
      notes = {}, refusals = {},
      counts = { create = 1, update = 1, replace = 0, delete = 0,
        unchanged = 0 },
    }
    assert.is_nil(told:find "s3cret")
    assert.matches("create    " .. shown .. "\n", told, 1, true)
    assert.matches('webhook_url: "' .. shown .. '"\n', told, 1, true)
    assert.matches('"flexhooks flex:****@h.example"', told, 1, true)
    assert.matches('-> "' .. shown .. '"  (another user name or password)\n',
      told, 1, true)
    wanted.ttid = "t"
    local file = text.file { wanted, { ttid = "u", type = "global",
      webhook_events = {}, webhook_url = "HTTPS://x:y@H.example:443/x" } }
    assert.is_nil(file:find "s3cret")
    assert.matches("^[^\n]*\n%-%- %*%*%*%* stands for the password", file)
    local hooks = assert((loadstring or load)(file))()
    assert.equal(1, #hooks)
    assert.equal(shown, hooks[1].webhook_url)
    assert.not_matches("%*%*%*%*", text.file {})
  end)

  it("says so where nothing changes", function()
    assert.equal("No changes: no webhooks.", text.plan { changes = {},
      notes = {}, empty = true, counts = { create = 0, update = 0, replace = 0,
        delete = 0, unchanged = 0 } })
  end)

  it("writes a file that Lua reads back", function()
    local webhook = { ttid = "t", type = "global",
      friendly_name = 'a "b"\n\\c\27\r1',
      webhook_url = "https://h.example/?a=%20b",
      webhook_events = { "onChannelUpdated" } }
    local file = text.file { webhook }
    assert.is_nil(file:gsub("\n", ""):find "%c")
    local hooks = assert((loadstring or load)(file))()
    assert.same({ { friendly_name = 'a "b"\n\\c\27\r1', type = "global",
      webhook_url = "https://h.example/?a=%20b",
      webhook_events = { "onChannelStatusUpdated" } } }, hooks)
  end)
end)
