local dedupe = require "flexhooks.dedupe.memory"
local flexhooks = require "flexhooks"
local refusal = require "spec.support.refusal"

local now, claims

local function make(sources, more)
  local rule = { window = 3600, entries = 1000, twin_window = 60,
    sources = sources or 2, clock = function() return now end }
  for k, v in pairs(more or {}) do
    rule[k] = v
  end
  return dedupe.new(rule)
end

before_each(function()
  now, claims = 0, make()
end)

-- One delivery that is handled at once; was it?
local function deliver(token, twin, source, handled)
  local claim, err = claims:claim(token, twin, source)
  assert.is_nil(err)
  if claim then
    claims:settle(claim, handled ~= false)
  end
  return claim ~= nil
end

describe("a re-delivery", function()
  it("is a duplicate of one that was handled", function()
    assert.is_true(deliver("t"))
    assert.is_false(deliver("t"))
    assert.is_true(deliver("u"))
    now = 3601
    assert.is_true(deliver("t"))
  end)

  it("is handled where the first failed", function()
    assert.is_true(deliver("t", nil, "a", false))
    assert.is_true(deliver("t", nil, "a", false))
    assert.is_true(deliver("t", nil, "a", true))
    assert.is_false(deliver("t", nil, "a", true))
  end)

  it("without a token is no duplicate", function()
    assert.is_true(deliver())
    assert.is_true(deliver())
  end)

  it("of a twin is a duplicate too", function()
    assert.is_true(deliver("a1", "k", "a"))
    assert.is_false(deliver("b1", "k", "b"))
    assert.is_false(deliver("b1", "k", "b"))
    assert.is_false(deliver("a1", "k", "a"))
    assert.is_true(deliver("b2", "k", "b"))
  end)

  it("that waits runs where the first failed", function()
    local order = {}
    local function delivery(name, token, twin, source, outcome)
      local claim, err = claims:claim(token, twin, source)
      order[#order + 1] = claim and name == "1" and "the first runs"
        or claim and "another runs" or "duplicate"
      assert.is_nil(err)
      if claim then
        flexhooks.sleep(0.005)
        claims:settle(claim, outcome)
      end
    end
    flexhooks.run(function()
      flexhooks.spawn(delivery, "1", "t", nil, "a", false)
      flexhooks.spawn(delivery, "2", "t", nil, "a", true)
      flexhooks.spawn(delivery, "3", "t", nil, "a", true)
    end)
    assert.same({ "the first runs", "another runs", "duplicate" }, order)
  end)
end)

describe("a twin", function()
  it("is a duplicate of what another source reported", function()
    assert.is_true(deliver(nil, "k", "a"))
    assert.is_false(deliver(nil, "k", "b"))
    assert.is_true(deliver(nil, "k", "b"))
  end)

  it("is handled where the other failed, whichever comes again", function()
    assert.is_true(deliver("a1", "k", "a", false))
    assert.is_true(deliver("b1", "k", "b"))
    assert.is_false(deliver("a1", "k", "a"))
  end)

  it("that waits runs where the first failed", function()
    local ran = {}
    local function delivery(source)
      local claim = claims:claim("token " .. source, "k", source)
      if claim then
        ran[#ran + 1] = source
        flexhooks.sleep(0.005)
        claims:settle(claim, #ran == 3)
      end
    end
    claims = make(3)
    flexhooks.run(function()
      for _, source in ipairs { "a", "b", "c", "b" } do
        flexhooks.spawn(delivery, source)
      end
    end)
    assert.equal("a", ran[1])
    assert.equal(3, #ran)
    assert.is_false(deliver("token a", "k", "a"))
    assert.is_false(deliver("token b", "k", "b"))
    assert.is_false(deliver("token c", "k", "c"))
    assert.same({}, claims.pending)
    assert.same({}, claims.claims)
  end)

  it("whose wait is cut has claimed nothing", function()
    local results = {}
    flexhooks.run(function()
      local claim = claims:claim("a1", "k", "a")
      local waiting = flexhooks.spawn(function()
        results = { claims:claim("b1", "k", "b") }
      end)
      flexhooks.sleep(0.005)
      waiting:cancel()
      waiting:wait()
      claims:settle(claim, true)
    end)
    assert.is_nil(results[1])
    assert.equal("cancelled", results[2].kind)
    assert.same({}, claims.pending)
    assert.is_false(deliver("b1", "k", "b"))
    assert.is_true(deliver("b2", "k", "b"))
  end)
end)

-- Reports of `n` equal events by `sources`, each lost with its own chance, in
-- an order of chance.
local function reports(n, sources, lost)
  local list = {}
  for i = 1, n do
    for _, source in ipairs(sources) do
      if math.random() >= (lost[source] or 0) then
        list[#list + 1] = { token = source .. i, source = source }
      end
    end
  end
  for i = #list, 2, -1 do
    local j = math.random(i)
    list[i], list[j] = list[j], list[i]
  end
  return list
end

local function handled(list)
  local n = 0
  for _, r in ipairs(list) do
    now = now + math.random() / 1000
    n = n + (deliver(r.token, "k", r.source) and 1 or 0)
  end
  return n
end

local function of_source(list, source)
  local n = 0
  for _, r in ipairs(list) do
    n = n + (r.source == source and 1 or 0)
  end
  return n
end

describe("n equal events", function()
  before_each(function()
    math.randomseed(11)
  end)

  it("of two sources in any order are handled n times", function()
    for n = 1, 60 do
      claims = make(2)
      assert.equal(n, handled(reports(n, { "a", "b" }, {})))
      assert.equal(0, claims.twins.count)
    end
  end)

  it("of three sources in any order are handled n times", function()
    for n = 1, 60 do
      claims = make(3)
      assert.equal(n, handled(reports(n, { "a", "b", "c" }, {})))
    end
  end)

  it("are handled n times where one source reports all", function()
    for n = 1, 60 do
      claims = make(2)
      assert.equal(n, handled(reports(n, { "a", "b" }, { b = 0.3 })))
    end
  end)

  it("are never handled less often than any source reported", function()
    for n = 1, 60 do
      claims = make(2)
      local list = reports(n, { "a", "b" }, { a = 0.2, b = 0.2 })
      local times = handled(list)
      assert.is_true(times <= n)
      assert.is_true(times >= of_source(list, "a"))
      assert.is_true(times >= of_source(list, "b"))
    end
  end)

  it("further apart than the window are told apart through losses", function()
    claims = make(2)
    local seen, times = 0, 0
    for _ = 1, 500 do
      now = now + 61
      local list = reports(1, { "a", "b" }, { a = 0.3, b = 0.3 })
      for _, r in ipairs(list) do
        r.token = nil
      end
      seen = seen + (#list > 0 and 1 or 0)
      times = times + handled(list)
    end
    assert.equal(seen, times)
  end)

  it("delivered again and again are handled n times", function()
    claims = make(2)
    local list = reports(30, { "a", "b" }, {})
    local times = handled(list)
    for _ = 1, 3 do
      times = times + handled(list)
    end
    assert.equal(30, times)
  end)
end)

-- Each in turn raises, as any call may for want of memory. Then nothing is
-- claimed and no report counts: what comes again is handled.
describe("a claim that is refused", function()
  it("leaves nothing behind", function()
    local tokens = debug.getmetatable(claims.tokens).__index
    local twins = getmetatable(claims.twins)
    refusal.each({ tokens = { tokens, "has", "add" },
      twins = { twins, "join", "open" } }, function(refused)
        claims = make()
        refused.begin()
        for _, report in ipairs { { "t", "f", "a" }, { "u", "f", "b" },
          { "v", "g", "a" }, { "w", "g", "b" } } do
          local ok, claim = pcall(claims.claim, claims, report[1], report[2],
            report[3], 0)
          if ok and claim then
            pcall(claims.settle, claims, claim, true)
          end
        end
        refused.over()
        for _, report in ipairs { { "t", "f", "a" }, { "u", "f", "b" },
          { "v", "g", "a" }, { "w", "g", "b" } } do
          local claim, err = claims:claim(report[1], report[2], report[3], 0)
          assert.is_nil(err)
          if claim then
            claims:settle(claim, true)
          end
        end
        assert.same({}, claims.pending)
        assert.same({}, claims.claims)
      end)
  end)
end)
