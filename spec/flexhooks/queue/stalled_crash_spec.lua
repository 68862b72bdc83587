-- Workers stand still for up to three leases, each when it likes, so that
-- partitions are lost, taken, lost again and taken back. What handlers do when
-- their worker wakes lands late: that is counted, and documented.
local fleet = require "spec.support.fleet"
local flexhooks = require "flexhooks"
local torture = require "spec.support.torture"

local STOPS = torture.times(12)
local WHAT = "workers stopped for 0 to 3 leases"

describe("workers that stand still", function()
  it("lose, reorder and repeat nothing", function()
    local f = fleet.new()
    local stops = 0
    local function stall(worker, load)
      while stops < STOPS do
        stops = stops + 1
        torture.progress(WHAT, stops, STOPS, load:told())
        worker:kill "STOP"
        flexhooks.sleep(3 * fleet.LEASE * math.random())
        worker:kill "CONT"
        flexhooks.sleep(fleet.LEASE * math.random())
      end
    end
    local v = f:balance(WHAT, STOPS, function(load)
      flexhooks.sleep(0.3)
      flexhooks.map(f.workers, #f.workers, function(worker)
        stall(worker, load)
      end)
    end)
    assert.same({ 0, 0, 0 }, { v.lost, v.disordered, v.wrongly_repeated })
  end)
end)
