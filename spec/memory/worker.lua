-- A worker without memory: it handles its events or ends with an error, and
-- another finds what it has left. None is lost. Without memory for ever it may
-- not even come to give its queue back.
local core = require "flexhooks.core"

-- lua-cjson ends the process where malloc fails: our own decoder stands in.
package.loaded.cjson = { new = function()
  return { decode_max_depth = function() end, decode = function(bytes)
    return core.json_decode(bytes, 100, 100)
  end }
end }

local flexhooks = require "flexhooks"
local loop = require "flexhooks.runtime.loop"
local task = require "flexhooks.runtime.task"

local mode = ...

local queue = flexhooks.queue "memory:"
local router, seen, awaited = flexhooks.router(), {}, {}

local function store(...)
  for _, n in ipairs { ... } do
    assert(queue:store { { id = "e" .. n, source = "g", received_at = 1,
      event = { EventType = "onX", InteractionSid = "KD" .. n % 2 } } })
    awaited[#awaited + 1] = "e" .. n
  end
end

router:on("*", function(_, context)
  flexhooks.sleep(0)
  seen[context.id] = true
end)

local function over()
  for _, id in ipairs(awaited) do
    if not seen[id] then
      return false
    end
  end
  return true
end

-- Runs a worker for some turns of the loop.
local function work()
  local worker = flexhooks.worker { queue = queue, router = router,
    backoff = { 0, 0 }, max_attempts = 1000 }
  local running = flexhooks.spawn(worker.run, worker)
  for _ = 1, 100 do
    flexhooks.loop():step(0)
    if over() then
      break
    end
  end
  worker:stop(0)
  for _ = 1, 10 do
    flexhooks.loop():step(0)
  end
  return over() and running:wait(0) == true
end

-- What is made with the first events is there already.
core.random(1) -- libcrypto would crash here the first time
store(1, 2)
assert(work())
store(3, 4, 5)

return work, function()
  task.cancel_all()
  flexhooks.run(flexhooks.sleep, 0) -- what was cancelled ends
  store(6)
  local all, stats = work(), queue:stats()
  for _, id in ipairs(awaited) do
    assert(seen[id] or queue:get(id), "wrong: an event is lost")
  end
  loop.poller():close()
  return stats.dead == 0 and (all or mode == "ever")
end
