local errors = require "flexhooks.error"

describe("error", function()
  it("is one line that holds what matters", function()
    local err = errors.new("rate_limited", "slow\ndown", {
      status = 429, code = 20429, request_id = "RQ1", url = "http://x/",
    })
    assert.equal("rate_limited: slow\\x0adown"
      .. " (status 429, code 20429, request_id RQ1)", tostring(err))
  end)

  it("is one line to whoever reads Unicode", function()
    local err = errors.new("http",
      "a\194\133b\226\128\168c\226\128\169\194\160")
    assert.equal("http: a\\xc2\\x85b\\xe2\\x80\\xa8c\\xe2\\x80\\xa9\194\160",
      tostring(err))
  end)

  it("keeps kind and message whatever the fields say", function()
    local fields = { kind = "tls", message = "no", reason = "r" }
    local err = errors.new("config", "yes", fields)
    assert.equal("config: yes", tostring(err))
    assert.equal("r", err.reason)
    assert.equal("tls", fields.kind)
  end)

  it("refuses kinds that are not documented", function()
    assert.has_error(function()
      errors.new("surprise", "x")
    end, "unknown error kind")
  end)

  it("knows the documented kinds", function()
    assert.is_true(errors.is_kind "dns")
    for _, kind in ipairs { "surprise", "", 1, {} } do
      assert.is_false(errors.is_kind(kind))
    end
    assert.is_false(errors.is_kind(nil))
  end)

  it("is told from other values", function()
    assert.is_true(errors.is(errors.new("dns", "x")))
    for _, value in ipairs { "dns: x", 1, { kind = "dns", message = "x" } } do
      assert.is_false(errors.is(value))
    end
    assert.is_false(errors.is(nil))
    local meta = getmetatable(errors.new("dns", "x"))
    assert.equal("flexhooks.error", meta.__name)
  end)

  it("is raised with the position of the caller", function()
    local function api()
      errors.raise(2, "api: no")
    end
    local ok, err = pcall(function()
      api()
    end)
    assert.is_false(ok)
    assert.equal("argument", err.kind)
    assert.matches("error_spec.lua:%d+: api: no$", err.message)
  end)

  it("is raised with another kind, and without a position", function()
    local ok, err = pcall(errors.raise, 1000, "setting missing", "config")
    assert.is_false(ok)
    assert.equal("config: setting missing", tostring(err))
  end)

  it("is raised at the first function that is not the library's", function()
    local ok, err = pcall(function()
      errors.raise_outside("no")
    end)
    assert.is_false(ok)
    assert.matches("error_spec.lua:%d+: no$", err.message)
  end)
end)
