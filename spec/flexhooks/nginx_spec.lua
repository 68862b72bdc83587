-- Only on luajit: it is nginx that is tried, and its Lua is LuaJIT.
local app = require "spec.support.nginx_app"
local cjson = require "cjson"
local d = require "spec.support.deliveries"
local flexhooks = require "flexhooks"
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
    for i = 1, 990 do
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

  -- Broken escapes, paths that leave the root and headers that are too long
  -- never reach the location.
  local function is_of_nginx(answer)
    return answer.status == 400
      and answer.headers["content-type"] == "text/html"
  end

  local posting = app.app:gsub('methods = { "POST", "GET" }',
    'methods = { "POST" }')

  for _, group in ipairs { "targets", "signatures", "forms", "json" } do
    it("are those of the receiver: " .. group, function()
      local same = app.start { files = { ["app.lua"] = posting } }
      local compared = 0
      for _, row in ipairs(require("spec.data.receiver." .. group)) do
        local request = row[4]()
        if is_carried(request) then
          local expected = receiver:handle(request)
          local answer = app.ask(same, request)
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
    local twice = app.bytes_of(request):gsub(
      "\r\n(X%-Twilio%-Signature: [^\r]+)", "\r\n%1\r\n%1")
    local result = wire.send(server.port, twice, { expect = 1 })
    assert.equal(403, result.answers[1].status)
  end)
end)

describe("workers", function()
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
    local server = app.start { workers = 2 }
    local counts, why = under_load(server, {}, reload_often(server))
    assert.equal(0, counts.failed, why)
    assert.is_true(counts.answered > 100)
  end)

  it("are reloaded without dropping a handler's call", function()
    local api = app.start()
    local server = app.start { workers = 2 }
    local url = ("http://127.0.0.1:%d/slow"):format(api.port)
    local counts, why = under_load(server, { Do = "call", Url = url },
      reload_often(server))
    assert.equal(0, counts.failed, why)
    assert.is_true(counts.answered >= 4)
  end)

  it("may be killed: no answer is wrong, and the next one serves", function()
    local server = app.start { workers = 2 }
    local counts = under_load(server, {}, function()
      for _ = 1, 10 do
        os.execute("kill -KILL " .. server:workers()[1])
        system.sleep(0.1)
      end
    end)
    assert.is_true(counts.answered > 20)
    assert.equal(counts.failed, counts.unanswered)
    assert.equal(200, app.post(server).status)
  end)

  it("keep their memory over many events", function()
    local server = app.start {
      http = app.http .. "keepalive_requests 1000000;",
    }
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
