local cjson = require "cjson"
local d = require "spec.support.deliveries"
local flexhooks = require "flexhooks"
local nginx = require "spec.support.nginx"
local process = require "spec.support.process"
local sids = require "spec.data.sids"
local system = require "system"
local wire = require "spec.support.wire"

-- What the application of these specs does with an event is told by its fields.
local APP = [[
local flexhooks = require "flexhooks"
local router = flexhooks.router()
local dict = ngx.shared.flexhooks

router:on("*", function(event, context)
  dict:incr("spec:handled", 1, 0)
  dict:set("spec:pid", ngx.worker.pid())
  context.log("info", "handled")
end)

router:on("*", { Do = "call" }, function(event)
  return flexhooks.http(event.Url, { timeout = 10 })
end)

router:on("*", { Do = "fail" }, function()
  error "as it was told"
end)

router:on("*", { Do = "tasks" }, function(event)
  local doubled = flexhooks.map({ 1, 2, 3 }, 2, function(n)
    flexhooks.sleep(0.01)
    return 2 * n
  end)
  local task = flexhooks.spawn(function(a) return a end, doubled[3])
  local endless = flexhooks.spawn(function() return flexhooks.sleep(60) end)
  endless:cancel()
  local _, err = endless:wait()
  local _, raised = flexhooks.spawn(error, "raised"):wait()
  dict:set("spec:tasks", doubled[1] .. doubled[2] .. task:wait() .. err.kind
    .. raised.kind)
end)

router:on("*", { Do = "oversleep" }, function()
  local ok, err = flexhooks.sleep(30)
  dict:set("spec:slept", tostring(ok) .. err.kind)
end)

return {
  router = router, auth_token = "a-token-of-ours", handler_timeout = 5,
  account_sid = "]] .. sids.account .. [[",
  public_url = "https://h.example/flex/events",
  sources = { ["https://h.example/flex/one"] = "interaction" },
  methods = { "POST", "GET" },
}
]]

local HTTP = [[
  lua_shared_dict flexhooks 10m;
  client_body_buffer_size 4k;
  client_max_body_size 2m;
  init_by_lua_block { require "flexhooks.nginx" }
]]

local SERVER = [[
  location = /metrics { content_by_lua_block {
    require("flexhooks.nginx").metrics() } }
  location = /healthz { content_by_lua_block {
    require("flexhooks.nginx").health() } }
  location = /slow { content_by_lua_block {
    ngx.sleep(0.5)
    ngx.shared.flexhooks:incr("spec:calls", 1, 0)
    ngx.say "slow" } }
  location = /value { content_by_lua_block {
    local text = tostring(ngx.shared.flexhooks:get("spec:" .. ngx.var.arg_name))
    ngx.header.content_length = #text
    ngx.print(text)
  } }
  location / { content_by_lua_block {
    require("flexhooks.nginx").handle "app" } }
]]

local POOL = "thread_pool default threads=4;"

local function start(changes)
  local options = { main = POOL, http = HTTP, server = SERVER,
    files = { ["app.lua"] = APP } }
  for name, value in pairs(changes or {}) do
    options[name] = value
  end
  return nginx.start(options)
end

local function bytes_of(request)
  return wire.request(request.method, request.target, request.headers,
    request.method ~= "GET" and request.body or request.body ~= ""
      and request.body or nil)
end

local function ask(server, request)
  local result = wire.send(server.port, bytes_of(request),
    { expect = 1, wait = 10 })
  return assert(result.answers[1], "no answer: " .. result.rest)
end

local function get(server, target)
  return ask(server, { method = "GET", target = target, headers = {},
    body = "" })
end

local function value(server, name)
  return get(server, "/value?name=" .. name).body
end

local function post(server, changes, more)
  local o = more or {}
  o.fields = d.fields(changes)
  return ask(server, d.post(o))
end

