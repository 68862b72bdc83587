local socket_errors = require "flexhooks.runtime.nginx.socket_errors"

describe("runtime.nginx.socket_errors", function()
  for said, kind in pairs {
    ["connection refused"] = "connect", ["timeout"] = "timeout",
    ["h.example could not be resolved (3: Host not found)"] = "dns",
    ["h.example could not be resolved (2: Server failure)"] = "dns",
    ["h.example could not be resolved (110: Operation timed out)"] = "timeout",
    ["no resolver defined to resolve \"h.example\""] = "config",
    ["network is unreachable"] = "connect",
  } do
    it("of connecting: " .. said, function()
      local told, message = socket_errors.connecting(said)
      assert.equal(kind, told)
      assert.equal(said, message:sub(1, #said))
    end)
  end

  it("name what to configure", function()
    assert.matches("resolver 127.0.0.53;",
      select(2, socket_errors.connecting
        "no resolver defined to resolve \"h\""))
    for _, said in ipairs { "20: unable to get local issuer certificate",
      "18: self signed certificate", "18: self-signed certificate",
      "22: certificate chain too long" } do
      local kind, message = socket_errors.handshake(said)
      assert.equal("tls", kind)
      assert.matches("lua_ssl_trusted_certificate", message, 1, true)
    end
    assert.matches("clock",
      select(2, socket_errors.handshake "10: certificate has expired"))
  end)

  it("of a handshake: all but time is TLS", function()
    assert.equal("timeout", (socket_errors.handshake "timeout"))
    for _, said in ipairs { "handshake failed", "closed",
      "connection reset by peer", "certificate host mismatch" } do
      assert.equal("tls", (socket_errors.handshake(said)))
    end
    assert.equal("tls", (socket_errors.handshake(nil)))
  end)

  it("of sending and reading", function()
    for _, f in ipairs { socket_errors.sending, socket_errors.receiving } do
      assert.equal("timeout", (f "timeout"))
      assert.equal("reset", (f "connection reset by peer"))
      assert.equal("reset", (f "broken pipe"))
      assert.equal("reset", (f(nil)))
    end
  end)
end)
