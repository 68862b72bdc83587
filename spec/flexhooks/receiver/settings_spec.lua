local d = require "spec.support.deliveries"
local errors = require "flexhooks.error"
local flexhooks = require "flexhooks"
local rows = require "spec.data.receiver.settings"
local settings = require "flexhooks.receiver.settings"

local SECRET = "a-secret-token"

local function given(changes)
  local g = { auth_token = SECRET, public_url = d.url,
    router = flexhooks.router() }
  for name, value in pairs(changes) do
    if value == rows.ABSENT then
      value = nil
    end
    g[name] = value
  end
  return g
end

describe("the settings of a receiver", function()
  for i, row in ipairs(rows) do
    it("are refused, row " .. i .. ": " .. row[3], function()
      local ok, err = pcall(function()
        return (flexhooks.receiver(given(row[1])))
      end)
      assert.is_false(ok)
      assert.is_true(errors.is(err))
      assert.equal(row[2], err.kind)
      assert.is_truthy(err.message:find("settings_spec.lua:%d+: "
        .. "flexhooks%.receiver"), err.message)
      assert.is_truthy(err.message:find(row[3], 1, true), err.message)
      assert.is_nil(err.message:find(SECRET, 1, true))
    end)
  end

  for _, name in ipairs { "auth_token", "shared_keys", "shared_keys_file",
    "public_url", "sources", "methods", "router", "queue", "client",
    "account_sid", "handler_timeout", "limits", "dedupe", "logger",
    "on_reject", "metrics" } do
    it("N001 are refused by name: " .. name, function()
      for _, value in ipairs { 5, 0 / 0, "x", "", true, {}, { {} }, print,
        io.stdout, coroutine.create(print), { [{}] = {} }, "a\0b" } do
        local ok, err = pcall(function()
          return (flexhooks.receiver(given { [name] = value }))
        end)
        assert.is_true(ok or errors.is(err), tostring(err))
        assert.is_true(ok or err.message:find(name, 1, true) ~= nil,
          tostring(err))
      end
    end)
  end

  it("N001 are one table", function()
    for _, value in ipairs { 5, "x", true, print } do
      local ok, err = pcall(flexhooks.receiver, value)
      assert.is_false(ok)
      assert.is_true(errors.is(err))
    end
    assert.is_false((pcall(flexhooks.receiver)))
  end)

  it("never show what a URL holds", function()
    local ok, err = pcall(flexhooks.receiver,
      given { public_url = "https://u:hidden@h.example/a b" })
    assert.is_false(ok)
    assert.is_nil(tostring(err):find("hidden", 1, true))
  end)

  it("are not kept where they would be shown", function()
    local r = flexhooks.receiver(given {})
    for name, value in pairs(r) do
      assert.not_equal(SECRET, value, name)
    end
  end)

  it("have the documented limits unless told", function()
    local s = settings.read(given { limits = { name = 5 } })
    assert.same({ body = 262144, params = 1000, name = 5, value = 65536,
      depth = 64 }, s.limits)
  end)

  it("give twins as long as the retries take", function()
    local function window(dedupe)
      return settings.read(given { dedupe = dedupe }).rule.twin_window
    end
    assert.equal(60, window {})
    assert.equal(120, window { retries = 5 })
    assert.equal(7, window { twin_window = 7 })
    assert.is_nil(settings.read(given { dedupe = false }).rule)
  end)

  it("sort the URLs of a path by their queries", function()
    local s = settings.read(given { sources = {
      [d.url .. "?a=1"] = "a", [d.url .. "?a=1&b=2"] = "b",
    } })
    local routes = s.routes["/flex/events"]
    assert.equal("b", routes[1].source)
    assert.equal("a", routes[2].source)
    assert.equal("default", routes[3].source)
    assert.same({ a = "1", b = "2" }, routes[1].query_fields)
    assert.equal(3, s.source_count)
  end)

  it("know the public URL among the sources by its signed part", function()
    local s = settings.read(given { public_url = d.url .. "#rc=3&rp=all",
      sources = { [d.url] = "global", ["https://h.example/one"] = "own" } })
    for _, route in ipairs(s.routes["/flex/events"]) do
      assert.equal("global", route.source)
    end
    assert.equal(2, s.source_count)
  end)
end)
