-- A queue in SQLite without memory: what it acknowledged is there, and it goes
-- on taking and giving events afterwards. A single refusal keeps no task
-- waiting.
local flexhooks = require "flexhooks"
local task = require "flexhooks.runtime.task"

local mode = ...

local path = os.tmpname()
local queue = flexhooks.queue("sqlite:" .. path, { synchronous = "off" })

local function item(n)
  return { id = "e" .. n, source = "g", received_at = 1, token_key = "t" .. n,
    twin_key = "w" .. n, event = { EventType = "onX",
      InteractionSid = "KD" .. n } }
end

local function store(n)
  return queue:store({ item(n) }, { sources = 2 })
end

-- What is made with the first event is there already.
assert(store(0))

local acknowledged = {}

local function work()
  local tasks, all = {}, true
  for n = 1, 2 do
    tasks[n] = flexhooks.spawn(store, n)
  end
  for n = 1, 2 do
    acknowledged[n] = tasks[n]:wait(mode == "ever" and 0.01 or nil) == true
    all = all and acknowledged[n]
  end
  return all
end

-- Events that a worker finds.
local function handled()
  local seen, left = {}, 3
  local router = flexhooks.router()
  local worker = flexhooks.worker { queue = queue, router = router }
  router:on("*", function(_, context)
    assert(not seen[context.id], "wrong: handled twice")
    seen[context.id], left = true, left - 1
    if left == 0 then
      worker:stop()
    end
  end)
  assert(flexhooks.run(worker.run, worker))
  return seen
end

return function()
  return flexhooks.run(work)
end, function()
  task.cancel_all()
  for n = 1, 2 do
    assert(not acknowledged[n] or queue:get("e" .. n), "an event is lost")
    -- What was not acknowledged comes again.
    assert(flexhooks.run(store, n))
    assert(queue:get("e" .. n), "an event is taken for a duplicate")
  end
  local seen = handled()
  queue:close()
  for _, suffix in ipairs { "", "-wal", "-shm", ".lock", ".control" } do
    os.remove(path .. suffix)
  end
  require("flexhooks.runtime.loop").poller():close()
  return seen.e0 and seen.e1 and seen.e2
end
