local command = require "spec.support.command"
local flexhooks = require "flexhooks"
local process = require "spec.support.process"
local terminal = require "spec.support.terminal"
local work = require "flexhooks.cli.work"

local APP = [[
local flexhooks = require "flexhooks"
local router = flexhooks.router()
router:on("*", function(event)
  io.stdout:write("handled ", event.Number, "\n")
  io.stdout:flush()
end)
return router
]]

describe("cli.work", function()
  it("handles what a queue holds until it is told to stop", function()
    assert.is_function(work.configure)
    assert.is_function(work.run)
    local folder = process.folder()
    local url = "sqlite:" .. folder .. "/q.db"
    local queue = flexhooks.queue(url)
    for n = 1, 3 do
      assert.is_true(queue:store { { id = "e" .. n, received_at = 1,
        event = { EventType = "onX", InteractionSid = "KD1", Number = n } } })
    end
    queue:close()
    local app = process.write(folder .. "/app.lua", APP)
    for _, signal in ipairs { "TERM", "INT" } do
      local child = command.spawn({ "work", app }, { FLEXHOOKS_QUEUE = url })
      child:wait_output "worker started"
      if signal == "TERM" then
        child:wait_output "handled 1\nhandled 2\nhandled 3\n"
      end
      assert.equal(0, child:stop(signal))
    end
    queue = flexhooks.queue(url)
    assert.equal(0, queue:stats().ready)
    queue:close()
  end)

  it("shows on a terminal how far it is, and its log beside that", function()
    local url = "sqlite:" .. process.folder() .. "/q.db"
    local queue, items = flexhooks.queue(url), {}
    for n = 1, 400 do
      items[n] = { id = "e" .. n, received_at = 1,
        event = { EventType = "onX", InteractionSid = "KD1" } }
    end
    assert.is_true(queue:store(items))
    queue:close()
    local app = process.write(process.folder() .. "/app.lua", [[
      local flexhooks = require "flexhooks"
      local router = flexhooks.router()
      router:on("*", function()
        flexhooks.sleep(0.02)
      end)
      return router]])
    local session = terminal.spawn({ "work", app }, { FLEXHOOKS_QUEUE = url })
    session.child:wait_output " left, "
    session:type "\3"
    local status, screen = session:wait()
    assert.equal(0, status)
    assert.matches("%d+ handled, %d+ left, %d+/s\27%[K", screen)
    -- The terminal shows Ctrl-C as well.
    assert.matches("/s\27%[K%^?C?\27%[Ktime=[^\n]*worker stopped", screen)
  end)

  it("tells how it is, and what it did", function()
    local url = "sqlite:" .. process.folder() .. "/q.db"
    local queue = flexhooks.queue(url)
    for n = 1, 2 do
      assert.is_true(queue:store { { id = "e" .. n, received_at = 1,
        event = { EventType = "onX", InteractionSid = "KD" .. n,
          Number = n } } })
    end
    queue:close()
    local app = process.write(process.folder() .. "/app.lua", [[
      local router = require("flexhooks").router()
      router:on("*", function(event)
        if event.Number == 2 then
          return nil, { message = "no", retry = false }
        end
      end)
      return { router = router, admin = "not for a worker" }]])
    local child = command.spawn({ "work", app, "--admin", "127.0.0.1:0" },
      { FLEXHOOKS_QUEUE = url })
    local base = "http://" .. child:wait_output "admin=(127%.0%.0%.1:%d+)"
    local function get(path)
      return select(2, process.run { "curl", "-s", base .. path })
    end
    assert.equal("ok\n", get "/healthz")
    local text
    process.eventually(function()
      text = get "/metrics"
      return text:find("handler_seconds_count 2", 1, true)
    end)
    for _, line in ipairs { "flexhooks_events_handled_total 1",
      "flexhooks_events_failed_total 1", "flexhooks_events_in_flight 0",
      'flexhooks_events_dead_total{reason="refused"} 1',
      'flexhooks_queue_events{state="ready"} 0',
      "flexhooks_handler_seconds_count 2" } do
      assert.matches("\n" .. line .. "\n", text, 1, true)
    end
    assert.equal(0, child:stop())
    local status, _, err = command.run({ "work", app, "--queue", url,
      "--admin", "nowhere" })
    assert.equal(2, status)
    assert.matches("admin", err)
  end)

  it("takes the queue of --queue, of the application, of the environment",
    function()
      local folder = process.folder()
      local app = process.write(folder .. "/app.lua", APP:gsub("return router",
        "return { router = router, queue = 'sqlite:%%s' }")
        :format(folder .. "/app.db"))
      local env = { FLEXHOOKS_QUEUE = "memory:" }
      local child = command.spawn({ "work", app }, env)
      child:wait_output("queue=.*" .. folder:gsub("%p", "%%%0") .. "/app.db")
      assert.equal(0, child:stop())
      child = command.spawn({ "work", app, "--queue", "sqlite:" .. folder
        .. "/typed.db" }, env)
      child:wait_output("queue=.*" .. folder:gsub("%p", "%%%0") .. "/typed.db")
      assert.equal(0, child:stop())
      local status, _, err = command.run({ "work", process.write(folder
        .. "/bare.lua", APP) }, env)
      assert.equal(2, status)
      assert.matches("a queue in memory is its process's own", err)
    end)

  it("says what is missing", function()
    local app = process.write(process.folder() .. "/app.lua", APP)
    local status, _, err = command.run({ "work", app },
      { FLEXHOOKS_QUEUE = false })
    assert.equal(2, status)
    assert.matches("FLEXHOOKS_QUEUE", err)
    status, _, err = command.run({ "work", app, "--queue",
      "redis://127.0.0.1:" .. process.port() .. "/0" })
    assert.equal(1, status)
    assert.matches("refused", err)
  end)
end)
