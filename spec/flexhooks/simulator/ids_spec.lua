local ids = require "flexhooks.simulator.ids"
local random = require "flexhooks.simulator.random"

local function maker(seconds, seed)
  return ids.new(random.new(seed or 1), function()
    return seconds
  end)
end

describe("simulator.ids", function()
  it("makes SIDs of two letters and 32 hexadecimal digits", function()
    assert.matches("^KD%x+$", maker(0):sid "KD")
    assert.equal(34, #maker(0):sid "KD")
  end)

  it("makes UUIDs of version 4", function()
    for seed = 1, 50 do
      assert.matches("^%x+%-%x+%-4%x%x%x%-[89ab]%x%x%x%-%x+$",
        maker(0, seed):uuid())
    end
    assert.equal(36, #maker(0):uuid())
  end)

  it("writes the moment into the ttid as the service does", function()
    -- The documentation's example was made on 2025-02-06 at 18:39:48.602.
    local ttid = maker(1738867188.602):ttid()
    assert.equal("flex_interactionwebhook_01jke8z8vt", ttid:sub(1, 34))
    assert.equal(50, #ttid)
  end)

  it("keeps to the alphabet and the marks of a UUIDv7", function()
    for seed = 1, 50 do
      local suffix = maker(1e9, seed):ttid():match "_([^_]*)$"
      assert.matches("^[0-7][0-9a-hjkmnp-tv-z]+$", suffix)
      -- Digit 11 holds the version's upper bits, digit 14 the variant's.
      assert.matches("^[ef]$", suffix:sub(11, 11))
    end
  end)

  it("sorts by time", function()
    assert.is_true(maker(1e9):ttid() < maker(1e9 + 0.001):ttid())
    assert.is_true(maker(1e9):ttid() < maker(2e9):ttid())
  end)
end)
