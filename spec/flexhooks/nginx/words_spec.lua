local words = require "flexhooks.nginx.words"

describe("nginx.words", function()
  for said, kind in pairs {
    ["connection refused"] = "connect", ["timeout"] = "timeout",
    ["h.example could not be resolved (3: Host not found)"] = "dns",
    ["h.example could not be resolved (2: Server failure)"] = "dns",
    ["h.example could not be resolved (110: Operation timed out)"] = "timeout",
    ["no resolver defined to resolve \"h.example\""] = "config",
    ["network is unreachable"] = "connect",
  } do
    it("of connecting: " .. said, function()
      local told, message = words.connecting(said)
      assert.equal(kind, told)
      assert.equal(said, message:sub(1, #said))
    end)
  end

  it("name what to configure", function()
    assert.matches("resolver 127.0.0.53;",
      select(2, words.connecting "no resolver defined to resolve \"h\""))
    for _, said in ipairs { "20: unable to get local issuer certificate",
      "18: self signed certificate", "18: self-signed certificate",
      "22: certificate chain too long" } do
      local kind, message = words.handshake(said)
      assert.equal("tls", kind)
      assert.matches("lua_ssl_trusted_certificate", message, 1, true)
    end
    assert.matches("clock",
      select(2, words.handshake "10: certificate has expired"))
  end)

  it("of a handshake: all but time is TLS", function()
    assert.equal("timeout", (words.handshake "timeout"))
    for _, said in ipairs { "handshake failed", "closed",
      "connection reset by peer", "certificate host mismatch" } do
      assert.equal("tls", (words.handshake(said)))
    end
    assert.equal("tls", (words.handshake(nil)))
  end)

  it("of sending and reading", function()
    for _, f in ipairs { words.sending, words.receiving } do
      assert.equal("timeout", (f "timeout"))
      assert.equal("reset", (f "connection reset by peer"))
      assert.equal("reset", (f "broken pipe"))
      assert.equal("reset", (f(nil)))
    end
  end)
end)
