local findings = require "spec.support.findings"
local flexhooks = require "flexhooks"
local process = require "spec.support.process"
local receiver = require "flexhooks.cli.doctor.receiver"
local scripted = require "spec.support.scripted"
local tls = require "spec.support.tls"

local function found(url, token, methods)
  local report = findings.new()
  local signers = type(token) == "table" and token
    or { token and { auth_token = token } }
  flexhooks.run(receiver.check, report, url, signers, methods)
  return report:text():gsub("127.0.0.1:%d+", "HERE"):gsub("%d+ ms", "N ms")
end

-- What is found of a server that gives these answers, one after the other.
local function answered(...)
  local answers = {}
  for i, status in ipairs { ... } do
    answers[i] = ("HTTP/1.1 %s X\r\nLocation: https://h.example/\r\n"
      .. "Content-Length: 0\r\n\r\n"):format(status)
  end
  local server = scripted.start(answers)
  local text = found(server.url .. "/x", "t0ken")
  local requests = server:requests()
  server.child:stop()
  return text, requests
end

local HERE = "warn public URL: http://HERE/x is this machine: Twilio cannot "
  .. "reach it\n"
local REACHED = HERE .. "pass reachable: answers in N ms and refuses what is "
  .. "not signed\n"

describe("cli.doctor.receiver", function()
  it("sends one request without a signature, then one with", function()
    local text, requests = answered(403, 200)
    assert.equal(REACHED .. "pass signed event: arrives and is believed", text)
    assert.equal(2, #requests)
    assert.is_nil(requests[1].headers["x-twilio-signature"])
    assert.equal(28, #requests[2].headers["x-twilio-signature"])
    for _, request in ipairs(requests) do
      assert.matches("EventType=flexhooks.probe", request.body, 1, true)
    end
  end)

  it("sends user name and password in a header", function()
    local empty = "HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n"
    local server = scripted.start { empty:format(403), empty:format(200) }
    local at = server.url:gsub("//", "//flex:pw@")
    assert.matches("pass signed event: arrives", (found(at .. "/x", "t0ken")))
    for _, request in ipairs(server:requests()) do
      assert.equal("Basic ZmxleDpwdw==", request.headers.authorization)
    end
    server.child:stop()
  end)

  it("asks by GET where the receiver takes no POST", function()
    local empty = "HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n"
    local server = scripted.start { empty:format(403), empty:format(200) }
    assert.matches("\npass signed event: ", (found(server.url .. "/x?a=1",
      "t0ken", { "GET" })))
    for _, request in ipairs(server:requests()) do
      assert.equal("GET", request.method)
      assert.matches("^/x%?a=1&.*EventType=flexhooks.probe", request.target)
    end
    server.child:stop()
  end)

  it("says what each answer means", function()
    for status, wanted in pairs {
      [403] = "fail signed event: is refused",
      [400] = "warn signed event: is believed, but the receiver is of ano",
      [503] = "fail signed event: is answered 503",
    } do
      local text = answered(403, status)
      assert.equal(REACHED .. wanted, text:sub(1, #REACHED + #wanted))
    end
    for _, status in ipairs { 404, 502, 302, 418 } do
      assert.equal(HERE .. "fail reachable: answers " .. status
        .. "\nskip signed event: the receiver was not reached",
        (answered(status)))
    end
    assert.matches("fail reachable: answers 200 to a request without a sig",
      (answered(200)))
  end)

  it("tries every key that is configured", function()
    local empty = "HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n"
    local server = scripted.start { empty:format(403), empty:format(200),
      empty:format(403) }
    local text = found(server.url .. "/x", { { auth_token = "t" },
      { shared_key_id = "webhooks_sharedkey_a", shared_key = "x" } })
    assert.equal(REACHED .. "pass signed event: arrives and is believed\n"
      .. "fail signed event: is refused (webhooks_sharedkey_a)", text)
    assert.equal("key=webhooks_sharedkey_a,algorithm=HMAC_SHA256",
      server:requests()[3].headers["x-twilio-webhooks-signature-settings"])
    server.child:stop()
  end)

  it("needs a token to sign with", function()
    local server = scripted.start {
      "HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n" }
    assert.matches("\nskip signed event: no auth token or shared key",
      (found(server.url .. "/x")))
    server.child:stop()
  end)

  it("judges the URL", function()
    assert.equal("fail public URL: the URL's scheme must be https or http",
      (found "ftp://h.example/"))
    assert.matches("^warn public URL: .* is plain HTTP",
      (found "http://127.1.invalid:1/"))
    assert.matches("^pass public URL: https://HERE/\nfail reachable: ",
      (found("https://127.0.0.1:" .. process.port() .. "/")))
  end)

  it("needs a certificate that holds", function()
    local server = tls.start()
    assert.matches("^pass public URL: .*\nfail reachable: .*certificate",
      (found("https://localhost:" .. server.port.own .. "/", "t")))
  end)
end)
