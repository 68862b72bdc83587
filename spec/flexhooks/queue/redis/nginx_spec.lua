-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
local flexhooks = require "flexhooks"
local nginx = require "spec.support.nginx"
local process = require "spec.support.process"
local redis = require "spec.support.redis"
local redis_proxy = require "spec.support.redis_proxy"
local testing = require "flexhooks.testing"

local URL = "https://company.example/flex/events"

local INIT = [[
  init_by_lua_block {
    app = {
      queue = "%s", auth_token = "secret", public_url = "%s",
      sources = { ["https://company.example/flex/one"] = "interaction" },
    }
    require("flexhooks.nginx").preload(app)
  }
]]

local LOCATION = [[
  location /flex/ {
    content_by_lua_block { require("flexhooks.nginx").handle(app) }
  }
  location = /metrics {
    content_by_lua_block { require("flexhooks.nginx").metrics() }
  }
]]

local store, url

setup(function()
  store = redis.start()
  url = store:url "partitions=4&timeout=2"
end)

local function start(queue_url)
  return nginx.start { workers = 2, http = INIT:format(queue_url or url, URL),
    server = LOCATION }
end

local function post(server, event, token, to)
  local request = testing.request(event, { auth_token = "secret",
    url = to or URL, idempotency_token = token })
  return assert(flexhooks.http("http://127.0.0.1:" .. server.port
    .. request.target, { method = "POST", headers = request.headers,
    body = request.body }))
end

