local unpack = unpack or table.unpack
local response_head = require "flexhooks.runtime.nginx.response_head"

-- What becomes of lines: the head, or the error's kind.
local function read(lines)
  local head = response_head.new()
  for i, line in ipairs(lines) do
    local whole, kind, message = head:add(line .. "\r")
    if whole == nil then
      assert.is_string(message)
      return kind
    elseif whole then
      assert.equal(#lines, i)
      return head
    end
  end
  return "unfinished"
end

local function answer(...)
  return read { "HTTP/1.1 200 OK", ... }
end

describe("runtime.nginx.response_head", function()
  it("reads a head", function()
    local head = answer("Content-Type: text/plain", "X-Two:a", "x-two:  b \t",
      "X-Empty:", "X-Fold: a", "\t  b ", "")
    assert.equal(200, head.status)
    assert.equal("1.1", head.version)
    assert.same({ ["content-type"] = "text/plain", ["x-two"] = "a, b",
      ["x-empty"] = "", ["x-fold"] = "a b" }, head.headers)
  end)

  it("takes status lines of HTTP/1 alone", function()
    for line, status in pairs { ["HTTP/1.0 404 Not Found"] = 404,
      ["HTTP/1.1 200"] = 200, ["HTTP/1.1 599 "] = 599 } do
      assert.equal(status, read({ line, "" }).status)
    end
    for _, line in ipairs { "", "HTTP/1.1", "HTTP/1.1 1000 OK",
      "HTTP/1.1 099 OK", "HTTP/1.1 20 OK", "HTTP/1.1 200OK", "HTTP/2 200 OK",
      "HTTP/1.2 200 OK", "http/1.1 200 OK", "ICY 200 OK", " HTTP/1.1 200 OK",
      "HTTP/1.1  200 OK", "\0HTTP/1.1 200 OK" } do
      assert.equal("protocol", read { line, "" })
    end
  end)

  it("knows one length, said once or alike", function()
    assert.equal("12", answer("Content-Length: 12", "").length)
    assert.equal("12",
      answer("Content-Length: 12", "content-length:12", "").length)
    for _, lines in ipairs { { "Content-Length: 1", "Content-Length: 2" },
      { "Content-Length: -1" }, { "Content-Length: 1, 1" },
      { "Content-Length: 0x1" }, { "Content-Length: +1" },
      { "Content-Length:" }, { "Content-Length: 1 2" } } do
      lines[#lines + 1] = ""
      assert.equal("protocol", answer(unpack(lines)))
    end
  end)

  it("knows one encoding, and not beside a length", function()
    assert.is_true(answer("Transfer-Encoding: Chunked", "").encoded)
    for _, lines in ipairs { { "Transfer-Encoding: gzip, chunked" },
      { "Transfer-Encoding: chunked", "Transfer-Encoding: chunked" },
      { "Transfer-Encoding: chunked", "Content-Length: 2" },
      { "Content-Length: 2", "Transfer-Encoding: chunked" },
      { "Transfer-Encoding: xchunked" } } do
      lines[#lines + 1] = ""
      assert.equal("protocol", answer(unpack(lines)))
    end
    assert.equal("protocol",
      read { "HTTP/1.0 200 OK", "Transfer-Encoding: chunked", "" })
  end)

  it("does not let a continuation change what was checked", function()
    for _, lines in ipairs { { "Content-Length: 1", " 2", "" },
      { "Transfer-Encoding: chunked", " , gzip", "" }, { " a", "" } } do
      assert.equal("protocol", answer(unpack(lines)))
    end
  end)

  it("refuses lines that are no headers", function()
    for _, line in ipairs { "Nonsense", ": a", "A B: c", "A : c", "A\tB: c",
      "a\0b: c", "A: b\0c", "A: b\rc", "\195\164: b" } do
      assert.equal("protocol", answer(line, ""))
    end
  end)

  it("passes over informational heads, but not over another protocol",
    function()
      local head = read { "HTTP/1.1 103 Early Hints", "Link: <a>", "",
        "HTTP/1.1 100 Continue", "", "HTTP/1.1 200 OK", "X-A: b", "" }
      assert.same({ ["x-a"] = "b" }, head.headers)
      assert.equal("protocol",
        read { "HTTP/1.1 101 Switching Protocols", "" })
    end)

  it("has an end", function()
    local many = {}
    for i = 1, 500 do
      many[i] = "A: b"
    end
    assert.equal("too_large", answer(unpack(many)))
    assert.equal("too_large", answer("A: " .. ("b"):rep(70000)))
    local head, kind = response_head.new(), nil
    for _ = 1, 300 do
      kind = select(2, head:add "HTTP/1.1 100 Continue")
        or select(2, head:add "")
      if kind then
        break
      end
    end
    assert.equal("too_large", kind)
  end)
end)
