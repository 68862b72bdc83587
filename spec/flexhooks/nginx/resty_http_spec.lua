-- Only on luajit with resty.http: it is the real library that is tried.
local nginx_calls = require "spec.support.nginx_calls"
local process = require "spec.support.process"
local rude = require "spec.support.rude"
local socket = require "socket"
local transport_contract = require "spec.support.transport_contract"

local server, calls, resolver
local fresh = 0

local function request_of(path, fields)
  local request = { method = "GET", url = server.url .. "/" .. path,
    timeout = 10 }
  for name, value in pairs(fields or {}) do
    request[name] = value
  end
  return request
end

-- A transport of a test's own has no connections yet.
local own

local function get(path, fields, options, more)
  return calls:send(request_of(path, fields), options or own, more)
end

setup(function()
  server = rude.start()
  local port = process.port()
  process.spawn({ process.lua, "spec/support/dns_server.lua", port })
    :wait_output "ready"
  resolver = ("resolver 127.0.0.1:%d ipv6=off;"):format(port)
  calls = nginx_calls.start { configure = "transport = 'resty'",
    http = resolver }
end)

before_each(function()
  fresh = fresh + 1
  own = { max_connections = 1000 + fresh }
  server:forget()
end)

transport_contract.of {
  get = get,
  server = function()
    return server
  end,
  -- What the library makes of an answer otherwise than libcurl, and why.
  otherwise = {
    ["huge-trailer"] = "too_large", -- trailers may be as large as heads
  },
}

