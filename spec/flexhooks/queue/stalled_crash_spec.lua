-- Workers stand still for up to three leases, each when it likes, so that
-- partitions are lost, taken, lost again and taken back; now and then Redis
-- does, for longer than anybody waits for its answer. What handlers do when
-- their worker wakes lands late: that is counted, and documented.
local crash = require "spec.support.crash"
local fleet = require "spec.support.fleet"
local flexhooks = require "flexhooks"
local torture = require "spec.support.torture"

local STOPS = torture.times(12)
local WHAT = "workers and Redis stand still"

-- Up to that many leases; then a pause, of up to that many.
local function stop(child, longest, pause)
  child:kill "STOP"
  flexhooks.sleep(longest * fleet.LEASE * math.random())
  child:kill "CONT"
  flexhooks.sleep(pause * fleet.LEASE * math.random())
end

describe("workers that stand still", function()
  it("lose, reorder and repeat nothing", function()
    -- As many events as workers can handle that stand still most of the time.
    local f = fleet.new { pause = 0.1 }
    local stops = 0
    local function stall(child, load)
      while stops < STOPS do
        stops = stops + 1
        torture.progress(WHAT, stops, STOPS, load:told())
        if child == f.redis.process then
          stop(child, 6, 8)
        else
          stop(child, 3, 1)
        end
      end
    end
    local v = f:balance(WHAT, STOPS, function(load)
      flexhooks.sleep(0.3)
      flexhooks.map({ f.redis.process, f.workers[1], f.workers[2],
        f.workers[3] }, 4, function(child)
          stall(child, load)
        end)
    end)
    crash.assert_clean(v)
  end)
end)
