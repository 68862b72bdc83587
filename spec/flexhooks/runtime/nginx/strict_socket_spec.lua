local strict_socket = require "flexhooks.runtime.nginx.strict_socket"

-- A cosocket that receives these pieces and then says `ending`.
local function socket_of(pieces, ending)
  local socket = { sent = {}, closed = 0, kept = 0 }
  function socket.receiveany()
    local piece = table.remove(pieces, 1)
    if piece then
      return piece
    end
    return nil, ending or "closed"
  end
  function socket:send(data)
    table.insert(self.sent, data)
    return #data
  end
  function socket:close()
    self.closed = self.closed + 1
    return 1
  end
  function socket:setkeepalive()
    self.kept = self.kept + 1
    return 1
  end
  return socket
end

local function asked(pieces, ending)
  local socket = socket_of(pieces, ending)
  local guard = strict_socket.new(socket)
  guard:begin()
  assert(guard:send "GET / HTTP/1.1\r\n\r\n")
  return guard, socket
end

local function read_head(guard)
  local lines = {}
  repeat
    local line = guard:receive "*l"
    lines[#lines + 1] = line
  until not line or line == ""
  return lines, guard.failure and guard.failure.kind
end

local OK = "HTTP/1.1 200 OK\r\n"

describe("runtime.nginx.strict_socket", function()
  it("hands out the lines that tell where the body ends, whatever comes how",
    function()
      local bytes = "HTTP/1.1 103 Early\r\nContent-Length: 9\r\n\r\n" .. OK
        .. "X-A: b\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
      for size = 1, #bytes do
        local pieces = {}
        for i = 1, #bytes, size do
          pieces[#pieces + 1] = bytes:sub(i, i + size - 1)
        end
        local guard = asked(pieces)
        assert.same({ "HTTP/1.1 200 -", "connection: close",
          "content-length: 5", "" }, read_head(guard))
        assert.equal("b", guard.head.headers["x-a"])
        assert.equal("hel", guard:receive(3))
        assert.equal("lo", guard:receive(2))
      end
    end)

  it("reads chunks with extensions, zeros and trailers", function()
    local guard = asked { OK .. "Transfer-Encoding: chunked\r\n\r\n"
      .. "0005;a=b\r\nhello\r\n2\r\n\r\n\r\n0\r\nX-Trailer: 1\r\n\r\n" }
    read_head(guard)
    assert.equal("5", guard:receive "*l")
    assert.equal("hel", guard:receive(3))
    assert.equal("lo", guard:receive(2))
    assert.equal("\r\n", guard:receive(2))
    assert.equal("2", guard:receive "*l")
    assert.equal("\r\n", guard:receive(2)) -- of the content
    assert.equal("\r\n", guard:receive(2))
    assert.equal("0", guard:receive "*l")
    assert.equal("\r\n", guard:receive(2))
    assert.is_nil(guard.failure)
    assert.equal(1, guard:setkeepalive())
  end)

  it("refuses chunks that are none", function()
    for _, size in ipairs { "", "x", "-2", "+2", "0x2", " 2", "2 2",
      "fffffffffffffffff", "2\0", "2;\0" } do
      local guard = asked { OK .. "Transfer-Encoding: chunked\r\n\r\n" .. size
        .. "\r\nok\r\n0\r\n\r\n" }
      read_head(guard)
      assert.is_nil((guard:receive "*l"))
      assert.equal("protocol", guard.failure.kind)
    end
    local guard = asked { OK .. "Transfer-Encoding: chunked\r\n\r\n"
      .. "2\r\nokay\r\n" }
    read_head(guard)
    assert.equal("2", guard:receive "*l")
    assert.equal("ok", guard:receive(2))
    assert.is_nil((guard:receive(2)))
    assert.equal("protocol", guard.failure.kind)
    assert.is_nil((guard:receive "*l"))
  end)

  it("has caps for lines without end, and for trailers", function()
    local _, kind = read_head(asked { OK .. ("a"):rep(70000) })
    assert.equal("too_large", kind)
    for _, bytes in ipairs { ("1"):rep(5000),
      "0\r\n" .. ("X-A: b\r\n"):rep(1000) } do
      local guard = asked { OK .. "Transfer-Encoding: chunked\r\n\r\n"
        .. bytes }
      read_head(guard)
      if guard:receive "*l" then
        guard:receive(2)
      end
      assert.equal("too_large", guard.failure.kind)
    end
  end)

  it("tells an answer that ended early from one that never began", function()
    for bytes, kind in pairs { [""] = "reset", ["HTTP/1.1 200"] = "protocol",
      [OK] = "protocol" } do
      local _, got = read_head(asked { bytes ~= "" and bytes or nil })
      assert.equal(kind, got)
    end
    for ending, kind in pairs { ["connection reset by peer"] = "reset",
      timeout = "timeout" } do
      local _, got = read_head(asked({ OK }, ending))
      assert.equal(kind, got)
    end
    local guard = asked { OK .. "Content-Length: 5\r\n\r\nhel" }
    read_head(guard)
    assert.is_nil((guard:receive(5)))
    assert.equal("protocol", guard.failure.kind)
  end)

  it("lets a body without a length end with its connection", function()
    local guard = asked { "HTTP/1.0 200 OK\r\n\r\nhello" }
    read_head(guard)
    assert.equal("hel", guard:receive(3))
    assert.same({ nil, "closed", "lo" }, { guard:receive(3) })
    assert.is_nil(guard.failure)
  end)

  it("does not keep a connection with more on it", function()
    local guard, socket = asked { OK .. "Content-Length: 0\r\n\r\nmore" }
    read_head(guard)
    assert.is_nil((guard:setkeepalive()))
    assert.equal(0, socket.kept)
    assert.equal(1, socket.closed)
  end)

  it("knows what was sent of the request, not of what led to it", function()
    local socket = socket_of {}
    local guard = strict_socket.new(socket)
    guard:send "CONNECT h:443 HTTP/1.1\r\n\r\n"
    assert.is_false(guard.sent)
    guard:begin()
    assert.is_false(guard.sent)
    function socket.send()
      return nil, "broken pipe"
    end
    assert.is_nil((guard:send "GET / HTTP/1.1\r\n\r\n"))
    assert.is_true(guard.sent)
    assert.equal("reset", guard.failure.kind)
  end)

  it("takes no handshake for one where bytes came first, or that raised",
    function()
      local socket = socket_of { OK .. "\r\nmore" }
      local guard = strict_socket.new(socket)
      guard:send "CONNECT h:443 HTTP/1.1\r\n\r\n"
      read_head(guard)
      assert.is_nil((guard:sslhandshake(nil, "h", true)))
      assert.equal("connect", guard.failure.kind)
      guard = strict_socket.new {
        sslhandshake = function()
          error "assertion failed!"
        end,
      }
      assert.is_nil((guard:sslhandshake(nil, "h", true)))
      assert.equal("tls", guard.failure.kind)
    end)
end)
