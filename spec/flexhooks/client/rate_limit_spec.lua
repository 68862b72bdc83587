local rate_limits = require "flexhooks.client.rate_limit"

-- When `count` requests begin that all want to begin at `now`.
local function starts(pacer, count, now, endpoint)
  local list = {}
  for i = 1, count do
    list[i] = now + pacer:reserve(endpoint or "GET /a", now)
  end
  return list
end

-- The most starts in any window of `seconds`.
local function busiest(list, seconds)
  local most = 0
  for _, from in ipairs(list) do
    local count = 0
    for _, at in ipairs(list) do
      count = count + (at >= from and at < from + seconds and 1 or 0)
    end
    most = math.max(most, count)
  end
  return most
end

describe("pacing", function()
  for _, rate in ipairs { 1, 2, 3.5, 20, 100 } do
    it("keeps any second at " .. rate .. " requests or fewer", function()
      local list = starts(rate_limits.new(rate), 250, 1000)
      local seconds = math.floor(rate) / rate
      assert.is_true(busiest(list, seconds) <= math.floor(rate))
      -- Neither does it idle: the last starts when it may, within the slack.
      local least = (250 - math.floor(rate)) / rate
      assert.is_true(list[250] - 1000 <= least * 1.05 + 1)
    end)
  end

  it("lets a burst of the rate go at once", function()
    local pacer = rate_limits.new(20)
    for _ = 1, 20 do
      assert.equal(0, pacer:reserve("GET /a", 5))
    end
    assert.is_true(pacer:reserve("GET /a", 5) > 0.9)
    assert.equal(0, pacer:reserve("GET /b", 5))
    assert.equal(0, pacer:reserve("GET /a", 50))
  end)

  it("paces fewer than one a second", function()
    local list = starts(rate_limits.new(0.5), 4, 0)
    assert.equal(0, list[1])
    for i = 2, 4 do
      assert.is_true(list[i] - list[i - 1] >= 2)
    end
  end)

  it("keeps its window over later requests", function()
    local pacer, list = rate_limits.new(5), {}
    for i = 0, 99 do
      local now = i * 0.05
      list[#list + 1] = now + pacer:reserve("GET /a", now)
    end
    assert.is_true(busiest(list, 1) <= 5)
  end)

  it("does not pace where there is no limit", function()
    for _, rate in ipairs { false, math.huge, 1e9 } do
      local list = starts(rate_limits.new(rate), 900, 3)
      assert.equal(3, list[900])
    end
  end)

  it("forgets idle endpoints, but not busy ones", function()
    local pacer = rate_limits.new(1)
    for i = 1, 2000 do
      pacer:reserve("GET /" .. i, i * 10)
    end
    assert.is_true(pacer.count <= 513)
    pacer:reserve("GET /busy", 20000)
    for i = 1, 1000 do
      pacer:reserve("POST /" .. i, 20000.5)
    end
    assert.is_true(pacer:reserve("GET /busy", 20000.5) > 0)
  end)
end)
