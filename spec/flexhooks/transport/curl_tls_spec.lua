-- The transport over TLS, against an authority of the spec's own.
local curl = require "flexhooks.runtime.curl"
local loop = require "flexhooks.runtime.loop"
local process = require "spec.support.process"

local tls, transport

setup(function()
  tls = require("spec.support.tls").start()
  transport = curl.new { ca_file = tls.ca }
end)

teardown(function()
  transport:close()
end)

local function get(name, host, path)
  return transport:send { method = "GET", timeout = 10,
    url = ("https://%s:%d/%s"):format(host or "127.0.0.1", tls.port[name],
      path or "") }
end

describe("TLS", function()
  it("is spoken with a server whose certificate fits", function()
    assert.equal(200, assert(get "plain").status)
    assert.equal(200, assert(get("plain", "localhost")).status)
  end)

  it("resumes the session of an earlier connection", function()
    assert.equal(".", assert(get("plain", "localhost", "session")).body)
    assert.equal("r", assert(get("plain", "localhost", "session")).body)
    assert.equal(".", assert(get("good", "localhost", "session")).body)
  end)

  it("keeps a connection that its peer has not ended", function()
    local first = assert(get "plain").body
    for _ = 1, 5 do
      assert.equal(first, assert(transport:send { method = "POST", body = "x",
        url = "https://127.0.0.1:" .. tls.port.plain }).body)
    end
  end)

  for name, what in pairs { other = "is another host's",
    expired = "has expired", own = "the server signed itself" } do
    it("is not spoken where the certificate " .. what, function()
      local response, err = get(name)
      assert.is_nil(response)
      assert.equal("tls", err.kind)
      assert.is_false(err.sent)
      assert.equal(name == "expired", err.message:find "clock" ~= nil)
    end)
  end

  it("is not spoken where only the common name fits", function()
    local response, err = get("named", "localhost")
    assert.is_nil(response)
    assert.equal("tls", err.kind)
    assert.is_false(err.sent)
    assert.matches("needs a subjectAltName", err.message, 1, true)
  end)

  it("is not spoken in version 1.1", function()
    local _, err = get "old"
    assert.equal("tls", err.kind)
    assert.is_false(err.sent)
  end)

  it("trusts the system's authorities alone by default", function()
    local other = curl.new()
    local _, err = other:send { url = "https://127.0.0.1:" .. tls.port.plain }
    other:close()
    assert.equal("tls", err.kind)
  end)

  it("trusts nobody else where a file is given", function()
    local other = curl.new { ca_file = tls.dir .. "/own.pem" }
    local _, err = other:send { url = "https://127.0.0.1:" .. tls.port.plain }
    assert.equal("tls", err.kind)
    assert.equal(200, other:send { url = "https://127.0.0.1:" .. tls.port.own }
      .status)
    other:close()
  end)
end)

describe("HTTP/2", function()
  it("is spoken where it is offered", function()
    assert.matches("^HTTP/2", assert(get "good").body)
    assert.matches("^HTTP/1.1", assert(get "plain").body)
  end)

  it("carries a burst of calls over one connection", function()
    local other = curl.new { ca_file = tls.ca }
    local seen = {}
    loop.run(function()
      for _ = 1, 20 do
        loop.spawn(function()
          local answer = assert(other:send {
            url = "https://127.0.0.1:" .. tls.port.good })
          seen[answer.body] = (seen[answer.body] or 0) + 1
        end)
      end
    end)
    other:close()
    local body, count = next(seen)
    assert.matches("^HTTP/2", body)
    assert.equal(20, count)
  end)

  it("keeps to the cap", function()
    local _, err = transport:send { max_response = 3,
      url = "https://127.0.0.1:" .. tls.port.good }
    assert.equal("too_large", err.kind)
    assert.equal(200, assert(get "good").status)
  end)
end)

describe("a kept connection that its peer has ended", function()
  -- After a second without requests; with its only response.
  local SERVERS = {
    { "http", "clear", "" }, { "https", "brief", "" },
    { "https", "brief2", "" }, { "https", "good", "session" },
    { "https", "plain", "session" },
  }

  local function half_closed()
    local count = 0
    for _, row in ipairs(SERVERS) do
      count = count + tls.half_closed(tls.port[row[2]])
    end
    return count
  end

  -- Eight transports for each server, with a connection that idles.
  local function connected()
    local list = {}
    for _, row in ipairs(SERVERS) do
      local url = ("%s://127.0.0.1:%d/"):format(row[1], tls.port[row[2]])
      for _ = 1, 8 do
        local made = curl.new { ca_file = tls.ca }
        assert(made:send { url = url .. row[3] })
        list[#list + 1] = { transport = made, url = url, name = row[2] }
      end
    end
    return list
  end

  for _, method in ipairs { "POST", "GET" } do
    it("is not used for a " .. method, function()
      local list = connected()
      -- Those that ended with their response may be closed already.
      process.eventually(function()
        return half_closed() >= 24
      end)
      for _, each in ipairs(list) do
        local answer, err = each.transport:send { url = each.url,
          method = method, timeout = 10 }
        assert.is_nil(err, each.name)
        assert.equal(200, answer.status)
        each.transport:close()
      end
    end)
  end
end)

local SCRIPT = [[
  local curl = require "flexhooks.runtime.curl"
  local transport = curl.new { ca_file = arg[2] }
  local answer, err = transport:send { url = arg[1] }
  print(answer and answer.status or err.kind)
  io.stderr:write(err and err.message or "")]]

describe("a clock", function()
  local function run(offset)
    local script = process.write(process.folder() .. "/a.lua", SCRIPT)
    local _, out, err = process.run { "faketime", "-f", offset, process.lua,
      script, "https://127.0.0.1:" .. tls.port.good, tls.ca }
    return out, err
  end

  for offset, what in pairs { ["+10y"] = "has expired",
    ["-10y"] = "is not yet valid" } do
    it("that is ten years wrong (" .. offset .. ") is suspected", function()
      local out, message = run(offset)
      assert.equal("tls\n", out)
      assert.matches(what, message, 1, true)
      assert.matches("is this machine's clock right?", message, 1, true)
    end)
  end

  it("that is an hour wrong does no harm", function()
    assert.equal("200\n", (run "+1h"))
  end)
end)

describe("the environment", function()
  local function run(env, ca)
    local dir = process.folder()
    local script = process.write(dir .. "/a.lua", SCRIPT)
    local _, out = process.run({ process.lua, script,
      "https://127.0.0.1:" .. tls.port.good, ca }, { env = env })
    return out
  end

  it("adds no authority", function()
    assert.equal("tls\n", run({ CURL_CA_BUNDLE = tls.ca,
      SSL_CERT_FILE = tls.ca, SSL_CERT_DIR = tls.dir }))
  end)

  it("does not learn the keys", function()
    local log = process.folder() .. "/keys"
    assert.equal("200\n", run({ SSLKEYLOGFILE = log }, tls.ca))
    assert.equal("", process.read(log))
  end)
end)
