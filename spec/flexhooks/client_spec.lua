local api = require "spec.support.canned"
local bad_servers = require "spec.data.bad_servers"
local flexhooks = require "flexhooks"
local process = require "spec.support.process"
local scripted = require "spec.support.scripted"
local sids = require "spec.data.sids"
local simulator = require "spec.support.simulator"

local TOKEN = api.token
local EMPTY = scripted.answer(200, "{}")

-- A client of a server, closed when the test ends.
local clients = {}

local function connect(server, options)
  local given = { account_sid = sids.account, auth_token = TOKEN,
    base_url = server.url, max_retries = 0, timeout = 20 }
  for name, value in pairs(options or {}) do
    given[name] = value
  end
  if given.client_id then
    given.account_sid, given.auth_token = nil, nil
  end
  local client = flexhooks.client(given)
  clients[#clients + 1] = client
  return client
end

after_each(function()
  for _, client in ipairs(clients) do
    client:close()
  end
  clients = {}
end)

describe("client:request", function()
  it("sends what it is given", function()
    local server = scripted.start { scripted.answer(200, { ok = true },
      { ["Content-Type"] = "application/json", ["X-Answer"] = "1",
        ["Twilio-Request-Id"] = "RQ1" }) }
    local client = connect(server)
    local body, response = client:request("POST", "/v1/x?a=b", {
      form = { Name = "ä b&c", List = { 1, 2 } }, query = { Page = 2 },
      headers = { ["X-Mine"] = "yes" } })
    assert.same({ ok = true }, body)
    assert.same({ 200, 1, "1", "RQ1" }, { response.status, response.attempts,
      response.headers["x-answer"], response.request_id })
    assert.equal('{"ok":true}', response.body)
    local request = server:requests()[1]
    assert.same({ "POST", "/v1/x?a=b&Page=2" }, { request.method,
      request.target })
    assert.same({ Name = "ä b&c", List = { "1", "2" } },
      api.form(request.body))
    assert.equal("application/x-www-form-urlencoded",
      request.headers["content-type"])
    assert.equal("yes", request.headers["x-mine"])
    assert.equal("application/json", request.headers.accept)
    assert.matches("^flexhooks ", request.headers["user-agent"])
    assert.equal("127.0.0.1:" .. server.port, request.headers.host)
  end)

  it("sends JSON, and texts as they are", function()
    local server = scripted.start { EMPTY }
    local client = connect(server)
    assert(client:request("PUT", "/v1/x", { json = { a = { 1, 2 } } }))
    assert(client:request("POST", "/v1/x", { body = "raw",
      headers = { ["content-type"] = "text/plain" } }))
    local requests = server:requests()
    assert.same({ "PUT", '{"a":[1,2]}', "application/json" },
      { requests[1].method, requests[1].body,
        requests[1].headers["content-type"] })
    assert.same({ "raw", "text/plain" }, { requests[2].body,
      requests[2].headers["content-type"] })
    assert.equal(1, server:connections())
  end)

  it("gives texts that are no JSON, and an empty one for none", function()
    local server = scripted.start { scripted.answer(200, "hello",
      { ["Content-Type"] = "text/plain" }), "HTTP/1.1 204 No Content\r\n\r\n" }
    local client = connect(server)
    assert.equal("hello", (client:request("GET", "/v1/x")))
    local body, response = client:request("DELETE", "/v1/x")
    assert.equal("", body)
    assert.equal(204, response.status)
  end)

  it("proves who calls with Basic", function()
    local server = scripted.start { EMPTY }
    local client = connect(server, { account_sid = sids.account,
      auth_token = "0123456789abcdef" })
    client:request("GET", "/v1/x")
    -- base64 of "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:0123456789abcdef"
    assert.equal("Basic QUNhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYTowMTIz"
      .. "NDU2Nzg5YWJjZGVm", server:requests()[1].headers.authorization)
  end)

  it("raises mistakes at the line that made them", function()
    local server = scripted.start { EMPTY }
    local client = connect(server)
    local line
    for what, arguments in pairs {
      ["argument 1 must be one of GET, POST"] = { "get", "/x" },
      ["argument 2 must be a path or a URL, got nil"] = { "GET" },
      ["argument 2 must be a path that begins with '/'"] = { "GET", "x" },
      ["the client's credentials go nowhere else"] =
        { "GET", "https://evil.example/x" },
      ["unknown option 'from' (did you mean 'form'?)"] =
        { "GET", "/x", { from = {} } },
      ["give 'form' or 'json', not both"] =
        { "POST", "/x", { form = {}, json = {} } },
      ["option 'headers': 'Authorization' is set by the client"] =
        { "GET", "/x", { headers = { Authorization = "x" } } },
      ["option 'query': 'a' must be a string"] =
        { "GET", "/x", { query = { a = print } } },
      ["option 'form' must be table, got string"] =
        { "POST", "/x", { form = "a=b" } },
      ["option 'timeout' must be more than 0"] =
        { "GET", "/x", { timeout = 0 } },
      ["option 'timeout' must be at most 86400"] =
        { "GET", "/x", { timeout = math.huge } },
    } do
      local err = api.raised(function()
        line = debug.getinfo(1, "l").currentline + 1
        client:request(arguments[1], arguments[2], arguments[3])
      end)
      assert.equal("argument", err.kind)
      assert.matches("client_spec.lua:" .. line .. ": client:request: ",
        err.message, 1, true)
      assert.matches(what, err.message, 1, true)
    end
    local err = api.raised(client.request, "GET", "/x")
    assert.matches("call it with ':'", err.message, 1, true)
    assert.equal(0, #server:requests())
  end)
end)

describe("a client of a server that misbehaves", function()
  for _, row in ipairs(bad_servers) do
    it("meets " .. row.name, function()
      local server = scripted.start { row.answer, EMPTY }
      local silent = row.kinds and row.kinds[1] == "timeout"
      local client = connect(server, { timeout = silent and 0.5 or 20,
        max_response = 100000 })
      local body, err = client:request("GET", "/v1/x")
      if row.kinds then
        assert.is_nil(body)
        local right = false
        for _, kind in ipairs(row.kinds) do
          right = right or err.kind == kind
        end
        assert.is_true(right, tostring(err))
        assert.same({ "GET", server.url .. "/v1/x", 1 },
          { err.method, err.url, err.attempts })
        assert.is_nil(err.maybe_applied)
      else
        assert.same({}, body)
      end
    end)
  end

  it("learns nothing from cookies", function()
    local server = scripted.start { scripted.answer(200, "{}",
      { ["Set-Cookie"] = "a=b; Path=/" }), EMPTY }
    local client = connect(server)
    client:request("GET", "/v1/x")
    client:request("GET", "/v1/x")
    assert.is_nil(server:requests()[2].headers.cookie)
  end)

  for _, status in ipairs { 301, 302, 303, 307, 308 } do
    it("follows no redirect: " .. status, function()
      local elsewhere = scripted.start { EMPTY }
      for _, location in ipairs { elsewhere.url .. "/x", "/v1/other",
        "https://127.0.0.1:1/", "file:///etc/passwd",
        "ftp://127.0.0.1:" .. elsewhere.port .. "/",
        "http://169.254.169.254/latest/" } do
        local server = scripted.start { scripted.answer(status, "",
          { Location = location }) }
        local client = connect(server, { max_retries = 3 })
        for _, method in ipairs { "GET", "POST" } do
          local body, err = client:request(method, "/v1/x")
          assert.is_nil(body)
          assert.equal("redirect", err.kind)
          assert.equal(status, err.status)
          assert.is_nil(err.maybe_applied)
        end
        assert.equal(2, #server:requests())
        client:close()
      end
      assert.equal(0, elsewhere:connections())
    end)
  end

  it("repeats a GET after 503, but no POST", function()
    local busy = scripted.answer(503, "<html>busy</html>",
      { ["Retry-After"] = "0" })
    local server = scripted.start { busy, busy, EMPTY, busy, EMPTY }
    local client = connect(server, { max_retries = 3 })
    local _, response = client:request("GET", "/v1/x")
    assert.equal(3, response.attempts)
    local _, err = client:request("POST", "/v1/x")
    assert.same({ "http", 503, 1, "busy" },
      { err.kind, err.status, err.attempts, err.message })
    assert.equal(4, #server:requests())
  end)

  it("repeats anything after 429", function()
    local server = scripted.start { scripted.answer(429, "{}",
      { ["Retry-After"] = "0" }), EMPTY }
    local client = connect(server, { max_retries = 1 })
    local _, response = client:request("POST", "/v1/x", { form = { A = 1 } })
    assert.equal(2, response.attempts)
    local requests = server:requests()
    assert.equal(requests[1].body, requests[2].body)
  end)

  it("says that a POST may have been applied", function()
    local server = scripted.start { { bytes = "", after = "hang" } }
    local client = connect(server, { timeout = 1.5, max_retries = 3 })
    local body, err = client:request("POST", "/v1/x", { form = { A = 1 } })
    assert.is_nil(body)
    assert.equal("timeout", err.kind)
    assert.is_true(err.maybe_applied)
    assert.equal(1, err.attempts)
    assert.equal(1, #server:requests())
  end)

  it("does not say so where the request never left", function()
    local port = process.port()
    local client = connect({ url = "http://127.0.0.1:" .. port },
      { max_retries = 1 })
    local _, err = client:request("POST", "/v1/x")
    assert.equal("connect", err.kind)
    assert.is_nil(err.maybe_applied)
    assert.equal(2, err.attempts)
  end)

  it("meets plain HTTP where TLS should be", function()
    local server = scripted.start { { bytes = "HTTP/1.1 400 Bad\r\n\r\n",
      eager = true, after = "close" } }
    local client = connect { url = server.url:gsub("http:", "https:") }
    local _, err = client:request("GET", "/v1/x")
    assert.equal("tls", err.kind)
  end)

  it("meets a host that does not exist", function()
    local client = connect { url = "https://no-such-host.invalid" }
    local _, err = client:request("POST", "/v1/x")
    assert.equal("dns", err.kind)
    assert.is_nil(err.maybe_applied)
  end)
end)

describe("a client's connections", function()
  it("are kept between calls and never shared between clients", function()
    local server = scripted.start { EMPTY }
    local one = connect(server)
    one:request("GET", "/v1/x")
    one:request("GET", "/v1/x")
    assert.equal(1, server:connections())
    one:close()
    local two = connect(server)
    two:request("GET", "/v1/x")
    assert.equal(2, server:connections())
  end)
end)

describe("a closed client", function()
  it("sends nothing more", function()
    local server = scripted.start { EMPTY }
    local client = connect(server)
    client:request("GET", "/v1/x")
    client:close()
    client:close()
    local _, err = client:request("GET", "/v1/x")
    assert.equal("closed", err.kind)
    local webhook = client.webhooks:ref(api.ttid)
    _, err = webhook:delete()
    assert.equal("closed", err.kind)
    assert.equal(1, #server:requests())
    assert.matches("%*%*%*%*", tostring(client))
  end)

  it("ends what runs", function()
    local server = scripted.start { { bytes = "", after = "hang" } }
    local client = connect(server)
    local err
    flexhooks.run(function()
      local task = flexhooks.spawn(function()
        err = select(2, client:request("POST", "/v1/x"))
      end)
      process.eventually(function()
        flexhooks.sleep(0.01)
        return #server:requests() == 1
      end)
      client:close()
      task:wait()
    end)
    assert.equal("closed", err.kind)
    assert.is_true(err.maybe_applied)
  end)

  if _VERSION == "Lua 5.4" then
    it("is closed by <close>", function()
      local client = connect(scripted.start { EMPTY })
      assert(load [[
        local client <close> = ...
      ]])(client)
      local _, err = client:request("GET", "/v1/x")
      assert.equal("closed", err.kind)
    end)
  end
end)

describe("a client's secrets", function()
  -- Everything that can be reached from a value, as one text.
  local function dump(value, seen, out)
    seen, out = seen or {}, out or {}
    out[#out + 1] = tostring(value)
    if type(value) == "table" and not seen[value] then
      seen[value] = true
      for name, element in pairs(value) do
        dump(name, seen, out)
        dump(element, seen, out)
      end
      dump(debug.getmetatable(value), seen, out)
    elseif type(value) == "function" and not seen[value] then
      seen[value] = true
      for i = 1, 100 do
        local name, upvalue = debug.getupvalue(value, i)
        if not name then
          break
        elseif name ~= "_ENV" and upvalue ~= package.loaded and upvalue ~= _G
          then
          dump(upvalue, seen, out)
        end
      end
    end
    return table.concat(out, "\n")
  end

  it("are in nothing that can be printed", function()
    local client = api.client({}, { auth_token = "hunter2-hunter2-hunter2" })
    local text = dump(client)
    assert.matches("auth_token ****", text, 1, true)
    assert.not_matches("hunter2", text, 1, true)
    client:close()
  end)

  it("are in no error, even where the server echoes them", function()
    local echo = scripted.answer(400, { message = "no " .. TOKEN,
      details = { header = TOKEN } })
    local server = scripted.start { echo }
    local client = connect(server)
    local _, err = client:request("GET", "/v1/x")
    assert.equal("no ****", err.message)
    assert.not_matches(TOKEN, dump(err), 1, true)
    local _, trace = xpcall(function()
      client.webhooks:get(5)
    end, debug.traceback)
    assert.not_matches(TOKEN, tostring(trace), 1, true)
  end)

  it("are in no log line", function()
    local lines = {}
    local server = scripted.start { scripted.answer(401, { message = TOKEN }) }
    local client = connect(server, { logger = function(level, message, fields)
      lines[#lines + 1] = level .. message .. dump(fields)
    end })
    client:request("POST", "/v1/x?Token=" .. TOKEN, { form = { A = TOKEN } })
    assert.equal(1, #lines)
    assert.not_matches(TOKEN, lines[1], 1, true)
    assert.matches("/v1/x", lines[1], 1, true)
  end)

  it("warn where they travel in the clear", function()
    local lines = {}
    local function logger(level, message)
      lines[#lines + 1] = level .. " " .. message
    end
    for _, url in ipairs { "http://127.0.0.1:1", "http://localhost:1",
      "http://[::1]:1", "https://gate.example" } do
      connect({ url = url }, { logger = logger })
    end
    assert.same({}, lines)
    for i, url in ipairs { "http://gate.example", "http://localhost.example",
      "http://127.0.0.1.example:1" } do
      connect({ url = url }, { logger = logger })
      assert.equal(i, #lines)
      assert.matches("^warn base_url is plain http", lines[i])
    end
    local oauth = { client_id = "OQ1", client_secret = "hidden",
      logger = logger, token_url = "http://gate.example/token" }
    connect({ url = "https://gate.example" }, oauth)
    assert.equal(4, #lines)
    assert.matches("^warn token_url is plain http", lines[4])
    oauth.token_url = "http://127.0.0.1/token"
    connect({ url = "https://gate.example" }, oauth)
    assert.equal(4, #lines)
  end)
end)

-- Runs a client to its end, then tells and waits. The token is put together
-- from halves, so that the program's own text does not hold it.
local SPENT = [[
local flexhooks = require "flexhooks"
local half, sid, url = %q, %q, %q
local token = half .. half
local client = flexhooks.client { account_sid = sid, auth_token = token,
  base_url = url, max_retries = 0 }
assert(client:request("GET", "/v1/x"))
assert(not client:request("GET", "/v1/x"))
client:close()
client = nil
collectgarbage()
collectgarbage()
print "ready"
io.stdout:flush()
flexhooks.sleep(30)
print(#token)
]]

-- What is larger than this is no memory: a sanitizer's map of all of it.
local LARGEST = 2 ^ 34

-- How often a text stands in the memory that a process may write.
local function count_in_memory(pid, text)
  local memory = assert(io.open("/proc/" .. pid .. "/mem", "rb"))
  local count = 0
  for line in io.lines("/proc/" .. pid .. "/maps") do
    local from, to = line:match "^(%x+)%-(%x+) .w"
    from, to = tonumber(from or "", 16), tonumber(to or "", 16)
    if from and to - from < LARGEST and memory:seek("set", from) then
      local bytes = memory:read(to - from) or ""
      local at = bytes:find(text, 1, true)
      while at do
        count = count + 1
        at = bytes:find(text, at + 1, true)
      end
    end
  end
  memory:close()
  return count
end

describe("a closed client's memory", function()
  it("holds the token in the caller's string alone", function()
    local half = "f00dfeedf00dfeed"
    local server = scripted.start { EMPTY, scripted.answer(400,
      { message = "no" }) }
    local child = process.spawn { process.lua, "-e",
      SPENT:format(half, sids.account, server.url) }
    child:wait_output "ready"
    assert.equal(1, count_in_memory(child.pid, half .. half))
    assert.equal(2, #server:requests())
  end)
end)

describe("a client with OAuth", function()
  local function token(name, life)
    return scripted.answer(200, { access_token = name, expires_in = life,
      token_type = "Bearer" })
  end

  local OAUTH = { client_id = "OQ1", client_secret = "hunter2-hunter2" }

  it("gets a token first, and keeps it", function()
    local server = scripted.start { token("tok-1", 3600), EMPTY, EMPTY }
    local client = connect(server, OAUTH)
    assert(client:request("GET", "/v1/x"))
    assert(client:request("GET", "/v1/x"))
    local requests = server:requests()
    assert.same({ "POST", "/v2/token" }, { requests[1].method,
      requests[1].target })
    assert.is_nil(requests[1].headers.authorization)
    assert.same({ grant_type = "client_credentials", client_id = "OQ1",
      client_secret = "hunter2-hunter2" }, api.form(requests[1].body))
    assert.equal("Bearer tok-1", requests[2].headers.authorization)
    assert.equal("Bearer tok-1", requests[3].headers.authorization)
    assert.equal(3, #requests)
  end)

  it("renews a token that is refused, once", function()
    local refused = scripted.answer(401, { message = "expired" })
    local server = scripted.start { token("tok-1", 3600), refused,
      token("tok-2", 3600), EMPTY, refused, token("tok-3", 3600), refused }
    local client = connect(server, OAUTH)
    assert(client:request("POST", "/v1/x"))
    assert.equal("Bearer tok-2", server:requests()[4].headers.authorization)
    local _, err = client:request("POST", "/v1/x")
    assert.equal("auth", err.kind)
    assert.equal(2, err.attempts)
    assert.equal(7, #server:requests())
  end)

  it("says who refused it, without the secret", function()
    local bad = { error = "invalid_client",
      error_description = "bad secret hunter2-hunter2" }
    local server = scripted.start { scripted.answer(400, bad),
      scripted.answer(401, bad) }
    local client = connect(server, OAUTH)
    for i, status in ipairs { 400, 401 } do
      local _, err = client:request("GET", "/v1/x")
      assert.same({ "auth", status, "bad secret ****",
        server.url .. "/v2/token", "POST" },
        { err.kind, err.status, err.message, err.url, err.method })
      assert.equal(i, #server:requests())
    end
    assert.matches("client_secret ****", tostring(client), 1, true)
  end)

  it("repeats a token request whose answer was lost", function()
    local server = scripted.start { { bytes = "", after = "close" },
      token("tok-1", 3600), EMPTY }
    local client = connect(server, { client_id = "OQ1",
      client_secret = "hunter2-hunter2", max_retries = 1 })
    assert(client:request("GET", "/v1/x"))
    assert.equal(3, #server:requests())
  end)
end)

describe("a client of the simulator", function()
  local function login(options)
    local given = { auth_token = simulator.auth_token }
    for name, value in pairs(options or {}) do
      given[name] = value
    end
    return connect(simulator.start(), given)
  end

  it("asks for the instance once, whoever needs it", function()
    local paths = {}
    local client = login({ logger = function(_, _, fields)
      paths[fields.path] = (paths[fields.path] or 0) + 1
    end })
    local list = {}
    for i = 1, 15 do
      list[i] = i
    end
    flexhooks.run(function()
      local made, failures = flexhooks.map(list, 15, function(i)
        return client.webhooks:create { webhook_events = { "*" },
          webhook_url = "https://company.example/" .. i }
      end)
      assert.is_nil(failures)
      assert.equal(15, #made)
    end)
    assert.equal(1, paths["/v1/Configuration"])
    local instance = assert(client:instance())
    assert.matches("^GO%x+$", instance)
    assert.equal(15, paths["/v1/Instances/" .. instance
      .. "/InteractionWebhooks"])
    assert.equal(15, #assert(client.webhooks:list { page_size = 4 }))
  end)

  it("gets one token for many tasks", function()
    local paths = {}
    local client = login({ client_id = simulator.client_id,
      client_secret = simulator.client_secret, logger = function(_, _, fields)
        paths[fields.path] = (paths[fields.path] or 0) + 1
      end })
    flexhooks.run(function()
      local _, failures = flexhooks.map({ 1, 2, 3, 4, 5, 6, 7, 8 }, 8,
        function()
          return client:request("GET", "/v1/Configuration")
        end)
      assert.is_nil(failures)
    end)
    assert.same({ ["/v2/token"] = 1, ["/v1/Configuration"] = 8 }, paths)
  end)

  it("is refused with a wrong token", function()
    local server = simulator.start()
    local client = connect(server, { auth_token = "wrong-wrong-wrong" })
    local _, err = client.webhooks:list()
    assert.same({ "auth", 401, "GET" }, { err.kind, err.status, err.method })
    assert.is_number(err.code)
    assert.is_string(err.request_id)
  end)

  it("plays a whole life", function()
    local client = login()
    local webhook = assert(client.webhooks:create { type = "interaction",
      webhook_url = "http://127.0.0.1:9/", webhook_events = { "*" } })
    local interaction = assert(client.interactions:create {
      channel = { type = "sms" }, webhook = webhook })
    local channel = assert(interaction.channels:list())[1]
    assert(channel.invites:create { routing = { properties = {} } })
    assert(channel.participants:create { type = "supervisor",
      media_properties = { identity = "x" } })
    assert.is_true(#assert(channel.participants:list()) > 0)
    assert(webhook:update { friendly_name = "later" })
    assert.equal("later", assert(client.webhooks:get(webhook.ttid))
      .friendly_name)
    assert.is_true(webhook:delete())
    assert.equal("not_found", select(2, webhook:refresh()).kind)
  end)
end)

describe("a client in a hostile environment", function()
  it("takes nothing from it that it was not told to", function()
    local trap = scripted.start { EMPTY }
    local server = scripted.start { EMPTY }
    local home = process.folder()
    process.write(home .. "/.netrc",
      "machine 127.0.0.1 login evil password x\n")
    process.write(home .. "/.curlrc", "proxy = " .. trap.url .. "\n")
    local status, out, errors = process.run({ process.lua, "-e", [[
      local client = require("flexhooks").client { account_sid = "]]
      .. sids.account .. [[", auth_token = "]] .. TOKEN .. [[", base_url = "]]
      .. server.url .. [[", max_retries = 0 }
      local body, err = client:request("GET", "/v1/x")
      print(body and "ok" or tostring(err))
    ]] }, { env = { http_proxy = trap.url, HTTP_PROXY = trap.url,
      https_proxy = trap.url, ALL_PROXY = trap.url, all_proxy = trap.url,
      HOME = home, CURL_HOME = home, CURL_CA_BUNDLE = "/nowhere",
      SSLKEYLOGFILE = home .. "/keys" } })
    assert.equal("ok\n", out, errors)
    assert.equal(0, status)
    assert.equal(0, trap:connections())
    assert.matches("^Basic ", server:requests()[1].headers.authorization)
  end)
end)
