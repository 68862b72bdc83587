-- Two servers receive, three workers handle; workers, servers and Redis itself
-- are killed at random under load.
local crash = require "spec.support.crash"
local fleet = require "spec.support.fleet"
local flexhooks = require "flexhooks"
local torture = require "spec.support.torture"

local KILLS = torture.times(50)

local function kill_one(f, n)
  if n % 10 == 0 then
    f:kill_redis()
  else
    local list = n % 3 == 0 and f.servers or f.workers
    fleet.kill(list[math.random(#list)])
    f:fill()
  end
end

describe("servers and workers on Redis", function()
  it("lose and reorder nothing over " .. KILLS .. " kills", function()
    local v = fleet.new()
      :harass("servers, workers and Redis killed", KILLS, kill_one)
    assert.is_true(v.acknowledged > KILLS)
    crash.assert_clean(v)
  end)

  -- The control: workers that ignore leases fail the same test.
  it("are seen to repeat events where nobody heeds leases", function()
    local f = fleet.new { no_leases = true }
    local v = f:balance("control: leases ignored", 0, function(load)
      local ends = flexhooks.clock() + 30
      repeat
        flexhooks.sleep(0.5)
      until f:verdict(load).wrongly_repeated > 0 or flexhooks.clock() > ends
    end)
    assert.is_true(v.wrongly_repeated > 0)
  end)
end)