describe("nginx with a Redis queue", function()
  it("stores what it acknowledges, for workers anywhere", function()
    local server = start()
    local sent = {}
    for n = 1, 20 do
      sent[n] = testing.event("onChannelCreated", { Number = tostring(n) })
      assert.equal(200, post(server, sent[n], "t" .. n).status)
      assert.equal(200, post(server, sent[n], "t" .. n).status)
    end
    assert.equal(200, post(server, sent[1], "u1",
      "https://company.example/flex/one").status)
    server:stop()
    local queue, seen = flexhooks.queue(url), 0
    assert.equal(20, queue:stats().ready)
    local router = flexhooks.router()
    local worker
    router:on("onChannelCreated", function(event)
      assert.same(sent[tonumber(event.Number)], event)
      seen = seen + 1
      if seen == 20 then
        worker:stop()
      end
    end)
    worker = flexhooks.worker { queue = queue, router = router }
    assert.is_true(worker:run())
    assert.equal(0, queue:stats().dead)
    queue:close()
  end)

  it("answers 503 while Redis is away, and recovers", function()
    local server = start()
    local event = testing.event "onChannelCreated"
    assert.equal(200, post(server, event, "a").status)
    store:stop "KILL"
    local answer = post(server, event, "b")
    assert.equal(503, answer.status)
    assert.is_string(answer.headers["retry-after"])
    store:start()
    assert.equal(200, post(server, event, "b").status)
    store:cli("CONFIG", "SET", "maxmemory", "1")
    assert.equal(503, post(server, event, "c").status)
    store:cli("CONFIG", "SET", "maxmemory", "0")
    store:cli("SCRIPT", "FLUSH")
    assert.equal(200, post(server, event, "c").status)
    server:stop()
  end)

  it("leaves a server that is the master no more", function()
    local server = start()
    assert.equal(200, post(server, testing.event "onChannelCreated").status)
    store:cli("REPLICAOF", "127.0.0.1", process.port())
    for _ = 1, 4 do
      assert.equal(503, post(server, testing.event "onChannelCreated").status)
    end
    local _, kept = store:cli("CLIENT", "LIST"):gsub(" name=", "")
    assert.equal(1, kept)
    store:cli("REPLICAOF", "NO", "ONE")
    assert.equal(200, post(server, testing.event "onChannelCreated").status)
    server:stop()
  end)

  it("takes no answer for another's", function()
    local proxy = redis_proxy.start(store)
    local server = start(proxy:url "partitions=4&timeout=2&prefix=proxy")
    for _, command in ipairs { "SELECT", "INFO", "CONFIG", "LOAD", "setup",
      "store" } do
      for _, bytes in ipairs { "+FINE\r\n", ":0\r\n", "$-1\r\n", "*0\r\n",
        "*1\r\n*0\r\n", "*1\r\n-ERR inner\r\n", "-ERR no\r\n",
        "*2\r\n:1\r\n:1\r\n", "%1\r\n+a\r\n+b\r\n" } do
        proxy:break_answers(command, bytes)
        local answer = post(server, testing.event "onChannelCreated")
        assert.equal(503, answer.status, command .. " took " .. bytes)
      end
    end
    proxy:mend()
    assert.equal(200, post(server, testing.event "onChannelCreated").status)
    server:stop()
  end)

  it("does not wait for ever for one that says nothing", function()
    local server = start()
    local event = testing.event "onChannelCreated"
    assert.equal(200, post(server, event, "d").status)
    store.process:kill "STOP"
    finally(function()
      store.process:kill "CONT"
    end)
    assert.equal(503, post(server, event, "e").status)
    store.process:kill "CONT"
    assert.equal(200, post(server, event, "e").status)
    server:stop()
    assert.is_nil(server:log():find("data on a closed socket", 1, true))
  end)

  local function metrics(server, path)
    return assert(flexhooks.http("http://127.0.0.1:" .. server.port
      .. (path or "/metrics"))).body
  end

  it("tells of the queue in its metrics", function()
    local server = start(store:url "partitions=4&prefix=gauges")
    assert.matches('\nflexhooks_queue_events{state="ready"} 0\n',
      metrics(server))
    local event = testing.event "onChannelCreated"
    for n = 1, 3 do
      assert.equal(200, post(server, event, "g" .. n).status)
    end
    local text
    process.eventually(function()
      text = metrics(server)
      return text:find('queue_events{state="ready"} 3\n', 1, true)
    end)
    for _, line in ipairs { 'queue_events{state="running"} 0',
      'queue_events{state="delayed"} 0', 'queue_events{state="dead"} 0',
      'queue_partitions{owner="none"} 4' } do
      assert.matches("\nflexhooks_" .. line .. "\n", text, 1, true)
    end
    assert.matches("\nflexhooks_queue_oldest_seconds %d", text)
    server:stop()
  end)

  it("tells of a queue that it has not used, and of none that is away",
    function()
      local server = nginx.start { workers = 1, server = [[
        location = /metrics { content_by_lua_block {
          require("flexhooks.nginx").metrics() } }
        location = /metrics/app { content_by_lua_block {
          require("flexhooks.nginx").metrics "app" } }
        location = /metrics/wrong { content_by_lua_block {
          require("flexhooks.nginx").metrics(7) } }]],
        files = { ["app.lua"] = ([[
          return { queue = "%s", auth_token = "secret", public_url = "%s" }]])
          :format(store:url "partitions=4&prefix=fresh", URL) } }
      assert.is_nil(metrics(server):find("queue_events", 1, true))
      assert.matches('queue_events{state="ready"} 0\n',
        metrics(server, "/metrics/app"), 1, true)
      assert.matches("500", metrics(server, "/metrics/wrong"))
      assert.matches("metrics: argument 1 must be", server:log(), 1, true)
      store:stop "KILL"
      process.eventually(function()
        return not metrics(server):find("queue_events", 1, true)
      end)
      store:start()
      server:stop()
    end)

  it("takes no queue that its workers cannot share", function()
    for _, name in ipairs { "memory:", "sqlite:/var/lib/flex/q.db" } do
      local ok, why = pcall(start, name)
      assert.is_false(ok)
      assert.matches("a queue must be redis://", tostring(why), 1, true)
      assert.matches("this is " .. name, tostring(why), 1, true)
    end
  end)

  it("shows a password to nobody", function()
    local server = start(("redis://:hunter2@127.0.0.1:%d"):format(store.port))
    assert.equal(503, post(server, testing.event "onChannelCreated",
      "p").status)
    server:stop()
    assert.is_nil(server:log():find("hunter2", 1, true))
    assert.matches("not_stored", server:log())
  end)
end)
