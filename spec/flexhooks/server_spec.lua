local contract = require "spec.support.shared_key_contract"
local d = require "spec.support.deliveries"
local flexhooks = require "flexhooks"
local errors = require "flexhooks.error"
local process = require "spec.support.process"
local servers = require "spec.support.server"
local socket = require "socket"
local testing = require "flexhooks.testing"
local wire = require "spec.support.wire"

local function quiet() end

local function application(more)
  local app = { router = flexhooks.router(), auth_token = servers.TOKEN,
    public_url = servers.URL, port = 0, logger = quiet, signals = false,
    grace = 2 }
  for name, value in pairs(more or {}) do
    app[name] = value
  end
  return app
end

local function sign(event)
  return testing.request(event, { auth_token = servers.TOKEN,
    url = servers.URL })
end

-- Posts to a server of this process, from a task.
local function post(port, event)
  local request = sign(event or testing.event "onChannelCreated")
  return flexhooks.http("http://127.0.0.1:" .. port .. servers.PATH,
    { method = "POST", headers = request.headers, body = request.body })
end

describe("flexhooks.serve", function()
  it("runs the loop itself, tells its port, and returns true", function()
    local port
    local ok, err = flexhooks.serve(application { on_ready = function(server)
      port = server.port
      assert(process.listening(port))
      server:stop()
    end })
    assert.is_true(ok, tostring(err))
    assert.is_false(process.listening(port))
  end)

  it("belongs to the task that calls it", function()
    local seen, status
    local app = application()
    app.router:on("onChannelCreated", function(event, context)
      seen = event.EventType .. " " .. context.attempt
    end)
    flexhooks.run(function()
      app.on_ready = function(server)
        flexhooks.spawn(function()
          status = assert(post(server.port)).status
          server:stop()
        end)
      end
      assert(flexhooks.serve(app))
    end)
    assert.equal(200, status)
    assert.equal("onChannelCreated 1", seen)
  end)

  it("stops when its task is cancelled", function()
    local ok, err
    flexhooks.run(function()
      local task = flexhooks.spawn(function()
        ok, err = flexhooks.serve(application())
      end)
      flexhooks.sleep(0.05)
      task:cancel()
    end)
    assert.is_true(ok or err.kind == "cancelled")
  end)

  it("raises again what on_ready raised, and lets go of everything", function()
    local port
    local raised, err = pcall(flexhooks.serve, application {
      on_ready = function(server)
        port = server.port
        error "not ready"
      end })
    assert.is_false(raised)
    assert.matches("not ready", tostring(err))
    assert.is_false(process.listening(port))
  end)

  it("says that its port is taken", function()
    local taken = assert(socket.bind("127.0.0.1", 0))
    local _, port = taken:getsockname()
    local ok, err = flexhooks.serve(application { port = tonumber(port) })
    taken:close()
    assert.is_nil(ok)
    assert.equal("listen", err.kind)
    assert.matches("port " .. port .. ": Address already in use", err.message)
  end)

  it("says that its administrative address is taken or none", function()
    local taken = assert(socket.bind("127.0.0.1", 0))
    local _, port = taken:getsockname()
    local ok, err = flexhooks.serve(application { admin = ":" .. port })
    taken:close()
    assert.is_nil(ok)
    assert.equal("listen", err.kind)
    ok, err = flexhooks.serve(application { admin = "everywhere" })
    assert.is_nil(ok)
    assert.equal("config", err.kind)
    assert.matches("admin must be host:port", err.message)
  end)

  it("opens nothing where the configuration cannot work", function()
    for _, url in ipairs { "", "/relative", "ftp://h.example/" } do
      local ok, err = flexhooks.serve(application { public_url = url })
      assert.is_nil(ok)
      assert.equal("config", err.kind)
    end
    local ok, err = flexhooks.serve { app = "/nowhere/app.lua" }
    assert.is_nil(ok)
    assert.equal("config", err.kind)
  end)

  it("raises for an option that it does not know", function()
    local raised, err = pcall(function()
      flexhooks.serve { prot = 80 }
    end)
    assert.is_false(raised)
    assert.is_true(errors.is(err))
    assert.matches("server_spec.lua:%d+: .*unknown option 'prot'.*'port'",
      err.message)
  end)

  it("raises for a stop that is called wrongly", function()
    local wrong = {}
    flexhooks.serve(application { on_ready = function(server)
      wrong[1] = select(2, pcall(server.stop, 3)).message
      wrong[2] = select(2, pcall(server.stop, server, "soon")).message
      server:stop()
    end })
    assert.matches("call it with a colon", wrong[1])
    assert.matches("argument 1 must be number", wrong[2])
  end)

  it("answers from a listening socket that it was given", function()
    local listening = assert(socket.bind("127.0.0.1", 0))
    local _, port = listening:getsockname()
    local bound
    local ok, err = flexhooks.serve(application { fd = listening:getfd(),
      on_ready = function(server)
        bound = server.port
        server:stop()
      end })
    listening:setfd(-1) -- the server has closed it
    assert.is_true(ok, tostring(err))
    assert.equal(tonumber(port), bound)
  end)

  it("cuts what does not end in time, and says so", function()
    local app = application { grace = 0.2 }
    local cut
    app.router:on("*", function()
      local _, err = flexhooks.sleep(10)
      cut = err
    end)
    local ok, err
    flexhooks.run(function()
      app.on_ready = function(server)
        flexhooks.spawn(post, server.port)
        flexhooks.spawn(function()
          while server.intake.in_flight == 0 do
            flexhooks.sleep(0.01)
          end
          server:stop()
        end)
      end
      ok, err = flexhooks.serve(app)
    end)
    assert.is_nil(ok)
    assert.equal("cancelled", err.kind)
    assert.matches("before 1 requests", err.message)
    assert.equal("cancelled", cut.kind)
  end)

  it("does not outlive its grace for a task that a handler left", function()
    local app = application { grace = 0.2 }
    app.on_ready = function(server)
      flexhooks.spawn(flexhooks.sleep, 100)
      server:stop()
    end
    local begun = flexhooks.clock()
    assert.is_true(flexhooks.serve(app))
    assert(flexhooks.clock() - begun < 10)
  end)

  it("handles at most `concurrency` events at once, and all of them",
    function()
      local app = application { concurrency = 3 }
      local now, most, all, intake = 0, 0, 0, nil
      app.router:on("*", function()
        now, all = now + 1, all + 1
        most = math.max(most, now)
        repeat
          flexhooks.sleep(0.02)
        until all > 3 or intake.in_flight + intake:backlog() == 10
        now = now - 1
      end)
      app.dedupe = false
      flexhooks.run(function()
        app.on_ready = function(server)
          intake = server.intake
          flexhooks.spawn(function()
            flexhooks.map({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, 10, function()
              return assert.equal(200, assert(post(server.port)).status)
            end)
            server:stop()
          end)
        end
        assert(flexhooks.serve(app))
      end)
      assert.equal(3, most)
      assert.equal(10, all)
    end)

  it("stores with a queue, and a worker handles what was stored", function()
    local app = application { queue = "memory:" }
    local seen = {}
    app.router:on("*", function(event)
      seen[#seen + 1] = event.EventType
    end)
    local status, text
    flexhooks.run(function()
      app.on_ready = function(server)
        flexhooks.spawn(function()
          status = assert(post(server.port)).status
          while #seen == 0 do
            flexhooks.sleep(0.02)
          end
          text = server.metrics:render()
          server:stop()
        end)
      end
      assert(flexhooks.serve(app))
    end)
    assert.equal(200, status)
    assert.same({ "onChannelCreated" }, seen)
    assert.matches("\nflexhooks_events_stored_total 1\n", text)
    assert.matches('\nflexhooks_queue_events{state="dead"} 0\n', text)
    assert.matches('\nflexhooks_queue_partitions{owner="%w+"} 1\n', text)
  end)

  -- Serves with this handler until `done(server)`; returns what was logged.
  local function served(app, handler, done)
    local logged = {}
    app.router:on("*", handler)
    app.logger = function(_, message, fields)
      logged[#logged + 1] = { message, fields }
    end
    app.on_ready = function(server)
      flexhooks.spawn(function()
        assert.equal(200, assert(post(server.port)).status)
        while not done(server) do
          flexhooks.sleep(0.01)
        end
        server:stop()
      end)
    end
    flexhooks.run(flexhooks.serve, app)
    return logged
  end

  it("counts what its worker does with an event", function()
    local text
    local app = application { queue = "memory:" }
    served(app, function()
      return nil, { message = "no", retry = false }
    end, function(server)
      text = server.metrics:render()
      return text:find('queue_events{state="dead"} 1', 1, true)
    end)
    assert.matches('\nflexhooks_events_dead_total{reason="refused"} 1\n', text)
    assert.matches("\nflexhooks_events_failed_total 1\n", text)
  end)

  it("ends its worker, when the grace is over, before the queue", function()
    local app, began = application { queue = "memory:", grace = 0.1 }, false
    local logged = served(app, function()
      began = true
      flexhooks.sleep(60)
    end, function()
      return began
    end)
    local last = logged[#logged - 1]
    assert.equal("worker stopped", last[1])
    assert.equal("stopped", logged[#logged][1])
  end)

  it("leaves a queue that it was given by its URL to others", function()
    local url = "sqlite:" .. process.folder() .. "/q.db"
    local app = application { queue = url, worker = false }
    app.on_ready = function(server)
      flexhooks.spawn(function()
        assert.equal(200, assert(post(server.port)).status)
        server:stop()
      end)
    end
    assert(flexhooks.serve(app))
    local queue = flexhooks.queue(url)
    assert.equal(1, queue:stats().ready)
    queue:close()
  end)
end)

-- Who joins waits for a file.
local SLOW = [[
router:on("onParticipantJoined", function(event)
  while not require("lfs").attributes(event.ParticipantName) do
    flexhooks.sleep(0.01)
  end
end)
router:on("onParticipantLeft", function() error "no" end)
]]

local function status_of(peer)
  local bytes = wire.read(peer, 20, function(data)
    return #wire.parse(data) > 0
  end)
  local answer = wire.parse(bytes)[1]
  return answer and answer.status, answer
end

describe("a server process", function()
  local server, gate

  local function ask(event)
    local peer = wire.connect(server.port)
    assert(peer:send((server:post(event))))
    return peer
  end

  -- Asks for what ends when the gate is open; returns when it runs.
  local function ask_slow()
    local peer = ask(testing.event("onParticipantJoined",
      { ParticipantName = gate }))
    process.eventually(function()
      return server:handled() > 0
    end)
    return peer
  end

  local function open_gate()
    process.write(gate, "")
  end

  local function kill(signal)
    server.child:kill(signal)
    server.child:wait_output "message=stopping"
  end

  before_each(function()
    gate = process.folder() .. "/open"
    server = servers.start { app = SLOW, options = { grace = 20 } }
  end)

  after_each(function()
    server.child:stop()
  end)

  it("is not held up by a handler that waits", function()
    local waiting = ask_slow()
    for _ = 1, 20 do
      local peer = ask()
      assert.equal(200, status_of(peer))
      peer:close()
    end
    assert.equal(1, server:metric "flexhooks_events_in_flight")
    open_gate()
    assert.equal(200, status_of(waiting))
    waiting:close()
  end)

  it("answers a failing handler with 500 and goes on", function()
    local peer = ask(testing.event "onParticipantLeft")
    assert.equal(500, status_of(peer))
    peer:close()
    assert.equal(1, server:metric "flexhooks_events_failed_total")
  end)

  for _, signal in ipairs { "TERM", "INT" } do
    it("finishes what runs on SIG" .. signal, function()
      local waiting, idle = ask_slow(), wire.connect(server.port)
      kill(signal)
      open_gate()
      local status, answer = status_of(waiting)
      assert.equal(200, status)
      assert.equal("close", answer.headers.connection)
      waiting:close()
      assert.equal(0, server.child:wait())
      idle:close()
      assert.matches("message=stopped unfinished=0", server.child:stderr())
    end)
  end

  it("stops at once on a second signal", function()
    local waiting = ask_slow()
    kill "TERM"
    socket.sleep(0.2)
    assert.is_nil(server.child:status())
    server.child:kill "TERM"
    assert.equal(1, server.child:wait())
    waiting:close()
  end)

  it("says on its administrative address that it stops", function()
    assert.equal(200, (server:admin "/healthz"))
    local waiting = ask_slow()
    kill "TERM"
    assert.equal(503, (server:admin "/healthz"))
    open_gate()
    assert.equal(200, status_of(waiting))
    waiting:close()
    assert.equal(0, server.child:wait())
  end)

  it("keeps its memory over 10,000 requests on one connection", function()
    local good = server:post()
    local peer = wire.connect(server.port)
    local function rounds(n)
      for _ = 1, n do
        assert(peer:send(good))
        assert.equal(200, status_of(peer))
      end
    end
    local function resident()
      local status = process.read("/proc/" .. server.child.pid .. "/status")
      return tonumber(status:match "VmRSS:%s*(%d+)")
    end
    rounds(2000)
    local before = resident()
    rounds(8000)
    local grown = resident() - before
    peer:close()
    assert(grown < 4096, "grew by " .. grown .. " KiB")
    assert.equal(10000, server:metric "flexhooks_events_handled_total")
  end)

  local LOGS = {
    { "a full disk", 'exec "$@" 2>/dev/full' },
    -- The reader takes the first line and goes.
    { "a pipe that nobody reads", 'mkfifo "$TMPDIR/log.$$"; '
      .. '(read -r line <"$TMPDIR/log.$$") & exec "$@" 2>"$TMPDIR/log.$$"' },
  }
  for _, row in ipairs(LOGS) do
    it("serves on when its log is " .. row[1], function()
      server.child:stop()
      server = servers.start { app = SLOW, shell = row[2] }
      for _ = 1, 3 do
        local peer = ask(testing.event "onParticipantLeft")
        assert.equal(500, status_of(peer))
        peer:close()
      end
      local peer = ask()
      assert.equal(200, status_of(peer))
      peer:close()
      server.child:kill "TERM"
      assert.equal(0, server.child:wait())
    end)
  end

  it("logs neither payload nor secret", function()
    local peer = ask(testing.event("onParticipantLeft",
      { ParticipantName = "Jane Doe the customer" }))
    assert.equal(500, status_of(peer))
    peer:close()
    local log = server.child:stderr()
    assert.matches("onParticipantLeft", log)
    assert.is_nil(log:find("Jane Doe", 1, true))
    assert.is_nil(log:find(servers.TOKEN, 1, true))
  end)
end)

describe("a server with shared keys", function()
  local APP = [[
    app.auth_token, app.public_url = %q, %q
    app.methods = { "GET", "POST" }
    %s]]

  local function start(lines, env)
    return servers.start { env = env,
      app = APP:format(d.token, d.url, lines or "") }
  end

  describe("of the environment", function()
    local server

    lazy_setup(function()
      server = start(nil, { FLEXHOOKS_SHARED_KEYS = contract.TEXT })
    end)

    contract.describe(function() return server.port end)

    it("counts refusals by their reason", function()
      local name = 'flexhooks_events_rejected_total{reason="'
      assert.is_true(server:metric(name .. 'settings_malformed"}') > 20)
      assert.is_true(server:metric(name .. 'key_unknown"}') > 0)
    end)
  end)

  describe("of a file", function()
    local server

    lazy_setup(function()
      local path = process.write(process.folder() .. "/keys",
        (contract.TEXT:gsub(" ", "\n")))
      os.execute("chmod 600 " .. path)
      server = start(("app.shared_keys_file = %q"):format(path),
        { FLEXHOOKS_SHARED_KEYS = "not used" })
    end)

    contract.describe(function() return server.port end)
  end)

  describe("that a function finds, which waits,", function()
    local server

    lazy_setup(function()
      server = start(([[
        app.shared_keys = function(id)
          flexhooks.sleep(0.01)
          return (" " .. %q .. " "):match(" " .. id .. "=(%%S+) ")
        end]]):format(contract.TEXT))
    end)

    contract.describe(function() return server.port end)
  end)

  describe("and a queue", function()
    local server

    lazy_setup(function()
      server = start("app.queue = 'memory:'",
        { FLEXHOOKS_SHARED_KEYS = contract.TEXT })
    end)

    contract.describe(function() return server.port end)
  end)

  it("does not start with a file that others can read", function()
    local path = process.write(process.folder() .. "/keys", contract.TEXT)
    os.execute("chmod 644 " .. path)
    local ok, err = flexhooks.serve(application { shared_keys_file = path })
    assert.is_nil(ok)
    assert.equal("config", err.kind)
    assert.matches("chmod 600 " .. path, err.message, 1, true)
  end)
end)