describe("a location of nginx", function()
  local server

  setup(function()
    server = start()
  end)

  it("hands a signed event to the handlers", function()
    local answer = post(server)
    assert.equal(200, answer.status)
    assert.equal("{}", answer.body)
    assert.equal("application/json", answer.headers["content-type"])
    assert.equal("1", value(server, "handled"))
  end)

  it("takes events by GET", function()
    assert.equal(200, ask(server, d.get {}).status)
  end)

  it("answers 500 where a handler fails, and logs why", function()
    assert.equal(500, post(server, { Do = "fail" }).status)
    assert.matches("as it was told", server:log(), 1, true)
    assert.equal(200, post(server).status)
  end)

  it("reads a body that nginx spilled to a file", function()
    local long = ("x"):rep(60000)
    assert.equal(200, post(server, { A = long, B = long, C = long }).status)
    assert.matches("buffered to a temporary file", server:log(), 1, true)
  end)

  it("refuses a body over the receiver's cap, however it was sent", function()
    local request = d.post { body = ("x"):rep(262145) }
    assert.equal(413, ask(server, request).status)
    local head = bytes_of { method = "POST", target = request.target,
      headers = request.headers }:gsub("\r\n\r\n$", "\r\nTransfer-Encoding: "
        .. "chunked\r\n\r\n")
    local result = wire.send(server.port, head .. ("%x\r\n%s\r\n0\r\n\r\n")
      :format(#request.body, request.body), { expect = 1, wait = 10 })
    assert.equal(413, result.answers[1].status)
  end)

  it("reads a chunked body", function()
    local request = d.post {}
    local head = bytes_of { method = "POST", target = request.target,
      headers = request.headers }:gsub("\r\n\r\n$", "\r\nTransfer-Encoding: "
        .. "chunked\r\n\r\n")
    local result = wire.send(server.port, head .. ("%x\r\n%s\r\n0\r\n\r\n")
      :format(#request.body, request.body), { expect = 1, wait = 10 })
    assert.equal(200, result.answers[1].status)
  end)

  it("cuts neither parameters nor headers", function()
    local changes = {}
    for i = 1, 990 do
      changes["F" .. i] = "v"
    end
    assert.equal(200, post(server, changes).status)
    local request = d.post {}
    for i = 1, 150 do
      request.headers["X-Filler-" .. i] = "v"
    end
    assert.equal(200, ask(server, request).status)
  end)

  it("runs tasks as the other hosts do", function()
    assert.equal(200, post(server, { Do = "tasks" }).status)
    assert.equal("246cancelledhandler", value(server, "tasks"))
  end)

  it("cuts a handler's waits to its deadline", function()
    assert.equal(500, post(server, { Do = "oversleep" }).status)
    assert.equal("niltimeout", value(server, "slept"))
  end)

  it("lets a handler call out", function()
    local url = ("http://127.0.0.1:%d/slow"):format(server.port)
    assert.equal(200, post(server, { Do = "call", Url = url }).status)
  end)

  it("answers for its health and its metrics", function()
    assert.equal("ok\n", get(server, "/healthz").body)
    local metrics = get(server, "/metrics")
    assert.matches("^text/plain; version=0.0.4", metrics.headers["content-type"])
    assert.matches("flexhooks_events_handled_total %d", metrics.body)
    assert.matches('flexhooks_events_rejected_total{reason="too_large"} 2',
      metrics.body, 1, true)
  end)

  it("logs types and SIDs, never what an event says", function()
    post(server, { Secret = "payload-value", Do = "fail" })
    assert.not_matches("payload-value", server:log(), 1, true)
    assert.not_matches("a-token-of-ours", server:log(), 1, true)
    assert.matches(sids.interaction, server:log(), 1, true)
  end)
end)

describe("verdicts", function()
  local server, receiver

  setup(function()
    server = start()
    local router = flexhooks.router()
    router:on("*", function() end)
    receiver = flexhooks.receiver {
      router = router, auth_token = d.token, public_url = d.url,
      account_sid = sids.account, methods = { "POST" },
    }
  end)

  -- nginx refuses by itself what no HTTP header or request line may hold, and an
  -- answer to HEAD has no body.
  local function is_carried(request)
    if request.method == "HEAD" then
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

  -- Broken escapes, paths that leave the root and headers that are too long never
  -- reach the location.
  local function is_of_nginx(answer)
    return answer.status == 400 and answer.headers["content-type"] == "text/html"
  end

  local app = APP:gsub('methods = { "POST", "GET" }', 'methods = { "POST" }')

  for _, group in ipairs { "targets", "signatures", "forms", "json" } do
    it("are those of the receiver: " .. group, function()
      local same = start { files = { ["app.lua"] = app } }
      local compared = 0
      for _, row in ipairs(require("spec.data.receiver." .. group)) do
        local request = row[4]()
        if is_carried(request) then
          local expected = receiver:handle(request)
          local answer = ask(same, request)
          if is_of_nginx(answer) then
            assert.is_true(expected.status >= 400, row[1])
          else
            assert.equal(expected.status, answer.status, row[1])
            assert.equal(expected.body, answer.body, row[1])
            assert.equal(expected.headers.allow, answer.headers.allow, row[1])
          end
          compared = compared + 1
        end
      end
      assert.is_true(compared > 10)
    end)
  end

  it("hold for two headers of one name", function()
    local request = d.post {}
    local twice = bytes_of(request):gsub("\r\n(X%-Twilio%-Signature: [^\r]+)",
      "\r\n%1\r\n%1")
    local result = wire.send(server.port, twice, { expect = 1 })
    assert.equal(403, result.answers[1].status)
  end)
end)

describe("workers", function()
  it("share claims: a re-delivery to another worker is a duplicate", function()
    local server = start { workers = 4 }
    local pids = {}
    for i = 1, 60 do
      local answer = post(server, { N = "same" },
        { idempotency_token = "0000-same" })
      assert.equal(200, answer.status)
      post(server, { N = tostring(i) })
      pids[value(server, "pid")] = true
    end
    assert.is_not_nil(next(pids, next(pids)), "one worker took everything")
    assert.equal("61", value(server, "handled"))
  end)

  it("share claims: twins are handled once", function()
    local server = start { workers = 4 }
    for _ = 1, 30 do
      post(server)
      post(server, nil, { url = "https://h.example/flex/one" })
    end
    assert.equal("30", value(server, "handled"))
  end)

  -- Signed events on connections of their own while `disturb` runs.
  local function under_load(server, fields, disturb)
    local stop = process.folder() .. "/stop"
    local load = process.spawn { process.lua, "spec/support/load.lua",
      tostring(server.port), stop, cjson.encode(fields) }
    load:wait_output "began"
    disturb()
    process.write(stop, "")
    assert.equal(0, load:wait(30), load:stderr())
    return cjson.decode(load:stdout():match "{.*}"), load:stderr()
  end

  local function reload_often(server)
    return function()
      for _ = 1, 15 do
        server:reload()
        system.sleep(0.2)
      end
    end
  end

  it("are reloaded five times a second without a failed request", function()
    local server = start { workers = 2 }
    local counts, why = under_load(server, {}, reload_often(server))
    assert.equal(0, counts.failed, why)
    assert.is_true(counts.answered > 100)
  end)

  it("are reloaded without dropping a handler's call", function()
    local api = start()
    local server = start { workers = 2 }
    local url = ("http://127.0.0.1:%d/slow"):format(api.port)
    local counts, why = under_load(server, { Do = "call", Url = url },
      reload_often(server))
    assert.equal(0, counts.failed, why)
    assert.is_true(counts.answered >= 4)
  end)

  it("may be killed: no answer is wrong, and the next one serves", function()
    local server = start { workers = 2 }
    local counts = under_load(server, {}, function()
      for _ = 1, 10 do
        os.execute("kill -KILL " .. server:workers()[1])
        system.sleep(0.1)
      end
    end)
    assert.is_true(counts.answered > 20)
    assert.equal(counts.failed, counts.unanswered)
    assert.equal(200, post(server).status)
  end)

  it("keep their memory over many events", function()
    if process.lua ~= "luajit" then
      return -- it is nginx that is measured, with its own Lua
    end
    local server = start { http = HTTP .. "keepalive_requests 1000000;" }
    local function wrk(seconds)
      local status, out, err = process.run({ "wrk", "-t1", "-c16",
        "-d" .. seconds .. "s", "-s", "bench/nginx_wrk.lua",
        "http://127.0.0.1:" .. server.port .. "/flex/events" }, { env = {
          LUA_PATH = package.path, LUA_CPATH = package.cpath,
          FLEXHOOKS_BENCH_TOKEN = d.token } })
      assert.equal(0, status, err)
      assert.is_nil(out:find "Non-2xx", out)
      return tonumber(out:match "(%d+) requests in")
    end
    local function resident()
      local pid = server:workers()[1]
      return tonumber(process.read("/proc/" .. pid .. "/status")
        :match "VmRSS:%s+(%d+)")
    end
    local total = wrk(2)
    local before = resident()
    repeat
      total = total + wrk(4)
    until total > 200000
    assert.is_true(resident() - before < 4096,
      ("%d KiB after %d events"):format(resident() - before, total))
  end)
end)

describe("an outgoing call", function()
  it("leaves other events alone, however many are waiting", function()
    local api = start()
    local server = start {
      main = "thread_pool default threads=32;",
      http = HTTP:gsub("init_by_lua_block {.-}", [[
        lua_worker_thread_vm_pool_size 32;
        init_by_lua_block {
          require("flexhooks.nginx").configure { threads = 32 }
        }]]),
    }
    local url = ("http://127.0.0.1:%d/slow"):format(api.port)
    local waiting = {}
    for i = 1, 100 do
      waiting[i] = wire.connect(server.port)
      assert(waiting[i]:send(bytes_of(d.post { fields = d.fields {
        Do = "call", Url = url, N = tostring(i) } })))
    end
    -- All of these are answered while the calls above are on their way.
    for i = 1, 200 do
      assert.equal(200, post(server, { N = tostring(i) }).status)
    end
    assert.is_true((tonumber(get(api, "/value?name=calls").body) or 0) < 100)
    for i = 1, 100 do
      local bytes = wire.read(waiting[i], 20, function(data)
        return #wire.parse(data) > 0
      end)
      assert.equal(200, wire.parse(bytes)[1].status)
      waiting[i]:close()
    end
    assert.equal("100", get(api, "/value?name=calls").body)
  end)

  it("says what to configure where it cannot be made", function()
    local server = start { main = "thread_pool other threads=2;" }
    assert.equal(500, post(server, { Do = "call",
      Url = "http://127.0.0.1:1/" }).status)
    assert.matches("thread_pool default threads=8;", server:log(), 1, true)
  end)
end)

describe("lua_code_cache off", function()
  it("still answers, with claims that outlive the request", function()
    local server = start { http = HTTP .. "lua_code_cache off;" }
    for _ = 1, 3 do
      assert.equal(200, post(server, nil, { idempotency_token = "1" }).status)
    end
    assert.equal("1", value(server, "handled"))
  end)
end)
