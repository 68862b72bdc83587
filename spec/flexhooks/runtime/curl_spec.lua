local core = require "flexhooks.core"
local curl = require "flexhooks.runtime.curl"
local errors = require "flexhooks.error"
local loop = require "flexhooks.runtime.loop"
local process = require "spec.support.process"
local rude = require "spec.support.rude"
local transport_contract = require "spec.support.transport_contract"

local server, transport

local function get(path, fields)
  local request = { method = "GET", url = server.url .. "/" .. path,
    timeout = 10 }
  for name, value in pairs(fields or {}) do
    request[name] = value
  end
  return transport:send(request)
end

setup(function()
  server = rude.start()
end)

before_each(function()
  transport = curl.new()
  server:forget()
end)

after_each(function()
  transport:close()
end)

transport_contract.of {
  get = get,
  is_error = errors.is,
  server = function()
    return server
  end,
}

describe("what is sent", function()
  local function echo(fields)
    return assert(get("echo", fields)).body
  end

  it("has no header that was not asked for", function()
    assert.equal("GET /echo HTTP/1.1\r\nHost: 127.0.0.1:" .. server.port
      .. "\r\nAccept: */*\r\nAccept-Encoding: identity\r\n\r\n", echo())
  end)

  it("forgets the request before", function()
    local secret = core.basic("AC1", core.secret "token")
    for _, before in ipairs { { method = "HEAD" },
      { method = "POST", body = "secret", authorization = secret },
      { method = "PATCH", headers = { ["X-Secret"] = "secret" } },
      { timeout = 0.05, stall_timeout = 1, max_response = 1 } } do
      transport:send { method = before.method, body = before.body,
        headers = before.headers, authorization = before.authorization,
        timeout = before.timeout, max_response = before.max_response,
        stall_timeout = before.stall_timeout, url = server.url .. "/ok" }
      local text = assert(get "slow?seconds=0.1").status == 200 and echo()
      assert.equal("GET /echo HTTP/1.1", text:match "^[^\r]*")
      assert.is_nil(text:find("ecret", 1, true))
      assert.is_nil(text:find("Authorization", 1, true))
      assert.is_nil(text:find("Content-", 1, true))
    end
    secret:close()
  end)

  it("goes to no private address where that is not allowed", function()
    for _, host in ipairs { "127.0.0.1", "localhost" } do
      local _, err = transport:send { method = "GET", timeout = 10,
        url = ("http://%s:%d/ok"):format(host, server.port),
        private_addresses = false }
      assert.equal("config", err.kind)
      assert.matches("private_addresses = true", err.message, 1, true)
      assert.is_false(err.sent)
    end
    assert.same({}, server:requests())
  end)

  it("does not take another's way to a private address", function()
    assert(get "ok")
    local _, err = get("ok", { private_addresses = false })
    assert.equal("config", err.kind)
    assert.is_false(err.sent)
    assert(get "ok")
    assert.equal(2, #server:requests())
  end)

  it("goes to a proxy wherever that is", function()
    local answer = assert(transport:send { method = "GET", timeout = 10,
      url = "http://company.example/ok", private_addresses = false,
      proxy = server.url })
    assert.equal(200, answer.status)
  end)

  it("has a secret as its authorization", function()
    local secret = core.basic("AC1", core.secret "token")
    assert.equal(200, get("ok", { authorization = secret }).status)
    assert.equal("Basic QUMxOnRva2Vu", server:requests()[1].authorization)
    secret:close()
  end)
end)

describe("what is refused", function()
  it("an Authorization header beside a secret", function()
    local secret = core.bearer(core.secret "token")
    local _, err = get("ok", { authorization = secret,
      headers = { authorization = "Basic x" } })
    assert.equal("argument", err.kind)
    assert.same({}, server:requests())
  end)

  it("a secret with a control character in it", function()
    local secret = core.secret "Bearer a\r\nX: y"
    local _, err = get("ok", { authorization = secret })
    assert.equal("argument", err.kind)
    assert.is_nil(tostring(err):find("Bearer", 1, true))
    assert.same({}, server:requests())
  end)
end)

describe("failures before anything was sent", function()
  it("a name that does not resolve", function()
    local _, err = transport:send { method = "POST", timeout = 30,
      url = "http://nowhere.invalid/" }
    assert.equal("dns", err.kind)
    assert.is_false(err.sent)
  end)

  it("a connection refused", function()
    local _, err = transport:send { method = "POST",
      url = "http://127.0.0.1:1/" }
    assert.equal("connect", err.kind)
    assert.is_false(err.sent)
  end)

  it("a port that speaks no TLS", function()
    local _, err = transport:send { method = "POST",
      url = "https://127.0.0.1:" .. server.port .. "/" }
    assert.equal("tls", err.kind)
    assert.is_false(err.sent)
  end)

  it("a TLS handshake that takes too long", function()
    local listener = require("socket").bind("127.0.0.1", 0)
    local _, port = listener:getsockname()
    local _, err = transport:send { method = "POST", connect_timeout = 0.2,
      url = "https://127.0.0.1:" .. port .. "/", timeout = 20 }
    listener:close()
    assert.equal("timeout", err.kind)
    assert.is_false(err.sent)
  end)

  it("a file of certificates that is none", function()
    local other = curl.new { ca_file = "/nonexistent" }
    local _, err = other:send { method = "POST",
      url = "https://127.0.0.1:" .. server.port .. "/" }
    other:close()
    assert.equal("config", err.kind)
    assert.is_false(err.sent)
  end)
end)

describe("connections", function()
  local function connections()
    return transport_contract.connections(server)
  end

  it("belong to one transport", function()
    local other = curl.new()
    assert(get "ok")
    assert(other:send { method = "GET", url = server.url .. "/ok" })
    other:close()
    assert.equal(2, connections())
  end)

  it("are at most as many as allowed", function()
    transport:close()
    transport = curl.new { max_connections = 2 }
    loop.run(function()
      for _ = 1, 10 do
        loop.spawn(function()
          assert.equal(200, get("slow?seconds=0.05").status)
        end)
      end
    end)
    assert.equal(10, #server:requests())
    assert.is_true(connections() <= 2)
  end)

  it("carry many requests at once", function()
    local order = {}
    loop.run(function()
      loop.spawn(function()
        get "held"
        order[#order + 1] = "held"
      end)
      for i = 1, 20 do
        loop.spawn(function()
          get "ok"
          order[i] = "ok"
          if #order == 20 then
            get "let-go"
          end
        end)
      end
    end)
    assert.equal(21, #order)
    assert.equal("held", order[21])
  end)
end)

describe("a wait that is cut", function()
  it("cancels the request", function()
    local result, err
    loop.run(function()
      local task = loop.spawn(function()
        result, err = get "hang"
      end)
      process.eventually(function()
        loop.sleep(0.01)
        return #server:requests() == 1
      end)
      task:cancel()
    end)
    assert.is_nil(result)
    assert.equal("cancelled", err.kind)
    assert.is_true(err.sent)
  end)

  it("ends at a deadline", function()
    local token = loop.enter(loop.clock() + 0.2)
    local result, err = get "hang"
    assert.is_true(loop.leave(token))
    assert.is_nil(result)
    assert.equal("timeout", err.kind)
    assert.equal(200, get("ok").status)
  end)

  it("ends when the transport is closed", function()
    local kinds = {}
    loop.run(function()
      for _ = 1, 3 do
        loop.spawn(function()
          local _, err = get "hang"
          kinds[#kinds + 1] = err.kind
        end)
      end
      process.eventually(function()
        loop.sleep(0.01)
        return #server:requests() == 3
      end)
      transport:close()
    end)
    assert.same({ "closed", "closed", "closed" }, kinds)
    assert.equal(200, get("ok").status)
  end)

  it("stalls for as long as allowed", function()
    transport:close()
    transport = curl.new { stall_timeout = 1 }
    local _, err = get "stall"
    assert.equal("timeout", err.kind)
  end)
end)

describe("the pool", function()
  it("is collected with requests in flight", function()
    collectgarbage() -- what the tests before have left
    collectgarbage()
    local live = core.live()
    local poller = core.poller()
    local function start()
      local pool = core.pool(poller)
      for _ = 1, 3 do
        assert(pool:start { method = "GET", url = server.url .. "/hang",
          max_response = 100 })
      end
      poller:wait(0)
    end
    start()
    collectgarbage()
    collectgarbage()
    poller:wait(0)
    poller:close()
    assert.equal(live, core.live())
  end)

  it("may close before, between and after its parts", function()
    for _, order in ipairs { "pwr", "prw", "wpr", "wrp", "rpw", "rwp" } do
      local live = core.live()
      local part = { w = core.poller() }
      part.p = core.pool(part.w)
      part.r = assert(part.p:start { method = "GET", max_response = 100,
        url = server.url .. "/hang" })
      part.w:wait(0)
      for name in order:gmatch "." do
        part[name]:close()
      end
      assert.equal(live, core.live())
      for name in order:gmatch "." do
        part[name]:close()
      end
    end
  end)

  it("gives each request back once, cancelled ones too", function()
    local poller = core.poller()
    local pool = core.pool(poller)
    local function start()
      return assert(pool:start { method = "GET", max_response = 100,
        url = server.url .. "/hang" })
    end
    local first, second = start(), start()
    assert.has_error(function()
      first:result()
    end)
    poller:wait(0)
    assert.is_nil(pool:next())
    second:cancel()
    second:cancel()
    assert.equal(second, pool:next())
    assert.is_nil(pool:next())
    assert.equal("cancelled", (select(2, second:result())))
    first:cancel()
    assert.equal(first, pool:next())
    for _, handle in ipairs { first, second, pool, poller } do
      handle:close()
    end
  end)
end)

describe("the environment", function()
  local SCRIPT = [[
    local transport = require "flexhooks.runtime.curl".new()
    local answer, err = transport:send { url = arg[1] .. "/ok" }
    print(answer and answer.status or err)]]

  it("chooses no proxy, and lends no credentials", function()
    local home = process.folder()
    process.write(home .. "/.netrc",
      "machine 127.0.0.1\nlogin me\npassword secret\n")
    local evil = "http://127.0.0.1:1"
    local script = process.write(home .. "/a.lua", SCRIPT)
    local status, out = process.run({ process.lua, script, server.url },
      { env = { HOME = home, http_proxy = evil, HTTP_PROXY = evil,
        ALL_PROXY = evil, all_proxy = evil, NETRC = home .. "/.netrc" } })
    assert.equal(0, status)
    assert.equal("200\n", out)
    assert.equal("-", server:requests()[1].authorization)
  end)
end)

describe("a proxy of the caller's", function()
  it("is asked for http", function()
    local other = curl.new { proxy = server.url }
    local answer = assert(other:send { url = "http://example.invalid/ok" })
    other:close()
    assert.equal(200, answer.status)
    assert.equal("http://example.invalid/ok", server:requests()[1].target)
  end)

  it("gets no more than a CONNECT for https", function()
    local other = curl.new { proxy = server.url }
    local _, err = other:send { method = "POST", body = "x",
      url = "https://example.invalid/", headers = { Authorization = "x" } }
    other:close()
    assert.equal("connect", err.kind)
    assert.is_false(err.sent)
    local requests = server:requests()
    assert.equal(1, #requests)
    assert.equal("CONNECT", requests[1].method)
    assert.equal("-", requests[1].authorization)
  end)
end)
