-- Only on luajit: nginx's Lua is LuaJIT.
--
-- nginx receives, three workers handle; the workers of both, nginx's master
-- and Redis are killed at random under load.
local crash = require "spec.support.crash"
local fleet = require "spec.support.fleet"
local torture = require "spec.support.torture"

local KILLS = torture.times(40)

-- Of ten kills four hit a worker of nginx, one its master, one Redis.
local function kill_one(f, n)
  local turn = n % 10
  if turn == 0 then
    f:kill_redis()
  elseif turn == 5 then
    f:kill_nginx()
  elseif turn % 2 == 0 then
    f:kill_nginx_worker()
  else
    fleet.kill(f.workers[math.random(#f.workers)])
  end
  f:fill()
end

describe("nginx and workers on Redis", function()
  it("lose and reorder nothing over " .. KILLS .. " kills", function()
    local v = fleet.new { nginx = true }
      :harass("nginx, workers and Redis killed", KILLS, kill_one)
    assert.is_true(v.acknowledged > KILLS)
    crash.assert_clean(v)
  end)
end)
