-- Requests that are badly framed, too large or merely odd, and what a server
-- with these limits answers: request line 8192 bytes, one header 8192, all
-- headers 32768, 100 of them, body 262144.
--
-- `f.path` is the route; `f.good` a whole good request; `f.body` its body;
-- `f.post(headers, body)` the good request with these headers besides (false
-- removes one) and another body; `f.line(line)` the good request with another
-- request line. Each row: `send`, then either `status` (one answer, then the
-- connection is closed), `answers` (all of them, the connection stays open), or
-- `drop` (closed without an answer). `handled` is how many events ran (0).
-- `finish` half-closes after sending. `status` may be a list of lawful ones.
local rep = string.rep

return function(f)
  local chunked = { ["Content-Length"] = false, ["Transfer-Encoding"] = "chunked" }
  local function chunk(bytes)
    return ("%x\r\n%s\r\n"):format(#bytes, bytes)
  end
  local function in_chunks(bytes)
    return f.post(chunked, "") .. bytes
  end
  local function coded(value)
    return f.post({ ["Content-Length"] = false, ["Transfer-Encoding"] = value },
      "") .. chunk(f.body) .. "0\r\n\r\n"
  end
  local function lengths(...)
    local lines = {}
    for _, value in ipairs { ... } do
      lines[#lines + 1] = "Content-Length: " .. value
    end
    return (f.post({ ["Content-Length"] = false }, f.body)
      :gsub("\r\n\r\n", "\r\n" .. table.concat(lines, "\r\n") .. "\r\n\r\n", 1))
  end
  -- A line more, as it stands, before the good request's empty line.
  local function line(text, ending)
    return (f.good:gsub("\r\n\r\n", function()
      return "\r\n" .. text .. (ending or "\r\n") .. "\r\n"
    end, 1))
  end

  return {
    -- framing
    { id = "empty connection", send = "", finish = true, drop = true },
    { id = "blank lines first", send = "\r\n\r\n" .. f.good, status = 400 },
    { id = "many blank lines first", send = rep("\r\n", 300) .. f.good,
      status = 400 },
    { id = "one blank line first", send = "\r\n" .. f.good, answers = { 200 },
      handled = 1 },
    { id = "HTTP/0.9", send = "GET /\r\n\r\n", status = 400 },
    { id = "HTTP/0.9, no empty line", send = "GET /\r\n", status = { 400, 408 } },
    { id = "two hosts, same", send = line "Host: h.example", status = 400 },
    { id = "two hosts", send = line "Host: evil", status = 400 },
    { id = "no host", send = f.post({ Host = false }, f.body), status = 400 },
    { id = "list in host", send = f.post({ Host = "h.example, evil" }, f.body),
      status = 400 },
    { id = "path in host", send = f.post({ Host = "h.example/x" }, f.body),
      status = 400 },
    { id = "trailing token", send = f.line("POST " .. f.path .. " HTTP/1.1 x"),
      status = 400 },
    { id = "HTTP/2.0", send = f.line("POST " .. f.path .. " HTTP/2.0"),
      status = { 400, 505 } },
    { id = "HTTP/2 preface", send = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      status = { 400, 505 } },
    { id = "HTTP/1.10", send = f.line("POST " .. f.path .. " HTTP/1.10"),
      status = 400 },
    { id = "lower-case version",
      send = f.line("POST " .. f.path .. " http/1.1"), status = 400 },
    { id = "TLS hello", send = "\22\3\1\2\0\1\0\1\252\3\3" .. rep("\170", 400)
        .. "\n", status = 400, may_drop = true },
    { id = "PROXY line", send = "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" .. f.good,
      status = 400 },
    { id = "NUL in method", send = f.line("PO\0ST " .. f.path .. " HTTP/1.1"),
      status = 400 },
    { id = "tab in method", send = f.line("PO\tST " .. f.path .. " HTTP/1.1"),
      status = 400 },
    { id = "empty target", send = f.line "POST  HTTP/1.1", status = 400 },
    { id = "two spaces", send = f.line("POST  " .. f.path .. " HTTP/1.1"),
      status = 400 },
    { id = "space before the line's end",
      send = f.line("POST " .. f.path .. " HTTP/1.1 "), status = 400 },
    { id = "space in target", send = f.line("POST " .. f.path .. " x HTTP/1.1"),
      status = 400 },
    { id = "NUL in target", send = f.line("POST " .. f.path .. "\0 HTTP/1.1"),
      status = 400 },
    { id = "fragment", send = f.line("POST " .. f.path .. "#x HTTP/1.1"),
      status = 400 },
    { id = "relative target", send = f.line "POST flex/events HTTP/1.1",
      status = 400 },
    { id = "CONNECT", send = f.line "CONNECT h.example:443 HTTP/1.1",
      status = 400 },
    { id = "absolute form is routed by its path",
      send = f.line("POST http://evil" .. f.path .. " HTTP/1.1"),
      answers = { 200 }, handled = 1 },
    { id = "asterisk form", send = "OPTIONS * HTTP/1.1\r\nHost: h.example\r\n\r\n",
      answers = { 405 } },
    { id = "GET on a POST route",
      send = "GET " .. f.path .. " HTTP/1.1\r\nHost: h.example\r\n\r\n",
      answers = { 405 } },
    { id = "bare CR in a value", send = line "X: a\rb", status = 400 },
    { id = "bare CR, then a header", send = line "X: a\rY: b", status = 400 },
    { id = "bare LF after one header",
      send = line("X: a\nContent-Length: 0"), status = 400 },
    { id = "bare LF throughout", send = (f.good:gsub("\r\n", "\n")),
      status = 400 },
    { id = "bare LF at the very end",
      send = (f.good:gsub("\r\n\r\n", "\n\r\n", 1)), status = 400 },
    { id = "bare LF as the empty line",
      send = (f.good:gsub("\r\n\r\n", "\r\n\n", 1)), status = 400 },
    { id = "folded header", send = line "X: a\r\n b", status = 400 },
    { id = "folded with a tab", send = line "X: a\r\n\tb", status = 400 },
    { id = "first line folded", send = (f.good:gsub("\r\n", "\r\n X: 5\r\n", 1)),
      status = 400 },
    { id = "empty name", send = line ": v", status = 400 },
    { id = "no colon", send = line "Xv", status = 400 },
    { id = "space before the colon", send = line "X : v", status = 400 },
    { id = "space before the colon of a length",
      send = line "Content-Length : 5", status = 400 },
    { id = "NUL in a name", send = line "X\0Y: v", status = 400 },
    { id = "NUL in a value", send = line "X: a\0b", status = 400 },
    { id = "NUL at a value's end", send = line "X: a\0", status = 400 },
    { id = "obs-text in a value", send = line "X: \255\254", answers = { 200 },
      handled = 1 },
    { id = "empty value", send = line "X:", answers = { 200 }, handled = 1 },
    { id = "spaces around a value", send = line "X: \t a \t", answers = { 200 },
      handled = 1 },

    -- lengths and codings
    { id = "length and chunked", send = f.post({ ["Transfer-Encoding"] =
        "chunked" }, "5\r\nhello\r\n0\r\n\r\n"), status = 400 },
    { id = "length and chunked, smuggling", send = f.post({
        ["Transfer-Encoding"] = "chunked", ["Content-Length"] = "5" },
        "0\r\n\r\n" .. f.good), status = 400 },
    { id = "two lengths", send = lengths(#f.body, #f.body + 1), status = 400 },
    { id = "two lengths, same", send = lengths(#f.body, #f.body), status = 400 },
    { id = "two lengths, smuggling",
      send = lengths(0, #f.good) .. f.good, status = 400 },
    { id = "list of lengths", send = lengths(#f.body .. ", " .. #f.body),
      status = 400 },
    { id = "leading zeros", send = lengths("00" .. #f.body), answers = { 200 },
      handled = 1 },
    { id = "signed length", send = lengths("+" .. #f.body), status = 400 },
    { id = "negative length", send = lengths "-1", status = 400 },
    { id = "hex length", send = lengths "0x10", status = 400 },
    { id = "empty length", send = lengths "", status = 400 },
    { id = "length 2^64+5", send = lengths "18446744073709551621", status = 413 },
    { id = "length of 4000 digits", send = lengths(rep("9", 4000)),
      status = 413 },
    { id = "gzip, chunked", send = coded "gzip, chunked", status = 501 },
    { id = "chunked, identity", send = coded "chunked, identity", status = 400 },
    { id = "identity", send = coded "identity", status = 400 },
    { id = "xchunked", send = coded "xchunked", status = 400 },
    { id = "chunked twice in one", send = coded "chunked, chunked",
      status = 400 },
    { id = "chunked twice", send = (coded("chunked"):gsub("\r\n",
        "\r\nTransfer-Encoding: chunked\r\n", 1)), status = 400 },
    { id = "vertical tab", send = coded "\11chunked", status = 400 },
    { id = "quoted", send = coded '"chunked"', status = 400 },
    { id = "chunked in HTTP/1.0", send = (coded("chunked"):gsub("HTTP/1.1",
        "HTTP/1.0", 1)), status = 400 },

    -- chunks: bodies that the parser may take, never a second request
    { id = "good chunks", send = in_chunks(chunk(f.body:sub(1, 10))
        .. chunk(f.body:sub(11)) .. "0\r\n\r\n"), status = 200, handled = 1 },
    { id = "chunk extension", send = in_chunks(("%x;a=b\r\n"):format(#f.body)
        .. f.body .. "\r\n0\r\n\r\n"), status = 200, handled = 1 },
    { id = "trailers", send = in_chunks(chunk(f.body) .. "0\r\na: b\r\n\r\n"),
      status = 200, handled = 1 },
    { id = "chunk of 2^64-1", send = in_chunks("ffffffffffffffff\r\nabc"),
      status = { 400, 408, 413 } },
    { id = "chunk over 2^64", send = in_chunks("fffffffffffffffff\r\nabc"),
      status = { 400, 413 }, may_drop = true },
    { id = "chunk size 1x", send = in_chunks "1x\r\na\r\n0\r\n\r\n",
      status = 400, may_drop = true },
    { id = "chunk size 0x1", send = in_chunks "0x1\r\na\r\n0\r\n\r\n",
      status = 400, may_drop = true },
    { id = "chunk size +1", send = in_chunks "+1\r\na\r\n0\r\n\r\n",
      status = 400, may_drop = true },
    { id = "chunk size -1", send = in_chunks "-1\r\na\r\n0\r\n\r\n",
      status = 400, may_drop = true },
    { id = "empty chunk size", send = in_chunks "\r\na\r\n0\r\n\r\n",
      status = 400, may_drop = true },
    { id = "space before a chunk size", send = in_chunks " 1\r\na\r\n0\r\n\r\n",
      status = 400, may_drop = true },
    { id = "chunk longer than it says",
      send = in_chunks "1\r\nab\r\n0\r\n\r\n", status = 400, may_drop = true },
    { id = "bare LF in chunks", send = in_chunks "5\r\nhello\n0\r\n\r\n",
      status = { 400, 403 }, may_drop = true },
    { id = "nothing runs behind chunks", send = in_chunks(chunk(f.body)
        .. "0\r\n\r\n" .. f.good), status = 200, handled = 1 },
    { id = "long chunk extension", send = in_chunks("5;" .. rep("x", 50000)
        .. "\r\nhello\r\n0\r\n\r\n"), status = { 400, 403, 408, 413, 431 },
      may_drop = true },
    { id = "tiny chunks with long extensions", send = in_chunks(
        rep("1;" .. rep("x", 57) .. "\r\na\r\n", 20000) .. "0\r\n\r\n"),
      status = 400, may_drop = true },
    { id = "endless trailers", send = in_chunks(chunk(f.body) .. "0\r\n"
        .. rep("a: b\r\n", 100000) .. "\r\n"), status = { 400, 413, 431 },
      may_drop = true },

    -- one connection, several requests
    { id = "pipelined", send = f.good .. f.good, answers = { 200, 200 },
      handled = 2 },
    { id = "more than the length says",
      send = f.good .. "GET /admin HTTP/1.1\r\nHost: h.example\r\n\r\n",
      answers = { 200, 404 }, handled = 1 },
    { id = "hop-by-hop names", send = f.post({ Connection =
        "content-length, x-twilio-signature" }, f.body), answers = { 200 },
      handled = 1 },
    { id = "upgrade", send = f.post({ Connection = "Upgrade", Upgrade = "h2c" },
        f.body), answers = { 200 }, handled = 1 },
    { id = "Connection: close", send = f.post({ Connection = "close" }, f.body),
      status = 200, handled = 1 },
    { id = "HTTP/1.0", send = (f.good:gsub("HTTP/1.1", "HTTP/1.0", 1)),
      status = 200, handled = 1 },
    { id = "expect, too large", send = f.post({ Expect = "100-continue",
        ["Content-Length"] = "999999" }, ""), status = 413 },

    -- sizes
    { id = "long request line", send = f.line("POST " .. f.path .. "?"
        .. rep("x", 8192) .. " HTTP/1.1"), status = 414 },
    { id = "endless request line", send = "POST /" .. rep("x", 200000),
      status = 414, may_drop = true },
    { id = "long header", send = line("X: " .. rep("x", 8192)), status = 431 },
    { id = "endless header", send = line("X: " .. rep("x", 100000)),
      status = { 413, 431 }, may_drop = true },
    { id = "headers over 32768 bytes", send = line((rep("X: " .. rep("x", 4000)
        .. "\r\n", 8):sub(1, -3)) .. "\r\nY: " .. rep("y", 800)), status = 431 },
    { id = "101 headers", send = line((rep("X: y\r\n", 98):sub(1, -3))),
      status = 431 },
    { id = "body over the limit", send = f.post({}, rep("x", 262145)),
      status = 413 },
    { id = "body of a gibibyte", send = f.post({ ["Content-Length"] =
        "1073741824" }, "x"), status = 413 },
    { id = "chunks over the limit", send = in_chunks(rep(chunk(rep("x", 4096)),
        65) .. "0\r\n\r\n"), status = 413 },
    { id = "chunks over the limit, waiting for the answer",
      send = in_chunks(rep(chunk(rep("x", 4096)), 65)), status = 413 },
    { id = "half a body, then the end", send = f.good:sub(1, -5), finish = true,
      status = 400, may_drop = true },
    { id = "half a head, then the end", send = f.good:sub(1, 40), finish = true,
      status = 400, may_drop = true },
  }
end
