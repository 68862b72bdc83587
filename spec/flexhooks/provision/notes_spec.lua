local notes = require "flexhooks.provision.notes"

local URL = "https://flex:secret@h.example/x"
local LEFT = { friendly_name = "old", ttid = "t1", webhook_url = URL }

describe("provision.notes", function()
  it("tells what prune would delete, and what it leaves", function()
    local desired = { owner = "a" }
    assert.same({ "old (t1) is not in the file; prune deletes it" },
      notes.of(desired, { { webhook = LEFT, owned = true } }, false, true))
    assert.same({}, notes.of(desired, { { webhook = LEFT } }, false, true))
    assert.same({ "old (t1) is not in the file, and not of this owner: it is "
      .. "left alone" }, notes.of(desired, { { webhook = LEFT } }, true, true))
    assert.same({ "old (t1) is not in the file: it is left alone" },
      notes.of({}, { { webhook = LEFT } }, true, true))
  end)

  it("tells which events come twice", function()
    assert.matches("^old %(t1%) delivers to the URL of mine too", notes.of({},
      { { webhook = LEFT, twin = { friendly_name = "mine" } } }, false,
      true)[1])
  end)

  it("tells of retries while something changes", function()
    local desired = { { webhook_url = "https://h.example/#rc=3" },
      { webhook_url = URL } }
    assert.matches("delivery_url", notes.of(desired, {}, false, false)[1])
    assert.same({}, notes.of(desired, {}, false, true))
    assert.same({}, notes.of({ desired[1] }, {}, false, false))
  end)

  it("tells why a plan must not be applied, and shows no password", function()
    local change = { repoints = true, ttid = "t1", current = LEFT,
      wanted = { webhook_url = "https://flex:other@i.example/y" } }
    local plan = { changes = { change, {} }, prune = true }
    local list = notes.refusals(plan)
    assert.equal(2, #list)
    assert.matches("%-%-owner NAME", list[1])
    assert.matches("^old %(t1%) is registered at https://flex:%*%*%*%*@h.e.*"
      .. "re%-pointed to https://flex:%*%*%*%*@i.*%-%-repoint", list[2])
    assert.same({}, notes.refusals({ changes = { change } }, true))
    assert.same({ list[2] },
      notes.refusals({ changes = { change }, prune = true, owner = "a" }))
  end)
end)
