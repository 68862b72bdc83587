local command = require "spec.support.command"
local flexhooks = require "flexhooks"
local json = require "flexhooks.json"
local process = require "spec.support.process"
local queues = require "spec.support.queues"

local bench = queues.redis()
local item = queues.item

local LINE = "%%d+Z  %s +onX +KD1  %s\n"

-- Stores an item and handles what there is, for as long as it takes who looks
-- to hear of it: a command that asks this process is answered while its loop
-- runs. For a moment, who looks may own the queue.
local function work(queue, one, is_heard)
  local router = flexhooks.router()
  router:on("*", function() end)
  process.eventually(function()
    return queue:store { one }
  end)
  flexhooks.run(function()
    local worker = flexhooks.worker { queue = queue, router = router }
    local running = flexhooks.spawn(worker.run, worker)
    while queue:stats().ready + queue:stats().running > 0 do
      flexhooks.sleep(0.01)
    end
    process.eventually(function()
      flexhooks.sleep(0.05)
      return is_heard()
    end, 20)
    worker:stop()
    running:wait()
  end)
end

local function tail(url, ...)
  return command.spawn({ "queue", "tail", ... }, { FLEXHOOKS_QUEUE = url })
end

describe("cli.tail", function()
  for _, kind in ipairs { "sqlite", "redis" } do
    it("follows events from stored to handled: " .. kind, function()
      local url = kind == "redis" and bench.server:url "prefix=t"
        or "sqlite:" .. process.folder() .. "/q.db"
      local queue = flexhooks.queue(url)
      assert.is_true(queue:store { item "old" })
      queue:close()
      local child = tail(url)
      child:wait_output(LINE:format("waiting", "old"))
      queue = flexhooks.queue(url)
      local function hears(id)
        return child:stdout():match(LINE:format("handled", id))
      end
      -- The first look at a process tells nothing.
      work(queue, item "first", function()
        return queue.backend.trail or hears "first"
      end)
      work(queue, item "new", function()
        return hears "new"
      end)
      queue:close()
      for _, state in ipairs { "stored", "started", "handled" } do
        child:wait_output(LINE:format(state, "new"))
      end
      child:kill "INT"
      assert.equal(0, child:wait())
      assert.equal("", child:stderr())
    end)
  end

  it("prints a line of JSON for each step, and no payload", function()
    local url = bench.server:url "prefix=j"
    local queue = bench.open "prefix=j"
    assert.is_true(queue:store { item("a", { received_at = 1700000000.5 }) })
    local child = tail(url, "--json")
    child:wait_output "\n"
    assert.is_true(queue:store { item "b" })
    child:wait_output "\n.*\n"
    child:kill "TERM"
    assert.equal(0, child:wait())
    local lines = {}
    for line in child:stdout():gmatch "[^\n]+" do
      lines[#lines + 1] = assert(json.decode(line))
    end
    assert.same({ state = "waiting", at = 1700000000.5, id = "a",
      type = "onX", interaction = "KD1" }, lines[1])
    assert.equal("stored b", lines[2].state .. " " .. lines[2].id)
  end)

  it("looks on while the queue is away", function()
    local url = bench.server:url "prefix=o"
    local queue = bench.open "prefix=o"
    assert.is_true(queue:store { item "a" })
    local child = tail(url)
    child:wait_output "waiting"
    bench.server:stop "KILL"
    process.eventually(function()
      return child:stderr():find("looking on", 1, true)
    end)
    bench.server:start()
    process.eventually(function()
      return queue:store { item "b" }
    end)
    child:wait_output(LINE:format("stored", "b"))
    child:stop "TERM"
  end)
end)
