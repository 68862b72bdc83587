local errors = require "flexhooks.error"
local load_stats = require "flexhooks.cli.load_stats"

local function filled()
  local tally = load_stats.new(100)
  for i = 1, 100 do
    tally:add(i / 1000, { status = i <= 98 and 200 or 503 })
  end
  tally:add(5, nil, errors.new("connect", "x"))
  return tally
end

describe("cli.load_stats", function()
  it("counts outcomes and finds quantiles", function()
    local summary = filled():summary(102)
    assert.same({ sent = 101, good = 98, seconds = 2, rate = 50.5,
      statuses = { ["200"] = 98, ["503"] = 2 }, errors = { connect = 1 },
      latency = { p50 = 0.05, p99 = 0.099, max = 0.1 } }, summary)
  end)

  it("tells it in one line", function()
    assert.equal("101 sent in 2.0 s (50/s): 200 × 98, 503 × 2, connect × 1; "
      .. "p50 50.0 ms, p99 99.0 ms, max 100.0 ms", (filled():line(102):gsub(
        "%(51/s%)", "(50/s)")))
    assert.equal("101 sent, 101/s, 3 not 2xx", filled():progress(101))
  end)

  it("has something to say of nothing", function()
    local tally = load_stats.new(1)
    assert.equal("0 sent in 0.0 s (0/s): nothing", tally:line(1))
    assert.is_nil(tally:summary(1).latency)
    tally:add(0.002, { status = 204 })
    assert.equal(0.002, tally:summary(2).latency.p99)
  end)
end)
