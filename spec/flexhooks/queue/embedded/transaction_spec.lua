local claims = require "flexhooks.queue.embedded.claims"
local item_codec = require "flexhooks.queue.item_codec"
local transaction = require "flexhooks.queue.embedded.transaction"

local RULE = { window = 100, entries = 1000, twin_window = 60, sources = 1 }

-- A storage that notes what it is told to do.
local function noting()
  local told = {}
  return setmetatable({}, { __index = function(_, name)
    return function(_, what)
      told[#told + 1] = name
      told[name] = what
      return name == "attempt" and { [7] = "row 7" } or nil
    end
  end }), told
end

local function queue()
  return { seq = 10, claims = claims.new(RULE), claims_under = function() end }
end

local function event(fields)
  return { id = "x", event = fields }
end

describe("a transaction", function()
  it("stores events in their order, each in its line", function()
    local storage, told = noting()
    local q, items = queue(), { event { InteractionSid = "KD1" },
      event { EventType = "onX" }, event {} }
    transaction.store(q, storage, { { items = items, rule = RULE } },
      claims.batch())
    local e = item_codec.encode
    assert.same({ 11, "KD1", e(items[1]), 12, "onX", e(items[2]), 13, "",
      e(items[3]) }, told.insert)
    for i = 1, 3 do
      assert.equal("stored", items[i].verdict)
    end
    assert.equal(13, q.seq)
  end)

  it("writes each claim once, and nothing of a duplicate", function()
    local storage, told = noting()
    local first = { items = { { token_key = "t", event = {} } }, rule = RULE }
    local again = { items = { { token_key = "t", event = {} } }, rule = RULE }
    local batch = claims.batch()
    transaction.store(queue(), storage, { first, again }, batch)
    assert.same({ "stored", "duplicate" },
      { first.items[1].verdict, again.items[1].verdict })
    assert.equal(3, #told.insert)
    assert.equal(batch, told.claim)
    assert.same({ "t", "", "" }, batch.entries)
  end)

  it("buries what is no event", function()
    local storage, told = noting()
    transaction.store(queue(), storage, { { rule = RULE,
      items = { { id = "r", raw = "{" } } } }, claims.batch())
    assert.same({ "bury" }, { told[1], told[2] })
    assert.equal("malformed", told.bury.reason)
  end)

  it("takes what begins, then what is finished, then the rest", function()
    local storage, told = noting()
    local steps = { { kind = "run", run = function(s)
      s:run()
      return "ran"
    end }, { kind = "finish", seq = 5 }, { kind = "begin", seq = 7 },
      { kind = "begin", seq = 8 } }
    transaction.step(storage, steps)
    assert.same({ "attempt", "delete", "run" }, { told[1], told[2], told[3] })
    assert.same({ "ran", true, "row 7", false }, { steps[1].result,
      steps[2].result, steps[3].result, steps[4].result })
  end)
end)
