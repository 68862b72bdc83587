-- All that the other crash specs do to servers, workers and Redis, mixed and
-- at a faster pace, so that one thing happens while another is not over:
-- killed, ended, standing still, and Redis gone or silent under all of that.
local crash = require "spec.support.crash"
local fleet = require "spec.support.fleet"
local flexhooks = require "flexhooks"
local torture = require "spec.support.torture"

local TIMES = torture.times(40)
local WHAT = "killed, ended, standing still"

-- For up to that many leases, while other things go on.
local function pause(child, longest)
  child:kill "STOP"
  flexhooks.spawn(function()
    flexhooks.sleep(longest * fleet.LEASE * math.random())
    child:kill "CONT"
  end)
end

local function one_of(list)
  return list[math.random(#list)]
end

-- What happens, and how often of a hundred times.
local HAPPENINGS = {
  { 12, function(f)
    f:kill_redis()
  end },
  { 8, function(f)
    pause(f.redis.process, 2)
  end },
  { 30, function(f)
    pause(one_of(f.workers), 1.5)
  end },
  { 10, function(f)
    pause(one_of(f.servers), 1)
  end },
  { 10, function(f)
    one_of(f.workers):kill "TERM"
    f:fill()
  end },
  { 20, function(f)
    fleet.kill(one_of(f.workers))
    f:fill()
  end },
  { 10, function(f)
    fleet.kill(one_of(f.servers))
    f:fill()
  end },
}

local function happen(f)
  local left = math.random(100)
  for _, happening in ipairs(HAPPENINGS) do
    left = left - happening[1]
    if left <= 0 then
      return happening[2](f)
    end
  end
end

describe("servers and workers to which everything happens", function()
  it("lose, reorder and repeat nothing", function()
    local f = fleet.new()
    local v = f:balance(WHAT, TIMES, function(load)
      for n = 1, TIMES do
        flexhooks.sleep(0.02 + 0.1 * math.random())
        happen(f)
        torture.progress(WHAT, n, TIMES, load:told())
      end
      flexhooks.sleep(2 * fleet.LEASE) -- nothing stands still any more
    end)
    assert.is_true(v.acknowledged > TIMES)
    crash.assert_clean(v)
  end)
end)
