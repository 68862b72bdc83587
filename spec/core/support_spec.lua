-- What every binding shares, seen through keys and verifiers.
local core = require "flexhooks.core"

local URL = "https://company.example/flex/events"

local function message_of(f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  return message
end

describe("a handle", function()
  it("tells its class and hides its metatable", function()
    local meta = debug.getmetatable(core.key "t")
    assert.equal("flexhooks.key", meta.__name)
    assert.is_false(getmetatable(core.key "t"))
  end)

  it("is closed once or more, and unusable then", function()
    local key = core.key "t"
    assert.is_nil(key:close())
    key:close()
    assert.matches("flexhooks.key is closed", message_of(key.sign, key, URL))
  end)

  it("is closed by the collector", function()
    collectgarbage()
    collectgarbage()
    local before = core.live()
    local key = core.key "t"
    assert.equal(before + 1, core.live())
    assert.is_not_nil(key)
    key = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.equal(before, core.live())
  end)

  if _VERSION == "Lua 5.4" then
    it("is closed at the end of its block", function()
      local before = core.live()
      local f = load [[
        local core = ...
        local key <close> = core.key "t"
        return core.live()]]
      assert.equal(before + 1, f(core))
      assert.equal(before, core.live())
    end)
  end

  for what, value in pairs {
    ["nothing"] = false, ["a number"] = 1, ["a string"] = "key",
    ["a table"] = {}, ["another class"] = core.verifier { url = URL },
    ["a file"] = io.stdout, ["a coroutine"] = coroutine.create(print),
  } do
    it("is not " .. what, function()
      assert.matches("flexhooks.key expected, got",
        message_of(core.key("t").sign, value or nil, URL))
    end)
  end

  it("is known by its tag, whatever its metatable says", function()
    local verifier = core.verifier { url = URL }
    local meta = debug.getmetatable(verifier)
    debug.setmetatable(verifier, debug.getmetatable(core.key "t"))
    local message = message_of(verifier.sign, verifier, URL)
    debug.setmetatable(verifier, meta)
    assert.matches("flexhooks.key expected", message)
    verifier:close()
  end)

  it("cannot be changed through its metatable by an assignment", function()
    local key = core.key "t"
    assert.is_false(pcall(function()
      key.sign = print
    end))
  end)
end)

describe("the options of a binding", function()
  for message, options in pairs {
    ["option 'url' is missing"] = {},
    ["option 'url' must be a string, got number"] = { url = 1 },
    ["option 'body' must be a number, got string"] = { url = URL, body = "1" },
    ["option 'body' must be a number, got number"] =
      { url = URL, body = 0 / 0 },
    ["option 'params' must be from 0 to 2^53"] = { url = URL, params = -1 },
    ["option 'name' must be from 0 to 2^53"] = { url = URL, name = 2 ^ 60 },
  } do
    it("say: " .. message, function()
      assert.matches(message, message_of(core.verifier, options), 1, true)
    end)
  end

  it("are a table", function()
    assert.matches("table expected", message_of(core.verifier, URL))
    assert.matches("table expected", message_of(core.verifier))
  end)

  it("are taken from the table itself, not from what it inherits", function()
    local heir = setmetatable({}, { __index = function()
      return URL
    end })
    assert.matches("option 'url' is missing", message_of(core.verifier, heir))
  end)
end)

describe("a failure", function()
  it("is nil, a kind and a message", function()
    local verifier, kind, message = core.verifier { url = "ftp://x/" }
    assert.is_nil(verifier)
    assert.equal("config", kind)
    assert.is_string(message)
  end)
end)
