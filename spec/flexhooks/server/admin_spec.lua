local servers = require "spec.support.server"
local wire = require "spec.support.wire"

describe("the administrative address", function()
  local server

  lazy_setup(function()
    server = servers.start()
  end)

  it("tells whether the server is well", function()
    local status, body, headers = server:admin "/healthz"
    assert.same({ 200, "ok\n" }, { status, body })
    assert.equal("text/plain; charset=utf-8", headers["content-type"])
    assert.equal(200, (server:admin "/healthz?probe=1"))
  end)

  it("exposes the metrics", function()
    wire.send(server.port, (server:post()), { wait = 20, expect = 1 })
    wire.send(server.port, (server:post(nil,
      { ["X-Twilio-Signature"] = "wrong" })), { wait = 20, expect = 1 })
    local status, _, headers = server:admin "/metrics"
    assert.equal(200, status)
    assert.equal("text/plain; version=0.0.4; charset=utf-8",
      headers["content-type"])
    assert.equal(1, server:metric "flexhooks_events_handled_total")
    assert.equal(0, server:metric "flexhooks_events_in_flight")
    local _, text = server:admin "/metrics"
    assert.matches('\nflexhooks_events_rejected_total{reason="[%l_]+"} 1\n',
      text)
  end)

  it("counts what the listener refused, once", function()
    for _ = 1, 2 do
      wire.send(server.port, "GET / HTTP/1.1\r\n\r\n", { wait = 20 })
    end
    for _ = 1, 2 do
      assert.equal(2,
        server:metric 'flexhooks_requests_refused_total{status="400"}')
    end
  end)

  it("answers HEAD without a body", function()
    local result = wire.send(server.admin_port, wire.request("HEAD",
      "/metrics", { Connection = "close" }), { wait = 20 })
    assert.matches("^HTTP/1.1 200 ", result.rest)
    assert.is_nil(result.rest:find("flexhooks", 1, true))
  end)

  it("knows nothing else", function()
    assert.equal(404, (server:admin "/"))
    assert.equal(404, (server:admin(servers.PATH)))
    local status, _, headers = server:admin("/metrics", "POST")
    assert.equal(405, status)
    assert.equal("GET, HEAD", headers.allow)
  end)

  it("is not found on the public address", function()
    local result = wire.send(server.port, wire.request("GET", "/metrics"),
      { wait = 20, expect = 1 })
    assert.equal(404, result.answers[1].status)
  end)
end)
