local diff = require "flexhooks.provision.diff"

local function webhook(ttid, name, url, more)
  local made = { ttid = ttid, friendly_name = name, type = "global",
    webhook_url = url, webhook_events = { "onChannelCreated" },
    webhook_method = "POST" }
  for key, value in pairs(more or {}) do
    made[key] = value
  end
  return made
end

local function wanted(name, url)
  local entry = webhook(nil, name, url)
  entry.webhook_method = nil
  return entry
end

local function changes(desired, current, prune)
  local list, kept = diff.changes(desired, current, prune or false)
  local told = {}
  for i, change in ipairs(list) do
    told[i] = change.action .. (change.ttid and " " .. change.ttid or "")
  end
  return told, kept
end

describe("provision.diff", function()
  it("names the fields that differ, and nothing else", function()
    assert.is_nil(diff.fields(wanted("a", "u"), webhook("1", "a", "u")))
    assert.same({ webhook_url = { from = "v", to = "u" } },
      diff.fields(wanted("a", "u"), webhook("1", "a", "v")))
    assert.same({ webhook_method = { from = "POST", to = "GET" } },
      diff.fields({ webhook_method = "GET", webhook_events = {
        "onChannelCreated" } }, webhook("1", "a", "v")))
  end)

  it("takes the oldest of several with one name", function()
    assert.same({ "unchanged 1" }, changes({ wanted("a", "u") },
      { webhook("2", "a", "u"), webhook("1", "a", "u") }))
  end)

  it("prefers the one that is where it should be", function()
    assert.same({ "unchanged 2" }, changes({ wanted("a", "u") },
      { webhook("1", "a", "v"), webhook("2", "a", "u") }))
  end)

  it("adopts what differs in its delivery overrides alone, after the others",
    function()
      local list = changes({ wanted(nil, "u#rc=3"), wanted("b", "u#rc=1") },
        { webhook("1", "x", "u"), webhook("2", "y", "u#rc=3") })
      assert.same({ "unchanged 2", "update 1" }, list)
      local told = diff.changes({ wanted(nil, "u#rc=3") },
        { webhook("1", "x", "u#rc=2") }, false)
      assert.same({ webhook_url = { from = "u#rc=2", to = "u#rc=3" } },
        told[1].fields)
      local other = webhook("1", "x", "u", { type = "interaction" })
      assert.same({ "create" }, (changes({ wanted("a", "u#rc=3") },
        { other })))
    end)

  it("takes each webhook for one entry only", function()
    assert.same({ "unchanged 1", "create" }, changes(
      { wanted("a", "u"), wanted("b", "v") }, { webhook("1", "a", "u") }))
  end)

  it("takes a type that the API left out for global", function()
    local current = webhook("1", "b", "u")
    current.type = nil
    assert.same({ "replace 1" }, changes({ wanted("a", "u") }, { current }))
  end)

  it("keeps what is not the owner's, or has no name", function()
    local current = { webhook("1", "a/old", "https://h.example/old"),
      webhook("2", "ab/x", "https://h.example/x"),
      webhook("3", nil, "https://h.example/unnamed") }
    local desired = { owner = "a", wanted("a/new", "https://h.example/a") }
    assert.same({ "create", "delete 1" }, (changes(desired, current, true)))
    local _, kept = changes(desired, current)
    assert.equal(3, #kept)
    assert.is_true(kept[1].owned)
    assert.is_false(kept[2].owned)
    desired.owner = nil
    assert.same({ "create" }, (changes(desired, current, true)))
  end)

  it("prefers, of one name, the URL, then the receiver, then the origin",
    function()
      local current = { webhook("1", "a", "https://other.example/"),
        webhook("2", "a", "https://h.example/y"),
        webhook("3", "a", "https://h.example:443/x#rc=1"),
        webhook("4", "a", "https://h.example/x") }
      local desired = { wanted("a", "https://h.example/x") }
      for _, ttid in ipairs { "4", "3", "2", "1" } do
        assert.equal(ttid, diff.changes(desired, current, false)[1].ttid)
        table.remove(current)
      end
    end)

  it("tells which entry a webhook repeats", function()
    local current = { webhook("1", "b/x", "https://me:pw@H.example/x#rc=3"),
      webhook("2", "b/y", "https://h.example/x", { type = "interaction" }) }
    local entry = wanted("a/x", "https://h.example/x")
    local list, kept = diff.changes({ owner = "a", entry }, current, true)
    assert.equal("create", list[1].action)
    assert.equal(entry, kept[1].twin)
    assert.is_nil(kept[2].twin)
  end)
end)
