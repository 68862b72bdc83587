local contexts = require "flexhooks.router.context"
local flexhooks = require "flexhooks"
local process = require "spec.support.process"

describe("a context", function()
  it("has an id of its own", function()
    local seen = {}
    for _ = 1, 1000 do
      local id = contexts.id()
      assert.is_truthy(id:find "^%x+$")
      assert.is_nil(seen[id])
      seen[id] = true
    end
  end)

  it("has ids that another process does not", function()
    local script = [[io.write(require("flexhooks.router.context").id())]]
    local ids = {}
    for i = 1, 2 do
      local _, out = process.run { process.lua, "-e", script }
      ids[i] = out
      assert.is_truthy(out:find "^%x+$")
    end
    assert.not_equal(ids[1], ids[2])
    assert.not_equal(contexts.id():sub(1, 24), ids[1]:sub(1, 24))
  end)

  it("is filled in place, and what is there stays", function()
    local given = { attempt = 3, replay = true, mine = "x" }
    local context = contexts.fill(given, { EventType = "onNew" })
    assert.equal(given, context)
    assert.equal(3, context.attempt)
    assert.is_true(context.replay)
    assert.is_false(context.possible_replay)
    assert.equal("x", context.mine)
    assert.equal("onNew", context.wire_type)
    assert.is_true(context.deadline > context.received_at)
    assert.is_nil(context.client)
    assert.is_nil(context.query)
  end)

  it("shares no state with another", function()
    local a, b = contexts.fill({}, {}), contexts.fill({}, {})
    assert.not_equal(a.state, b.state)
  end)

  it("logs nowhere without a logger", function()
    assert.is_nil(contexts.fill({}, {}).log("info", "hello"))
  end)

  it("takes no level that no logger knows, with a logger or without",
    function()
      for _, logger in ipairs { false, print } do
        local context = contexts.fill({}, {}, logger or nil)
        for level, said in pairs { warning = "got 'warning'",
          INFO = "got 'INFO'", ["hello\27"] = "got 'hello\\x1b'",
          [7] = "got number" } do
          local ok, err = pcall(function()
            context.log(level, "message")
          end)
          assert.is_false(ok)
          assert.equal("argument", err.kind)
          assert.matches("context_spec.lua:%d+: context.log: argument 1 must "
            .. "be debug, info, warn or error", err.message)
          assert.matches(said, err.message, 1, true)
        end
        local ok, err = pcall(context.log, context, "info", "message")
        assert.is_false(ok)
        assert.matches("called with a dot", err.message)
        assert.is_false((pcall(context.log)))
      end
    end)

  it("logs SIDs and what the handler adds", function()
    local lines = {}
    local context = contexts.fill({ id = "i" },
      { EventType = "onNew", ChannelSid = "UO1", ErrorMessage = "private" },
      function(...)
        lines[#lines + 1] = { ... }
      end)
    context.log("warn", "hello", { id = "mine", n = 1 })
    context.log("info", "bare")
    assert.same({ "warn", "hello", { id = "mine", attempt = 1, n = 1,
      EventType = "onNew", ChannelSid = "UO1" } }, lines[1])
    assert.equal("i", lines[2][3].id)
  end)
end)

describe("the client of a context", function()
  local function soon()
    return flexhooks.clock() + 0.02
  end

  it("is what was given, or what a function makes of the account", function()
    local client = {}
    assert.equal(client, contexts.client(client, {}, soon()))
    assert.is_nil(contexts.client(nil, {}, soon()))
    assert.equal("for AC1", contexts.client(function(account)
      return "for " .. account
    end, { AccountSid = "AC1" }, soon()))
  end)

  it("leaves no deadline behind, however the function ends", function()
    for _, f in ipairs { error, function() return nil, "no" end,
      function() return assert(flexhooks.sleep(60)) end,
      function() return {} end } do
      pcall(contexts.client, f, { AccountSid = "AC1" }, soon())
      assert.is_true(flexhooks.sleep(0.04))
    end
  end)
end)
