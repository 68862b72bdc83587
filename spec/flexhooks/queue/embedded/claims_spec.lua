local claims = require "flexhooks.queue.embedded.claims"
local refusal = require "spec.support.refusal"

local RULE = { window = 100, entries = 1000, twin_window = 60, sources = 2 }

local c

before_each(function()
  c = claims.new(RULE)
end)

local function item(token, twin, source)
  return { token_key = token, twin_key = twin, source = source }
end

-- Takes items in one batch that is kept, or released.
local function take(now, release, ...)
  local batch, verdicts = claims.batch(), {}
  for i, it_ in ipairs { ... } do
    verdicts[i] = c:take(batch, it_, now) == "stored"
  end
  if release then
    c:release(batch)
  else
    c:keep(batch)
  end
  return verdicts, batch
end

describe("claims", function()
  it("take a token once within its window", function()
    assert.same({ true, false }, (take(0, false, item "a", item "a")))
    assert.same({ false }, (take(99, false, item "a")))
    assert.same({ true }, (take(200, false, item "a")))
  end)

  it("match twins by source", function()
    assert.same({ true, true, false, false, true, false },
      (take(0, false, item(nil, "f", "g"), item(nil, "f", "g"),
        item(nil, "f", "i"), item(nil, "f", "i"), item(nil, "f", "i"),
        item(nil, "f", "g"))))
    assert.same({ true }, (take(1, false, item(nil, "f", "g"))))
    assert.same({ true }, (take(62, false, item(nil, "f", "i"))))
  end)

  it("know nothing of a batch that was released", function()
    take(0, false, item("t0", "f", "g"))
    assert.same({ false, true, true, false },
      (take(1, true, item("t1", "f", "i"), item("t2", "f", "i"),
        item("t3", "h", "g"), item("t4", "h", "i"))))
    assert.same({ false, true, true, false },
      (take(1, false, item("t1", "f", "i"), item("t2", "f", "i"),
        item("t3", "h", "g"), item("t4", "h", "i"))))
  end)

  it("are released whole where one of them is refused", function()
    refusal.each({ tokens = { debug.getmetatable(c.tokens).__index, "add" },
      twins = { getmetatable(c.twins), "join", "open" } }, function(refused)
        c = claims.new(RULE)
        take(0, false, item("a", "f", "g"))
        local batch = claims.batch()
        refused.begin()
        pcall(function()
          for _, it_ in ipairs { item("b", "f", "i"), item("c", "f", "g") } do
            c:take(batch, it_, 1)
          end
        end)
        refused.over()
        c:release(batch)
        assert.same({ false, true, false }, (take(2, false,
          item("b", "f", "i"), item("c", "f", "g"), item("d", "f", "i"))))
      end)
  end)

  it("say what to write, so that taking it again ends the same", function()
    local _, batch = take(5, false, item("a", "f", "g"), item("a", "f", "g"),
      item("b", "f", "i"), item(nil, nil, "g"))
    local written = batch.entries
    assert.same({ "a", "f", "g", "b", "f", "i" }, written)
    c = claims.new(RULE)
    for i = 1, #written, 3 do
      take(batch.at, false, item(written[i], written[i + 1], written[i + 2]))
    end
    assert.same({ false, false, true }, (take(6, false, item("a", "f", "g"),
      item("b", "f", "i"), item("c", "f", "i"))))
  end)

  it("do not expire early where the clock is set back", function()
    take(1000, false, item "a")
    assert.same({ false }, (take(10, false, item "a")))
    take(20, false, item "b")
    assert.same({ false, false }, (take(1050, false, item "a", item "b")))
  end)
end)