describe("what is sent", function()
  local function echo(fields)
    return assert(get("echo", fields)).body
  end

  it("has no header that was not asked for", function()
    local lines = {}
    for line in echo():gmatch "([^\r]*)\r\n" do
      lines[#lines + 1] = line
    end
    assert.equal("GET /echo HTTP/1.1", table.remove(lines, 1))
    table.sort(lines)
    assert.same({ "", "Accept-Encoding: identity", "Accept: */*",
      "Host: 127.0.0.1:" .. server.port, "User-Agent: flexhooks" }, lines)
  end)

  it("has a length if a POST, PUT or PATCH is empty", function()
    for _, method in ipairs { "POST", "PUT", "PATCH", "put" } do
      assert.matches("\r\nContent%-Length: 0\r\n", echo { method = method })
    end
  end)

  it("has the root where a URL names no path", function()
    assert.equal(404, assert(calls:send { url = server.url .. "?x" }).status)
    assert.equal("/?x", server:requests()[1].target)
  end)
end)

describe("what is refused", function()
  it("a header's name that the library would change", function()
    local _, err = get("ok", { headers = { a_b = "c" } })
    assert.equal("unsupported", err.kind)
    assert.is_false(err.sent)
    assert.same({}, server:requests())
  end)
end)

describe("failures before anything was sent", function()
  local function fails(kind, request, options, more)
    request.method = "POST"
    local _, err = calls:send(request, options or own, more)
    assert.equal(kind, err.kind)
    assert.is_false(err.sent)
    return err.message
  end

  it("a name that does not resolve", function()
    fails("dns", { url = "http://nowhere.invalid/" })
  end)

  it("a name that nobody answers for", function()
    fails("timeout", { url = "http://a.silent/", connect_timeout = 0.2 })
    fails("timeout", { url = "http://a.silent/", timeout = 0.2 })
  end)

  it("a connection refused", function()
    fails("connect", { url = "http://127.0.0.1:1/" })
  end)

  it("a port that speaks no TLS", function()
    fails("tls", { url = "https://localhost:" .. server.port .. "/" })
  end)

  it("a TLS handshake that takes too long", function()
    local listener = socket.bind("127.0.0.1", 0)
    local _, port = listener:getsockname()
    local url = "https://localhost:" .. port .. "/"
    fails("timeout", { connect_timeout = 0.2, url = url })
    fails("timeout", { url = url }, nil, { deadline = 0.2 })
    listener:close()
  end)

  it("a file of authorities, which nginx.conf has to name", function()
    assert.matches("lua_ssl_trusted_certificate",
      fails("unsupported", { url = server.url }, { ca_file = "/a.pem" }), 1,
      true)
  end)

  it("a name that may stand for a private address", function()
    local message = fails("unsupported", { url = server.url .. "/ok" },
      { private_addresses = false })
    assert.matches("private_addresses", message, 1, true)
    assert.same({}, server:requests())
  end)

  it("a name where nginx.conf has no resolver", function()
    local other = nginx_calls.start { configure = "transport = 'resty'" }
    local _, err = other:send { url = "http://localhost:" .. server.port }
    assert.equal("config", err.kind)
    assert.matches("in http{}: resolver", err.message, 1, true)
    assert.is_false(err.sent)
  end)
end)

describe("connections", function()
  local function connections()
    return transport_contract.connections(server)
  end

  it("belong to one transport", function()
    assert(get "ok")
    assert(get("ok", nil, { max_response = 100 }))
    assert.equal(2, connections())
  end)

  it("are at most as many as allowed", function()
    local peers = {}
    for i = 1, 6 do
      peers[i] = calls:begin(request_of "slow?seconds=0.1",
        { max_connections = 2 })
    end
    for i = 1, 6 do
      assert.equal(200, assert(nginx_calls.finish(peers[i])).status)
    end
    assert.is_true(connections() <= 2)
  end)
end)

describe("a wait that is cut", function()
  it("ends at a deadline", function()
    local _, err = get("hang", nil, nil, { deadline = 1 })
    assert.equal("timeout", err.kind)
    assert.is_true(err.sent)
    assert.is_true(err.expired)
    assert.equal(200, assert(get "ok").status)
  end)

  it("is cancelled with its task, and its connection closed", function()
    local result = assert(get("hang", nil, { max_connections = 1 },
      { cancel = 0.2 }))
    assert.equal("cancelled", result.body)
    assert.equal(200, assert(get("ok", nil, { max_connections = 1 })).status)
  end)

  it("gives its permit back when nginx ends the request", function()
    for _ = 1, 3 do
      local _, err = get("hang", { timeout = 0.3 }, { max_connections = 1 },
        { abandon = true })
      assert.equal("abandoned", err.kind)
    end
    assert.equal(200, assert(get("ok", nil, { max_connections = 1 })).status)
  end)

  it("stalls for as long as allowed", function()
    local _, err = get("stall", { stall_timeout = 1 })
    assert.equal("timeout", err.kind)
    assert.matches("stalled", err.message)
  end)
end)

describe("a proxy of the caller's", function()
  it("is asked for http", function()
    for i = 1, 2 do
      assert.equal(200, assert(calls:send({ url = "http://h.invalid/ok" },
        { proxy = server.url })).status)
      assert.equal("http://h.invalid/ok", server:requests()[i].target)
    end
  end)

  it("gets no more than a CONNECT for https", function()
    local _, err = calls:send({ method = "POST", body = "x",
      url = "https://h.invalid/", headers = { Authorization = "x" } },
      { proxy = server.url })
    assert.equal("connect", err.kind)
    assert.is_false(err.sent)
    local requests = server:requests()
    assert.equal(1, #requests)
    assert.equal("CONNECT", requests[1].method)
    assert.equal("-", requests[1].authorization)
  end)

  it("is none of those that the library cannot speak to", function()
    for _, proxy in ipairs { "https://h.invalid", "socks5://h.invalid" } do
      local _, err = calls:send({ url = server.url .. "/ok" },
        { proxy = proxy })
      assert.equal("unsupported", err.kind)
      assert.same({}, server:requests())
    end
  end)
end)

describe("TLS", function()
  local tls, make_chain, trusting

  setup(function()
    local module = require "spec.support.tls"
    tls, make_chain = module.start(), module.chain
    trusting = nginx_calls.start { configure = "transport = 'resty'",
      http = resolver .. "lua_ssl_trusted_certificate " .. tls.ca
        .. "; lua_ssl_verify_depth 4; lua_ssl_protocols TLSv1.2 TLSv1.3;" }
  end)

  local function ask(name, from, host, options)
    return (from or trusting):send({ method = "GET", timeout = 10,
      url = ("https://%s:%d/"):format(host or "localhost",
        tls.port[name]) }, options)
  end

  it("is spoken with a server whose certificate fits", function()
    assert.equal(200, assert(ask "plain").status)
    assert.matches("^HTTP/1.1 %d+$", assert(ask "plain").body)
  end)

  it("keeps its connections", function()
    local first = assert(ask "good").body
    assert.equal(first, assert(ask "good").body)
  end)

  for name, what in pairs { other = "is another host's",
    expired = "has expired", own = "the server signed itself" } do
    it("is not spoken where the certificate " .. what, function()
      local response, err = ask(name)
      assert.is_nil(response)
      assert.equal("tls", err.kind)
      assert.is_false(err.sent)
      if not err.message:find "handshake was refused" then
        assert.equal(name == "expired", err.message:find "clock" ~= nil)
      end
    end)
  end

  it("is not spoken with another name of the same server", function()
    assert.equal("tls", select(2, ask("plain", nil, "other.here")).kind)
    assert.equal("tls", select(2, ask("plain", nil, "127.0.0.1")).kind)
  end)

  it("is not spoken in version 1.1", function()
    local _, err = ask "old"
    assert.equal("tls", err.kind)
  end)

  -- What docs/openresty.md says of lua_ssl_verify_depth.
  it("takes one intermediate by default, and more if told so", function()
    local servers, ports = {}, {}
    for count = 1, 2 do
      make_chain(tls.dir, "chain" .. count, count)
      ports[count] = process.port()
      servers[count] = ([[server { listen 127.0.0.1:%d ssl; location / {
        return 200; } ssl_certificate %s/chain%d.pem;
        ssl_certificate_key %s/chain%d.key; }]]):format(ports[count], tls.dir,
        count, tls.dir, count)
    end
    local trust = resolver .. "lua_ssl_trusted_certificate " .. tls.ca .. ";"
    local plain = nginx_calls.start { configure = "transport = 'resty'",
      http = trust .. table.concat(servers) }
    local deep = nginx_calls.start { configure = "transport = 'resty'",
      http = trust .. "lua_ssl_verify_depth 4;" }
    local function get_from(from, count)
      return from:send { method = "GET", timeout = 10,
        url = ("https://localhost:%d/"):format(ports[count]) }
    end
    assert.equal(200, assert(get_from(plain, 1)).status)
    local _, err = get_from(plain, 2)
    assert.equal("tls", err.kind)
    assert.equal(200, assert(get_from(deep, 1)).status)
    assert.equal(200, assert(get_from(deep, 2)).status)
  end)

  it("trusts nobody where nginx.conf names nobody", function()
    local _, err = ask("plain", calls)
    assert.equal("tls", err.kind)
    assert.is_truthy(err.message:find "handshake was refused"
      or err.message:find("lua_ssl_trusted_certificate", 1, true))
  end)
end)

describe("the way that is chosen", function()
  local function agent(options)
    local other = nginx_calls.start(options)
    local answer = assert(other:send { url = server.url .. "/echo" })
    return answer.body:match "User%-Agent: (%S+)"
  end

  it("is the library where there is no pool of threads", function()
    assert.equal("flexhooks", agent {})
  end)

  it("is the pool where both are there", function()
    assert.is_nil(agent { main = "thread_pool default threads=2;" })
  end)

  it("is the library where it was asked for", function()
    assert.equal("flexhooks", agent { configure = "transport = 'resty'",
      main = "thread_pool default threads=2;" })
  end)
end)

describe("many calls", function()
  it("leave other requests alone, however many are waiting", function()
    local peers = {}
    for i = 1, 100 do
      peers[i] = calls:begin(request_of "slow?seconds=1")
    end
    for _ = 1, 200 do
      assert.equal("ok\n", calls:ask "/ok")
    end
    process.eventually(function()
      return #server:requests() == 100
    end)
    for i = 1, 100 do
      assert.equal(200, assert(nginx_calls.finish(peers[i])).status)
    end
  end)
end)
