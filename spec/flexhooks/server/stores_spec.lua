-- A server that stores: what it answers, and when, whatever else happens.
local flexhooks = require "flexhooks"
local process = require "spec.support.process"
local redis = require "spec.support.redis"
local sids = require "spec.data.sids"
local servers = require "spec.support.server"
local testing = require "flexhooks.testing"

local function post(port, account)
  local event = testing.event("onChannelCreated",
    { AccountSid = account or sids.account })
  local request = testing.request(event, { auth_token = servers.TOKEN,
    url = servers.URL })
  return flexhooks.http("http://127.0.0.1:" .. port .. servers.PATH,
    { method = "POST", headers = request.headers, body = request.body,
      timeout = 10 })
end

-- Serves while `f(server, queue)` runs; returns what `serve` returned.
local function serve(queue, more, f)
  local app = { auth_token = servers.TOKEN, public_url = servers.URL,
    queue = queue, worker = false, port = 0, logger = function() end,
    signals = false, grace = 5 }
  for name, value in pairs(more) do
    app[name] = value
  end
  local results
  flexhooks.run(function()
    local task
    app.on_ready = function(server)
      task = flexhooks.spawn(function()
        f(server)
        server:stop()
      end)
    end
    results = { flexhooks.serve(app) }
    assert.is_nil((select(2, task:wait())))
  end)
  return results[1], results[2]
end

local function sqlite(options)
  return flexhooks.queue("sqlite:" .. process.folder() .. "/q.db", options)
end

local function eventually(f)
  local ends = flexhooks.clock() + 10
  while not f() do
    assert.is_true(flexhooks.clock() < ends, "waited 10 s in vain")
    flexhooks.sleep(0.005)
  end
end

-- Statuses of so many requests at once, sorted; `meanwhile` runs while they
-- are under way.
local function post_all(server, count, meanwhile)
  local tasks, statuses = {}, {}
  for i = 1, count do
    tasks[i] = flexhooks.spawn(post, server.port)
  end
  if meanwhile then
    meanwhile()
  end
  for i, task in ipairs(tasks) do
    local response = task:wait()
    statuses[i] = response and response.status or 0
  end
  table.sort(statuses)
  return statuses
end

local function all(count, status)
  local list = {}
  for i = 1, count do
    list[i] = status
  end
  return list
end

