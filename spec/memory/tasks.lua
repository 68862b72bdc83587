-- Tasks, events, timers and hooks without memory: `run` ends, whatever fails,
-- and later tasks run as if nothing had been.
local flexhooks = require "flexhooks"
local loop = require "flexhooks.runtime.loop"

local function add(sum, event, n, wait)
  local value = event:wait(wait)
  flexhooks.sleep(0)
  sum.n = sum.n + (value or 0) * n
  return n
end

-- Waits at most so many seconds for what may never come.
local function work(wait)
  local event, sum, tasks = loop.event(), { n = 0 }, {}
  for n = 1, 3 do
    tasks[n] = flexhooks.spawn(add, sum, event, n, wait)
  end
  flexhooks.spawn(function()
    flexhooks.sleep(0.001)
    loop.at_turn_end(event.set, event)
  end)
  flexhooks.spawn(function()
    loop.at_turn_end(function()
      event:set(2)
    end)
  end)
  local ended = 0
  for n = 1, 3 do
    ended = ended + (tasks[n]:wait() or 0)
  end
  flexhooks.map({ 1, 2 }, 2, function(value)
    sum.n = sum.n + value
  end)
  return sum.n == 15 and ended == 6
end

-- What is made with the first run is there already.
assert(flexhooks.run(work, 10))

return function()
  return flexhooks.run(work, 0.05)
end, function()
  local again = flexhooks.run(work, 10)
  local rests = flexhooks.loop():timeout() == nil
  loop.poller():close()
  return rests and again
end
