-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
local app = require "spec.support.nginx_app"
local cjson = require "cjson"
local contract = require "spec.support.shared_key_contract"
local d = require "spec.support.deliveries"
local flexhooks = require "flexhooks"
local nginx = require "spec.support.nginx"
local process = require "spec.support.process"
local sids = require "spec.data.sids"
local system = require "system"
local wire = require "spec.support.wire"

describe("a location of nginx", function()
  local server

  setup(function()
    server = app.start()
  end)

  it("hands a signed event to the handlers", function()
    local answer = app.post(server)
    assert.equal(200, answer.status)
    assert.equal("{}", answer.body)
    assert.equal("application/json", answer.headers["content-type"])
    assert.equal("1", app.value(server, "handled"))
  end)

  it("takes events by GET", function()
    assert.equal(200, app.ask(server, d.get {}).status)
  end)

  it("answers 500 where a handler fails, and logs why", function()
    assert.equal(500, app.post(server, { Do = "fail" }).status)
    assert.matches("as it was told", server:log(), 1, true)
    assert.equal(200, app.post(server).status)
  end)

  it("reads a body that nginx spilled to a file", function()
    local long = ("x"):rep(60000)
    local answer = app.post(server, { A = long, B = long, C = long })
    assert.equal(200, answer.status)
    assert.matches("buffered to a temporary file", server:log(), 1, true)
  end)

  it("refuses a body over the receiver's cap, however it was sent", function()
    local request = d.post { body = ("x"):rep(262145) }
    assert.equal(413, app.ask(server, request).status)
    local head = app.bytes_of { method = "POST", target = request.target,
      headers = request.headers }:gsub("\r\n\r\n$", "\r\nTransfer-Encoding: "
        .. "chunked\r\n\r\n")
    local result = wire.send(server.port, head .. ("%x\r\n%s\r\n0\r\n\r\n")
      :format(#request.body, request.body), { expect = 1, wait = 10 })
    assert.equal(413, result.answers[1].status)
  end)

  it("reads a chunked body", function()
    local request = d.post {}
    local head = app.bytes_of { method = "POST", target = request.target,
      headers = request.headers }:gsub("\r\n\r\n$", "\r\nTransfer-Encoding: "
        .. "chunked\r\n\r\n")
    local result = wire.send(server.port, head .. ("%x\r\n%s\r\n0\r\n\r\n")
      :format(#request.body, request.body), { expect = 1, wait = 10 })
    assert.equal(200, result.answers[1].status)
  end)

  it("cuts neither parameters nor headers", function()
    local changes = {}
    for i = 1, 991 do
      changes["F" .. i] = "v"
    end
    assert.equal(200, app.post(server, changes).status)
    local request = d.post {}
    for i = 1, 150 do
      request.headers["X-Filler-" .. i] = "v"
    end
    assert.equal(200, app.ask(server, request).status)
  end)

  it("lets a handler call out", function()
    local url = ("http://127.0.0.1:%d/slow"):format(server.port)
    assert.equal(200, app.post(server, { Do = "call", Url = url }).status)
  end)

  it("fails a handler whose service answers otherwise than expected",
    function()
      local url = ("http://127.0.0.1:%d/nowhere"):format(server.port)
      local answer = app.post(server, { Do = "call", Url = url,
        Expect = "2xx" })
      assert.equal(500, answer.status)
      assert.matches("the service answered with status 404 instead of 2xx",
        server:log(), 1, true)
      assert.not_matches("give the call expect", server:log(), 1, true)
    end)

  it("warns once of a handler that does not look at the status", function()
    local url = ("http://127.0.0.1:%d/nowhere"):format(server.port)
    for _ = 1, 3 do
      assert.equal(200, app.post(server, { Do = "call", Url = url }).status)
    end
    local _, count = server:log():gsub('give the call expect = "2xx"', "")
    assert.equal(1, count)
  end)
end)

describe("verdicts", function()
  local server, receiver

  setup(function()
    server = app.start()
    local router = flexhooks.router()
    router:on("*", function() end)
    receiver = flexhooks.receiver {
      router = router, auth_token = d.token, public_url = d.url,
      account_sid = sids.account, methods = { "POST" },
    }
  end)

  -- nginx refuses by itself what no HTTP header or request line may hold, and
  -- an answer to HEAD has no body.
  local function is_carried(request)
    if request.method == "HEAD" or request.method == "" then
      return false
    end
    for name, text in pairs(request.headers or {}) do
      if type(text) ~= "string" or text:find "[%z\r\n]" or name:find "_"
        or text:find "^ " or text:find " $" then
        return false
      end
    end
    return not request.target:find "[%z\r\n ]" and request.target:find "^/"
  end

  -- Broken escapes, paths that leave the root, headers that are too long or
  -- come twice: what a host refuses as HTTP never reaches the receiver.
  local function is_of_host(answer)
    return answer.status >= 400
      and answer.headers["content-type"] ~= "application/json"
  end

  local posting = app.app:gsub('methods = { "POST", "GET" }',
    'methods = { "POST" }')

  -- The same application in a server of our own.
  local function standalone()
    local folder = process.folder()
    process.write(folder .. "/app.lua", ([[
      local router = require("flexhooks").router()
      router:on("*", function() end)
      return { router = router, auth_token = "%s", account_sid = "%s",
        public_url = "%s", methods = { "POST" } }]]):format(d.token,
        sids.account, d.url))
    local child = process.spawn { process.lua, "bin/flexhooks", "serve",
      folder .. "/app.lua", "--port", "0" }
    local port = child:wait_output "listening on http://[^:]+:(%d+)"
    return { port = tonumber(port) }
  end

  local function compare(same, own, name, request)
    local expected = receiver:handle(request)
    for _, server_of in ipairs { same, own } do
      local answer = app.ask(server_of, request)
      if is_of_host(answer) then
        assert.is_true(expected.status >= 400, name)
      else
        assert.equal(expected.status, answer.status, name)
        assert.equal(expected.body, answer.body, name)
        assert.equal(expected.headers.allow, answer.headers.allow, name)
        assert.equal("application/json", answer.headers["content-type"], name)
      end
    end
  end

  for _, group in ipairs { "targets", "signatures", "forms", "json" } do
    it("are those of the receiver and of our own server: " .. group, function()
      local same = app.start { files = { ["app.lua"] = posting } }
      local own, compared = standalone(), 0
      for _, row in ipairs(require("spec.data.receiver." .. group)) do
        local request = row[4]()
        if is_carried(request) then
          compare(same, own, row[1], request)
          compared = compared + 1
        end
      end
      assert.is_true(compared > 10)
    end)
  end

  it("hold for two headers of one name", function()
    local request = d.post {}
    local twice = app.bytes_of(request):gsub(
      "\r\n(X%-Twilio%-Signature: [^\r]+)", "\r\n%1\r\n%1")
    local result = wire.send(server.port, twice, { expect = 1 })
    assert.equal(403, result.answers[1].status)
  end)
end)

-- An application that notes which events it has handled.
local SEEING = app.app:gsub("return {", [[
router:on("*", function(event)
  dict:set("spec:seen " .. tostring(event.N), 1)
end)
%0]], 1)

describe("workers", function()
  -- Signed events on connections of their own, so many at least, while
  -- `disturb` is called over and over, `times` at least.
  local function under_load(server, fields, wanted, times, disturb)
    local stop = process.folder() .. "/stop"
    local load = process.spawn { process.lua, "spec/support/load.lua",
      tostring(server.port), stop, cjson.encode(fields) }
    load:wait_output "began"
    process.eventually(function()
      disturb()
      times = times - 1
      return times <= 0 and select(2, load:stdout():gsub("%.", "")) > wanted
    end, 60, "load")
    process.write(stop, "")
    assert.equal(0, load:wait(30), load:stderr())
    return cjson.decode(load:stdout():match "{.*}"), load:stderr()
  end

  local function wrk(server, connections, seconds)
    return { "wrk", "-t1", "-c" .. connections, "-d" .. seconds .. "s",
      "--timeout", "30s", "-s", "bench/nginx_wrk.lua",
      "http://127.0.0.1:" .. server.port .. "/flex/events" }
  end

  local function wrk_env(more)
    local env = { LUA_PATH = package.path, LUA_CPATH = package.cpath,
      FLEXHOOKS_BENCH_TOKEN = d.token, FLEXHOOKS_BENCH_ACCOUNT = sids.account }
    for name, value in pairs(more or {}) do
      env[name] = value
    end
    return env
  end

  local function reload(server)
    return function()
      server:reload()
      system.sleep(0.2)
    end
  end

  it("are reloaded five times a second without a failed request", function()
    local server = app.start { workers = 2 }
    local counts, why = under_load(server, {}, 100, 15, reload(server))
    assert.equal(0, counts.failed, why)
  end)

  it("are reloaded under wrk without a failed request", function()
    local server = app.start { workers = 2 }
    -- On a kept connection a request may cross its closing, whoever serves.
    local load = process.spawn(wrk(server, 8, 4), { env = wrk_env {
      FLEXHOOKS_BENCH_HEADER = "Connection: close" } })
    for _ = 1, 15 do
      reload(server)()
    end
    assert.equal(0, load:wait(20), load:stderr())
    assert.not_matches("Socket errors", load:stdout(), 1, true)
    assert.not_matches("Non-2xx", load:stdout(), 1, true)
    assert.is_true(tonumber(load:stdout():match "(%d+) requests in") > 100)
  end)

  it("are reloaded without dropping a handler's call", function()
    local api = app.start()
    local server = app.start { workers = 2 }
    local url = ("http://127.0.0.1:%d/slow"):format(api.port)
    local counts, why = under_load(server, { Do = "call", Url = url }, 4, 15,
      reload(server))
    assert.equal(0, counts.failed, why)
  end)

  -- Reloads under a load of events on kept connections. Returns the server and
  -- the numbers of the lost ones.
  local function reload_kept(http)
    local server = app.start { workers = 2, http = app.http .. http,
      files = { ["app.lua"] = SEEING } }
    local stop = process.folder() .. "/stop"
    local load = process.spawn { process.lua, "spec/support/kept_load.lua",
      tostring(server.port), stop, "32" }
    for rounds = 1, 10 do
      load:wait_output(("%."):rep(2 * rounds))
      reload(server)()
    end
    process.write(stop, "")
    assert.equal(0, load:wait(60), load:stderr())
    local counts = cjson.decode(load:stdout():match "{.*}")
    assert.is_true(counts.answered > 600)
    assert.same({}, counts.failed)
    return server, counts.lost
  end

  it("are reloaded: what is lost on kept connections was not handled",
    function()
      local server, lost = reload_kept ""
      assert.is_true(#lost > 0, "openresty.md says that some are lost")
      for _, number in ipairs(lost) do
        assert.equal("nil", app.value(server, "seen " .. number))
      end
      assert.equal("1", app.value(server, "seen 1"))
    end)

  it("are reloaded without a loss if no connection is kept", function()
    local _, lost = reload_kept "keepalive_timeout 0;"
    assert.same({}, lost)
  end)

  local LASTING = "keepalive_timeout 30s; keepalive_min_timeout 10s;"

  if nginx.version() < "1.027.004" then
    it("do not know how long a kept connection has to last", function()
      local ok, why = pcall(app.start, { http = app.http .. LASTING })
      assert.is_false(ok)
      assert.matches('unknown directive "keepalive_min_timeout"',
        tostring(why), 1, true)
    end)
  else
    it("are reloaded without a loss if a kept connection lasts", function()
      local _, lost = reload_kept(LASTING)
      assert.same({}, lost)
    end)
  end

  it("may be killed: no answer is wrong, and the next one serves", function()
    local server = app.start { workers = 2 }
    local counts = under_load(server, {}, 20, 10, function()
      local pid = process.eventually(function()
        return server:workers()[1]
      end)
      os.execute("kill -KILL " .. pid)
      system.sleep(0.1)
    end)
    assert.equal(counts.failed, counts.unanswered)
    assert.equal(200, app.post(server).status)
  end)

  it("keep their memory over many events", function()
    local server = app.start {
      http = app.http .. "keepalive_requests 1000000;",
    }
    local function run(seconds)
      local status, out, err = process.run(wrk(server, 16, seconds),
        { env = wrk_env() })
      assert.equal(0, status, err)
      assert.not_matches("Non-2xx", out, 1, true)
      return tonumber(out:match "(%d+) requests in")
    end
    -- Without the shared dictionary, whose size is what it was given.
    local function resident()
      local pid = server:workers()[1]
      return tonumber(process.read("/proc/" .. pid .. "/status")
        :match "RssAnon:%s+(%d+)")
    end
    -- The collector finds its pace in the first events.
    local total, before = 0, nil
    repeat
      total = total + run(1)
      before = before or total > 10000 and resident()
    until total > 70000
    assert.is_true(resident() - before < 1024,
      ("%d KiB after %d events"):format(resident() - before, total))
  end)
end)

describe("a call that cannot be answered", function()
  it("is explained in nginx's log", function()
    local server = nginx.start {
      server = "location / { content_by_lua_block { "
        .. 'require("flexhooks.nginx").handle(5) } }',
    }
    assert.equal(500, app.get(server, "/").status)
    server:stop()
    assert.matches("argument 1 must be a module's name, .* got number",
      server:log())
  end)

  -- Where LuaJIT follows Lua 5.2, nginx's main coroutine is one like others.
  local LUA52 = [[
    local running, main = coroutine.running, coroutine.create(print)
    coroutine.running = function()
      local co = running()
      return co or main, co == nil
    end
  ]]

  for name, init in pairs { ["Lua 5.1"] = "", ["Lua 5.2"] = LUA52 } do
    it("is explained in each phase, with LuaJIT as of " .. name, function()
      local server = nginx.start {
        http = "init_by_lua_block { " .. init .. [[
            local M = require "flexhooks.nginx"
            local app = { public_url = "https://h.example/", auth_token = "t",
              router = require("flexhooks").router() }
            function explain()
              for _, name in ipairs { "handle", "metrics", "health" } do
                local _, why = pcall(M[name], name == "handle" and app or nil)
                ngx.log(ngx.WARN, name, " says ", why)
              end
            end
          }
          init_worker_by_lua_block {
            explain()
            assert(ngx.timer.at(0, explain))
          }]],
        server = "location / { log_by_lua_block { explain() } return 204; }",
      }
      assert.equal(204, app.get(server, "/").status)
      server:stop()
      for _, fn in ipairs { "handle", "metrics", "health" } do
        for _, phase in ipairs { "init_worker", "timer", "log" } do
          assert.matches(("%s says [^\n]*flexhooks.nginx.%s answers a "
            .. "request: call it in content_by_lua%%*, not in nginx's %s "
            .. "phase"):format(fn, fn, phase), server:log())
        end
      end
    end)
  end
end)

describe("lua_code_cache off", function()
  it("still answers, with claims that outlive the request", function()
    local server = app.start { http = app.http .. "lua_code_cache off;" }
    for _ = 1, 3 do
      local answer = app.post(server, nil, { idempotency_token = "1" })
      assert.equal(200, answer.status)
    end
    assert.equal("1", app.value(server, "handled"))
  end)
end)

describe("a location of nginx with shared keys", function()
  describe("of the environment", function()
    local server

    setup(function()
      server = app.start { env = { FLEXHOOKS_SHARED_KEYS = contract.TEXT },
        main = "env FLEXHOOKS_SHARED_KEYS; " .. app.POOL }
    end)

    contract.describe(function() return server.port end)
  end)

  describe("that a function finds, which waits,", function()
    local server

    setup(function()
      server = app.start { files = { ["app.lua"] = (app.app:gsub(
        "router = router", function()
          return ([[router = router, shared_keys = function(id)
            flexhooks.sleep(0.01)
            return (" " .. %q .. " "):match(" " .. id .. "=(%%S+) ")
          end]]):format(contract.TEXT)
        end)) } }
    end)

    contract.describe(function() return server.port end)
  end)

  it("does not find those whose variable nginx.conf does not name", function()
    local server = app.start { env = {
      FLEXHOOKS_SHARED_KEYS = contract.TEXT } }
    local id, secret = contract.TEXT:match "^(.-)=(%S+)"
    assert.equal(403, app.ask(server, d.post { shared = { id = id,
      secret = secret, algorithm = "HMAC_SHA256" } }).status)
    assert.matches("settings_unexpected", server:log(), 1, true)
  end)
end)