describe("a server that stores", function()
  it("answers each of a turn, in SQLite", function()
    local queue = sqlite()
    assert.is_true(serve(queue, {}, function(server)
      assert.same(all(30, 200), post_all(server, 30))
      assert.equal(0, server.intake.in_flight)
      assert.matches("\nflexhooks_events_stored_total 30\n",
        server.metrics:render())
    end))
    assert.equal(30, queue:stats().ready)
    queue:close()
  end)

  it("answers each with 503 where nothing can be stored", function()
    local queue, reasons = sqlite { max_events = 1 }, {}
    assert.is_true(queue:store { { id = "a", event = {} } })
    assert.is_true(serve(queue, { on_reject = function(err)
      reasons[#reasons + 1] = err.reason
    end }, function(server)
      assert.same(all(8, 503), post_all(server, 8))
      assert.equal("5", assert(post(server.port)).headers["retry-after"])
      assert.equal(0, server.intake.in_flight)
    end))
    assert.equal(9, #reasons)
    assert.equal("not_stored", reasons[9])
    queue:close()
  end)

  it("answers 503 and names the file that was truncated", function()
    local path = process.folder() .. "/q.db"
    local queue, logged = flexhooks.queue("sqlite:" .. path), {}
    local before, after
    assert.is_true(serve(queue, { logger = function(_, _, fields)
      for _, value in pairs(fields or {}) do
        logged[#logged + 1] = tostring(value)
      end
    end }, function(server)
      before = post_all(server, 1)
      process.write(path, "")
      after = post_all(server, 3)
    end))
    assert.same({ all(1, 200), all(3, 503) }, { before, after })
    assert.matches(path .. " was truncated while this process had it open",
      table.concat(logged, "\n"), 1, true)
    queue:close()
  end)

  it("holds up none for one whose token is being looked up", function()
    local queue, release, asked = sqlite(), false, false
    assert.is_true(serve(queue, { auth_token = function(account)
      while account == sids.other_account and not release do
        asked = true
        flexhooks.sleep(0.005)
      end
      return servers.TOKEN
    end }, function(server)
      local slow = flexhooks.spawn(post, server.port, sids.other_account)
      eventually(function()
        return asked
      end)
      assert.same(all(5, 200), post_all(server, 5))
      assert.equal(5, queue:stats().ready)
      assert.equal(1, server.intake.in_flight)
      release = true
      assert.equal(200, assert(slow:wait()).status)
    end))
    assert.equal(6, queue:stats().ready)
    queue:close()
  end)
end)

describe("a server whose Redis does not answer", function()
  local server_of, queue

  before_each(function()
    server_of = redis.start()
    queue = flexhooks.queue(server_of:url "timeout=2")
    assert.is_true(queue:store { { id = "a", event = {} } })
  end)

  after_each(function()
    server_of.process:kill "CONT"
    queue:close()
    server_of:stop "KILL"
    server_of, queue = nil, nil
  end)

  local function under_way(server, count)
    eventually(function()
      return server.intake.in_flight == count
    end)
  end

  it("answers what is under way before it stops", function()
    assert.is_true(serve(queue, {}, function(server)
      server_of.process:kill "STOP"
      assert.same(all(5, 200), post_all(server, 5, function()
        under_way(server, 5)
        server:stop()
        flexhooks.sleep(0.1)
        server_of.process:kill "CONT"
      end))
    end))
    assert.equal(6, queue:stats().ready)
  end)

  it("answers each with 503 when its time is over", function()
    assert.is_true(serve(queue, {}, function(server)
      server_of.process:kill "STOP"
      assert.same(all(5, 503), post_all(server, 5))
      server_of.process:kill "CONT"
      assert.same(all(5, 200), post_all(server, 5))
    end))
  end)

  it("answers each with 503 when Redis dies", function()
    assert.is_true(serve(queue, {}, function(server)
      server_of.process:kill "STOP"
      assert.same(all(5, 503), post_all(server, 5, function()
        under_way(server, 5)
        server_of.process:kill "KILL"
      end))
    end))
  end)

  it("stops at once where it must, and says what it left", function()
    local ok, err = serve(queue, {}, function(server)
      server_of.process:kill "STOP"
      assert.same(all(3, 0), post_all(server, 3, function()
        under_way(server, 3)
        server:stop(0)
      end))
    end)
    assert.is_nil(ok)
    assert.matches("before 3 requests were answered", err.message)
  end)
end)

describe("a server whose queue", function()
  local function try(queue)
    local listened
    local ok, err = flexhooks.serve { auth_token = servers.TOKEN,
      public_url = servers.URL, queue = queue, port = 0, worker = false,
      logger = function() end, on_ready = function(server)
        listened = true
        server:stop()
      end }
    assert.is_nil(ok)
    assert.is_nil(listened)
    assert.equal("queue", err.kind)
    return err
  end

  it("cannot be opened does not listen", function()
    local folder = process.folder()
    process.write(folder .. "/text", ("no database"):rep(1000))
    assert.matches("not a database",
      try("sqlite:" .. folder .. "/text").message)
    assert.matches("unable to open",
      try("sqlite:" .. folder .. "/none/q.db").message)
    local owner = sqlite()
    assert.is_true(owner:store { { id = "a", event = {} } })
    assert.equal("owned", try(tostring(owner):match "%((.*)%)").reason)
    owner:close()
    local unfit = redis.start "appendonly no\n"
    assert.equal("unfit", try(unfit:url()).reason)
    unfit:stop()
  end)

  it("is down listens, answers 503, says so, and goes on trying", function()
    local server_of = redis.start()
    server_of:stop()
    local handled, logged = 0, {}
    local router = flexhooks.router()
    router:on("*", function()
      handled = handled + 1
    end)
    assert.is_true(serve(server_of:url(), { worker = true, router = router,
      logger = function(level, message)
        logged[#logged + 1] = level .. ": " .. message
      end }, function(server)
        assert.equal(503, assert(post(server.port)).status)
        server_of:start()
        assert.equal(200, assert(post(server.port)).status)
        eventually(function()
          return handled == 1
        end)
      end))
    assert.matches("^error: the queue cannot be reached", logged[1])
    server_of:stop()
  end)

  it("is down stops when it is told to", function()
    assert.is_true(serve("redis://127.0.0.1:" .. process.port(),
      { worker = true, router = flexhooks.router() }, function(server)
        assert.equal(503, assert(post(server.port)).status)
      end))
  end)
end)
