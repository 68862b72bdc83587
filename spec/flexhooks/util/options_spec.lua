local errors = require "flexhooks.error"
local options = require "flexhooks.util.options"

local SPEC = {
  timeout = { type = "number", min = 0, max = 60, default = 30 },
  method = { type = "string", one_of = { "GET", "POST" } },
  sid = { type = "string", required = true },
  retries = { type = "integer" },
  token = { type = { "string", "table" } },
  url = { check = function(v)
    return v ~= "good" and "must be good" or nil
  end },
}

-- A public function as the modules write them.
local function api(given)
  local checked = options.check("api", SPEC, given)
  return checked
end

local function refusal(given)
  local ok, err = pcall(function()
    api(given)
  end)
  assert.is_false(ok)
  assert.is_true(errors.is(err))
  assert.equal("argument", err.kind)
  local where, what = err.message:match "^(.-:%d+): (.*)$"
  assert.matches("options_spec.lua:%d+", where)
  return what
end

describe("options.check", function()
  it("fills in defaults in a table of its own", function()
    local given = { sid = "a", token = { 1 } }
    local checked = api(given)
    assert.same({ sid = "a", token = { 1 }, timeout = 30 }, checked)
    assert.is_nil(given.timeout)
  end)

  for what, given in pairs {
    ["api: option 'sid' is missing"] = {},
    ["api: options must be a table, got string"] = "sid",
    ["api: unknown option 'timout' (did you mean 'timeout'?)"] =
      { sid = "a", timout = 3 },
    ["api: unknown option 'wholly_different'"] =
      { sid = "a", wholly_different = 3 },
    ["api: unknown option '1'"] = { "a" },
    ["api: option 'timeout' must be number, got string"] =
      { sid = "a", timeout = "3" },
    ["api: option 'timeout' must be at least 0"] = { sid = "a", timeout = -1 },
    ["api: option 'timeout' must be at most 60"] = { sid = "a", timeout = 61 },
    ["api: option 'timeout' must be number, got NaN"] =
      { sid = "a", timeout = 0 / 0 },
    ["api: option 'retries' must be integer, got a fraction"] =
      { sid = "a", retries = 1.5 },
    ["api: option 'token' must be string or table, got boolean"] =
      { sid = "a", token = true },
    ["api: option 'method' must be one of GET, POST"] =
      { sid = "a", method = "PUT" },
    ["api: option 'url' must be good"] = { sid = "a", url = "bad" },
  } do
    it("says: " .. what, function()
      assert.equal(what, refusal(given))
    end)
  end

  it("takes what a metatable gives", function()
    local given = setmetatable({ retries = 1 }, { __index = { sid = "a" } })
    assert.same({ sid = "a", retries = 1, timeout = 30 }, api(given))
    given = setmetatable({ x = 1 }, { __index = { sid = "a" } })
    assert.equal("api: unknown option 'x'", refusal(given))
    given = setmetatable({ sid = "a" }, { __index = { timeout = 61 } })
    assert.equal("api: option 'timeout' must be at most 60", refusal(given))
  end)

  it("writes bounds alike on every Lua", function()
    local ok, err = pcall(options.check, "f", {
      size = { type = "integer", max = 2 ^ 30 },
      share = { type = "number", min = 0.001 },
    }, { size = 2 ^ 31 })
    assert.is_false(ok)
    assert.matches("must be at most 1073741824$", err.message)
    ok, err = pcall(options.check, "f", {
      share = { type = "number", min = 0.001 },
    }, { share = 0 })
    assert.is_false(ok)
    assert.matches("must be at least 0.001$", err.message)
  end)

  it("takes integers written as floats, but no infinity", function()
    assert.equal(2, api { sid = "a", retries = 2.0 }.retries)
    assert.matches("must be integer, got infinity",
      refusal { sid = "a", retries = 1 / 0 })
  end)

  it("blames the line that called the public function", function()
    local line
    local _, err = pcall(function()
      line = debug.getinfo(1, "l").currentline + 1
      api { sid = "a", timout = 3 }
    end)
    assert.matches("options_spec.lua:" .. line .. ": api: ", err.message)
    local function inner(given)
      local checked = options.check("api", SPEC, given, 2)
      return checked
    end
    local function outer(given)
      local checked = inner(given)
      return checked
    end
    _, err = pcall(function()
      line = debug.getinfo(1, "l").currentline + 1
      outer(5)
    end)
    assert.matches("options_spec.lua:" .. line .. ": api: ", err.message)
  end)

  it("never shows a value", function()
    assert.not_matches("hunter2", refusal { sid = "a", method = "hunter2" })
  end)
end)

describe("options.argument", function()
  local function f(value)
    local rule = { type = "string", required = true }
    local checked = options.argument("f", 2, rule, value)
    return checked
  end

  it("gives the value, or the default", function()
    assert.equal("a", f "a")
    assert.equal("x", options.argument("f", 1, { default = "x" }))
  end)

  it("names function and position", function()
    local ok, err = pcall(function()
      f(3)
    end)
    assert.is_false(ok)
    assert.matches("f: argument 2 must be string, got number", err.message)
    assert.matches("options_spec.lua", err.message)
  end)
end)

describe("options.nearest", function()
  local KNOWN = { "webhook_url", "webhook_events", "type" }

  it("finds slips of the pen", function()
    for slip, name in pairs {
      webhook_ulr = "webhook_url", WebhookUrl = "webhook_url", tpye = "type",
      webhook_event = "webhook_events",
    } do
      assert.equal(name, options.nearest(slip, KNOWN))
    end
  end)

  it("finds nothing where nothing is near", function()
    assert.is_nil(options.nearest("colour", KNOWN))
    assert.is_nil(options.nearest(("x"):rep(100), KNOWN))
    assert.is_nil(options.nearest(3, KNOWN))
    assert.equal("", options.suggestion("colour", KNOWN))
  end)

  it("prefers the first of equals, whatever the order", function()
    assert.equal("aa", options.nearest("ab", { "ac", "aa" }))
    assert.equal("aa", options.nearest("ab", { ac = true, aa = true }))
  end)

  it("is told in parentheses", function()
    assert.equal(" (did you mean 'type'?)", options.suggestion("typ", KNOWN))
  end)
end)

describe("options.method", function()
  local class = { __name = "thing" }

  it("lets an object of the class pass", function()
    options.method(class, "thing:go", setmetatable({}, class))
  end)

  it("raises where the method was called, with the fix", function()
    for _, self in ipairs { false, 5, "x", {}, class } do
      local function go()
        options.method(class, "thing:go", self)
      end
      local ok, err = pcall(function()
        go()
      end)
      assert.is_false(ok)
      assert.equal("argument", err.kind)
      assert.matches("options_spec.lua", err.message)
      assert.matches("thing.go is a method: call it with ':', as in "
        .. "thing:go(…)", err.message, 1, true)
    end
  end)
end)
