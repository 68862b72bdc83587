local canned = require "flexhooks.testing.canned_transport"
local errors = require "flexhooks.error"

local function request(fields)
  local sent = { method = "GET", url = "https://flex-api.twilio.com/v1/x",
    headers = { ["X-One"] = "1" } }
  for name, value in pairs(fields or {}) do
    sent[name] = value
  end
  return sent
end

describe("testing.transport", function()
  it("answers in order and records what was sent", function()
    local transport = canned.new {
      { status = 201, body = "one", headers = { A = "b" } },
      { body = "two" },
    }
    assert.same({ status = 201, body = "one", headers = { A = "b" } },
      transport:send(request { method = "POST", body = "a=b", timeout = 3 }))
    assert.same({ status = 200, body = "two", headers = {} },
      transport:send(request()))
    assert.equal(2, #transport.requests)
    assert.equal("POST", transport.requests[1].method)
    assert.equal("a=b", transport.requests[1].body)
    assert.equal(3, transport.requests[1].timeout)
    assert.is_nil(transport.requests[2].body)
  end)

  it("finds recorded headers under any spelling", function()
    local transport = canned.new { {} }
    local sent = request()
    transport:send(sent)
    sent.headers["X-One"] = "changed afterwards"
    for _, name in ipairs { "X-One", "x-one", "X-ONE" } do
      assert.equal("1", transport.requests[1].headers[name])
    end
    assert.is_nil(transport.requests[1].headers["x-two"])
    assert.is_nil(transport.requests[1].headers[1])
  end)

  it("makes JSON of a table", function()
    local answer = canned.new({ { body = { a = 1 } } }):send(request())
    assert.equal('{"a":1}', answer.body)
    assert.equal("application/json", answer.headers["content-type"])
  end)

  it("asks a function, which may fail", function()
    local failure = errors.new("reset", "it failed")
    local transport = canned.new {
      function(sent)
        return { body = sent.url }
      end,
      function()
        return nil, failure
      end,
      failure,
    }
    assert.equal(request().url, transport:send(request()).body)
    for _ = 1, 2 do
      local answer, err = transport:send(request())
      assert.is_nil(answer)
      assert.equal(failure, err)
    end
  end)

  it("fails as a network would", function()
    local transport = canned.new { { kind = "timeout", sent = false },
      { kind = "dns", message = "no such host" } }
    local _, err = transport:send(request())
    assert.equal("timeout", err.kind)
    assert.is_false(err.sent)
    _, err = transport:send(request())
    assert.equal("dns: no such host", tostring(err))
  end)

  it("says when it has run out of answers", function()
    local _, err = canned.new({}):send(request())
    assert.equal("closed", err.kind)
    assert.matches("no answer number 1", err.message)
  end)

  for what, answers in pairs {
    ["answers must be a list, got string"] = "x",
    ["answer 2 must be a table or a function, got number"] = { {}, 5 },
  } do
    it("says: " .. what, function()
      local ok, err = pcall(function()
        canned.new(answers)
      end)
      assert.is_false(ok)
      assert.equal("argument", err.kind)
      assert.matches(what, err.message, 1, true)
      assert.matches("canned_transport_spec.lua", err.message, 1, true)
    end)
  end

  it("raises where it is called wrongly", function()
    local transport = canned.new { {} }
    for _, call in ipairs { function() transport.send {} end,
      function() transport:send() end, function() transport:send "x" end } do
      local ok, err = pcall(call)
      assert.is_false(ok)
      assert.matches("canned_transport_spec.lua:%d+: transport[.:]send",
        err.message)
    end
    assert.equal(0, #transport.requests)
  end)
end)
