-- Requests that are badly framed, too large or merely odd, and what a server
-- with these limits answers: request line 8192 bytes, one header 8192, all
-- headers 32768, 100 of them, body 262144.
--
-- `f.path` is the route; `f.good` a whole good request; `f.body` its body;
-- `f.post(headers, body)` the good request with these headers besides (false
-- removes one) and another body. Each row: `id`, `send`, then either `status`
-- (one answer and no byte behind it, then the connection is closed; a list:
-- any of these; with `may_drop` closing without an answer is lawful too),
-- `answers` (all of them, the connection stays open), or `drop` (closed, and
-- no answer). `handled` is how many events ran, none where absent; a row that
-- may be refused or taken says `if_taken`, which is how many ran if the answer
-- was 200. `finish` half-closes after sending; `or_ok` says that 200 is lawful
-- too.
--
-- Versions of libmicrohttpd refuse the same requests by other statuses, or
-- without an answer. Never lawful in a row that must be refused are 200, an
-- event that ran, a second answer, and an open connection.
local rep = string.rep

-- The good request with another request line.
local function with_line(f, line)
  return (f.good:gsub("^[^\r]*", function()
    return line
  end))
end

-- The good request with one line more, as it stands, at the end of its head.
local function with_header(f, text)
  return (f.good:gsub("\r\n\r\n", function()
    return "\r\n" .. text .. "\r\n\r\n"
  end, 1))
end

local function with_lengths(f, ...)
  local lines = {}
  for i, value in ipairs { ... } do
    lines[i] = "Content-Length: " .. value
  end
  return (f.post({ ["Content-Length"] = false }, f.body)
    :gsub("\r\n\r\n", "\r\n" .. table.concat(lines, "\r\n") .. "\r\n\r\n", 1))
end

local function chunk(bytes)
  return ("%x\r\n%s\r\n"):format(#bytes, bytes)
end

local function in_chunks(f, bytes, coding)
  return f.post({ ["Content-Length"] = false,
    ["Transfer-Encoding"] = coding or "chunked" }, "") .. bytes
end

local function with_coding(f, coding)
  return in_chunks(f, chunk(f.body) .. "0\r\n\r\n", coding)
end

local function lines(f)
  return {
    { id = "empty connection", send = "", finish = true, drop = true },
    { id = "blank lines first", send = "\r\n\r\n" .. f.good, status = 400,
      may_drop = true },
    { id = "many blank lines first", send = rep("\r\n", 300) .. f.good,
      status = 400, may_drop = true },
    { id = "one blank line first", send = "\r\n" .. f.good,
      answers = { 200 }, handled = 1 },
    { id = "HTTP/0.9", send = "GET /\r\n\r\n", status = 400 },
    { id = "HTTP/0.9, no empty line", send = "GET /\r\n",
      status = { 400, 408 } },
    { id = "trailing token",
      send = with_line(f, "POST " .. f.path .. " HTTP/1.1 x"), status = 400 },
    { id = "HTTP/2.0", send = with_line(f, "POST " .. f.path .. " HTTP/2.0"),
      status = { 400, 505 } },
    { id = "HTTP/2 preface", send = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      status = { 400, 505 } },
    { id = "HTTP/1.10", send = with_line(f, "POST " .. f.path .. " HTTP/1.10"),
      status = 400 },
    { id = "lower-case version",
      send = with_line(f, "POST " .. f.path .. " http/1.1"), status = 400 },
    { id = "TLS hello", send = "\22\3\1\2\0\1\0\1\252\3\3"
        .. rep("\170", 400) .. "\n", status = 400, may_drop = true },
    { id = "PROXY line", send = "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n"
        .. f.good, status = 400, may_drop = true },
    { id = "NUL in method",
      send = with_line(f, "PO\0ST " .. f.path .. " HTTP/1.1"), status = 400,
      may_drop = true },
    { id = "tab in method",
      send = with_line(f, "PO\tST " .. f.path .. " HTTP/1.1"), status = 400 },
    { id = "two spaces",
      send = with_line(f, "POST  " .. f.path .. " HTTP/1.1"), status = 400 },
    { id = "space before the line's end",
      send = with_line(f, "POST " .. f.path .. " HTTP/1.1 "), status = 400 },
    { id = "HTTP/1.0", send = (f.good:gsub("HTTP/1.1", "HTTP/1.0", 1)),
      status = 200, handled = 1 },
  }
end

local function targets(f)
  return {
    { id = "empty target", send = with_line(f, "POST  HTTP/1.1"),
      status = 400 },
    { id = "space in target",
      send = with_line(f, "POST " .. f.path .. " x HTTP/1.1"), status = 400 },
    { id = "NUL in target",
      send = with_line(f, "POST " .. f.path .. "\0 HTTP/1.1"), status = 400,
      may_drop = true },
    { id = "fragment", send = with_line(f, "POST " .. f.path .. "#x HTTP/1.1"),
      status = 400 },
    { id = "relative target", send = with_line(f, "POST flex/events HTTP/1.1"),
      status = 400 },
    { id = "CONNECT", send = with_line(f, "CONNECT h.example:443 HTTP/1.1"),
      status = 400 },
    { id = "absolute form is routed by its path",
      send = with_line(f, "POST http://evil" .. f.path .. " HTTP/1.1"),
      answers = { 200 }, handled = 1 },
    { id = "asterisk form", send = f.request("OPTIONS", "*"),
      answers = { 405 } },
    { id = "GET on a POST route", send = f.request("GET", f.path),
      answers = { 405 } },
    { id = "trailing slash", send = f.to(f.path .. "/"), answers = { 404 } },
    { id = "double slash", send = f.to "/flex//events", answers = { 404 } },
    { id = "single dot", send = f.to "/flex/./events", answers = { 404 } },
    { id = "double dot", send = f.to("/x/.." .. f.path), answers = { 404 } },
    { id = "upper case", send = f.to "/FLEX/events", answers = { 404 } },
    { id = "escaped letter", send = f.to "/flex/%65vents",
      answers = { 404 } },
    { id = "lone %", send = f.to(f.path .. "%"), status = 400 },
    { id = "%z1", send = f.to(f.path .. "%z1"), status = 400 },
    { id = "%1", send = f.to(f.path .. "%1"), status = 400 },
    { id = "traversal", send = f.to "/%2e%2e/%2e%2e/etc/passwd",
      answers = { 404 } },
    { id = "the event folded into the path",
      send = f.to(f.path .. (f.body:gsub("[=&]", "")), ""),
      answers = { 404 } },
    { id = "a query that was not signed", send = f.to(f.path .. "?x=1"),
      answers = { 403 } },
    { id = "an empty query", send = f.to(f.path .. "?"),
      answers = { 403 }, or_ok = true },
    { id = "forged forwarding headers", send = f.post({
        ["X-Forwarded-Host"] = "evil", ["X-Forwarded-Proto"] = "http",
        ["X-Forwarded-Port"] = "1" }, f.body), answers = { 200 },
      handled = 1 },
  }
end

local function headers(f)
  return {
    { id = "no host", send = f.post({ Host = false }, f.body), status = 400 },
    { id = "two hosts, same", send = with_header(f, "Host: h.example"),
      status = 400 },
    { id = "two hosts", send = with_header(f, "Host: evil"), status = 400 },
    { id = "list in host", send = f.post({ Host = "h.example, evil" }, f.body),
      status = 400 },
    { id = "path in host", send = f.post({ Host = "h.example/x" }, f.body),
      status = 400 },
    { id = "bare CR in a value", send = with_header(f, "X: a\rb"),
      status = 400 },
    { id = "bare CR, then a header", send = with_header(f, "X: a\rY: b"),
      status = 400 },
    { id = "bare LF after one header",
      send = with_header(f, "X: a\nContent-Length: 0"), status = 400 },
    { id = "bare LF throughout", send = (f.good:gsub("\r\n", "\n")),
      status = 400 },
    { id = "bare LF at the last header",
      send = (f.good:gsub("\r\n\r\n", "\n\r\n", 1)), status = 400 },
    { id = "bare LF as the empty line",
      send = (f.good:gsub("\r\n\r\n", "\r\n\n", 1)), status = 400 },
    { id = "folded header", send = with_header(f, "X: a\r\n b"),
      status = 400 },
    { id = "folded with a tab", send = with_header(f, "X: a\r\n\tb"),
      status = 400 },
    { id = "first line folded",
      send = (f.good:gsub("\r\n", "\r\n X: 5\r\n", 1)), status = 400 },
    { id = "empty name", send = with_header(f, ": v"), status = 400 },
    { id = "a colon alone", send = with_header(f, ":"), status = 400 },
    { id = "a colon alone, then a header", send = with_header(f, ":\r\nX: a"),
      status = 400 },
    { id = "a colon alone, first",
      send = (f.good:gsub("\r\n", "\r\n:\r\n", 1)), status = 400 },
    { id = "a colon alone and a bare LF", send = with_header(f, ":\nX: a"),
      status = 400 },
    { id = "a colon alone and a bare LF as the empty line",
      send = (f.good:gsub("\r\n\r\n", "\r\n:\n", 1)), status = 400 },
    { id = "a request behind a colon alone", send = f.request("GET", f.path)
        :gsub("\r\n\r\n", "\r\n:\n") .. f.good, status = 400 },
    { id = "a request behind a colon alone and CRLF", send = f.request("GET",
        f.path):gsub("\r\n\r\n", "\r\n:\r\n") .. f.good, status = 400 },
    { id = "no colon", send = with_header(f, "Xv"), status = 400 },
    { id = "space before the colon", send = with_header(f, "X : v"),
      status = 400 },
    { id = "space before the colon of a length",
      send = with_header(f, "Content-Length : 5"), status = 400 },
    { id = "NUL in a name", send = with_header(f, "X\0Y: v"), status = 400 },
    { id = "NUL in a value", send = with_header(f, "X: a\0b"), status = 400 },
    { id = "NUL at a value's end", send = with_header(f, "X: a\0"),
      status = 400 },
    { id = "obs-text in a value", send = with_header(f, "X: \255\254"),
      answers = { 200 }, handled = 1 },
    { id = "empty value", send = with_header(f, "X:"), answers = { 200 },
      handled = 1 },
    { id = "spaces around a value", send = with_header(f, "X: \t a \t"),
      answers = { 200 }, handled = 1 },
    { id = "two signatures", send = with_header(f, "X-Twilio-Signature: x"),
      status = { 400, 403 } },
  }
end

local function lengths(f)
  return {
    { id = "length and chunked", send = f.post({ ["Transfer-Encoding"] =
        "chunked" }, "5\r\nhello\r\n0\r\n\r\n"), status = 400 },
    { id = "length and chunked, smuggling", send = f.post({
        ["Transfer-Encoding"] = "chunked", ["Content-Length"] = "5" },
        "0\r\n\r\n" .. f.good), status = 400 },
    { id = "two lengths", send = with_lengths(f, #f.body, #f.body + 1),
      status = 400 },
    { id = "two lengths, same", send = with_lengths(f, #f.body, #f.body),
      status = 400 },
    { id = "two lengths, smuggling",
      send = with_lengths(f, 0, #f.good) .. f.good, status = 400 },
    { id = "list of lengths",
      send = with_lengths(f, #f.body .. ", " .. #f.body), status = 400 },
    { id = "leading zeros", send = with_lengths(f, "00" .. #f.body),
      answers = { 200 }, handled = 1 },
    { id = "signed length", send = with_lengths(f, "+" .. #f.body),
      status = 400 },
    { id = "signed length and another", send = with_lengths(f, "+" .. #f.body,
        #f.body), status = 400 },
    { id = "a length with text behind", send = with_lengths(f, #f.body .. "x"),
      status = 400 },
    { id = "negative length", send = with_lengths(f, "-1"), status = 400 },
    { id = "hex length", send = with_lengths(f, "0x10"), status = 400 },
    { id = "empty length", send = with_lengths(f, ""), status = 400 },
    { id = "length 2^64+5", send = with_lengths(f, "18446744073709551621"),
      status = { 400, 413 } },
    { id = "length of 4000 digits", send = with_lengths(f, rep("9", 4000)),
      status = { 400, 413 } },
    { id = "gzip, chunked", send = with_coding(f, "gzip, chunked"),
      status = { 400, 501 } },
    { id = "chunked, identity", send = with_coding(f, "chunked, identity"),
      status = { 400, 501 } },
    { id = "identity", send = with_coding(f, "identity"),
      status = { 400, 501 } },
    { id = "xchunked", send = with_coding(f, "xchunked"),
      status = { 400, 501 } },
    { id = "chunked twice in one", send = with_coding(f, "chunked, chunked"),
      status = { 400, 501 } },
    { id = "chunked twice", send = (with_coding(f, "chunked"):gsub("\r\n",
        "\r\nTransfer-Encoding: chunked\r\n", 1)), status = 400 },
    { id = "vertical tab", send = with_coding(f, "\11chunked"),
      status = { 400, 501 } },
    -- A blank is no part of the value, but libmicrohttpd 0.9 takes it for one.
    { id = "a blank behind", send = with_coding(f, "chunked "),
      status = { 200, 400 }, if_taken = 1 },
    { id = "quoted", send = with_coding(f, '"chunked"'),
      status = { 400, 501 } },
    { id = "chunked in HTTP/1.0", send = (with_coding(f, "chunked")
        :gsub("HTTP/1.1", "HTTP/1.0", 1)), status = 400 },
  }
end

local function chunks(f)
  return {
    { id = "good chunks", send = in_chunks(f, chunk(f.body:sub(1, 10))
        .. chunk(f.body:sub(11)) .. "0\r\n\r\n"), status = 200, handled = 1 },
    -- libmicrohttpd 1.0.1 takes an extension for an error.
    { id = "chunk extension", send = in_chunks(f, ("%x;a=b\r\n")
        :format(#f.body) .. f.body .. "\r\n0\r\n\r\n"),
      status = { 200, 400 }, if_taken = 1 },
    { id = "trailers", send = in_chunks(f, chunk(f.body)
        .. "0\r\na: b\r\n\r\n"), status = 200, handled = 1 },
    { id = "chunk of 2^64-1", send = in_chunks(f, "ffffffffffffffff\r\nabc"),
      status = { 400, 408, 413 } },
    { id = "chunk over 2^64", send = in_chunks(f, "fffffffffffffffff\r\nabc"),
      status = { 400, 413 }, may_drop = true },
    { id = "chunk longer than it says",
      send = in_chunks(f, "1\r\nab\r\n0\r\n\r\n"), status = 400,
      may_drop = true },
    { id = "bare LF behind a chunk", send = in_chunks(f,
        ("%x\r\n%s\n0\r\n\r\n"):format(#f.body, f.body)), status = 400 },
    { id = "bare LF behind a size", send = in_chunks(f, ("%x\n%s\r\n0\r\n\r\n")
        :format(#f.body, f.body)), status = 400 },
    { id = "bare LF behind an extension", send = in_chunks(f,
        ("%x;a\n%s\r\n0\r\n\r\n"):format(#f.body, f.body)), status = 400 },
    { id = "bare LF behind the last size", send = in_chunks(f, chunk(f.body)
        .. "0\n\r\n"), status = 400 },
    { id = "bare LF as the end of the chunks", send = in_chunks(f,
        chunk(f.body) .. "0\r\n\n"), status = 400 },
    { id = "bare LF behind a trailer", send = in_chunks(f, chunk(f.body)
        .. "0\r\na: b\n\r\n"), status = 400 },
    { id = "bare LF throughout the chunks", send = in_chunks(f,
        (chunk(f.body):gsub("\r", "")) .. "0\n\n"), status = 400 },
    { id = "bare CR in an extension", send = in_chunks(f,
        ("%x;a\rb\r\n%s\r\n0\r\n\r\n"):format(#f.body, f.body)),
      status = 400 },
    -- libmicrohttpd 1.0.10 ignores what an extension says.
    { id = "NUL in an extension", send = in_chunks(f,
        ("%x;a%sb\r\n%s\r\n0\r\n\r\n"):format(#f.body, "\0", f.body)),
      status = { 200, 400 }, if_taken = 1 },
    { id = "folded trailer", send = in_chunks(f, chunk(f.body)
        .. "0\r\na: b\r\n c\r\n\r\n"), status = 400 },
    { id = "a colon alone in the trailers", send = in_chunks(f, chunk(f.body)
        .. "0\r\na: b\r\n:\r\n\r\n"), status = 400 },
    { id = "a chunk behind a blank", send = in_chunks(f, " " .. chunk(f.body)
        .. "0\r\n\r\n"), status = 400 },
    { id = "a size in another notation", send = in_chunks(f, "0x"
        .. chunk(f.body) .. "0\r\n\r\n"), status = 400 },
    { id = "a signed size", send = in_chunks(f, "+" .. chunk(f.body)
        .. "0\r\n\r\n"), status = 400 },
    { id = "half the chunks, then the end", send = in_chunks(f,
        chunk(f.body)), finish = true, status = 400, may_drop = true },
    { id = "chunks, then the end", send = in_chunks(f, chunk(f.body)
        .. "0\r\n\r\n"), finish = true, status = 200, handled = 1 },
    { id = "chunks with bytes behind", send = in_chunks(f, chunk(f.body)
        .. "0\r\n\r\n\0x\n"), status = 200, handled = 1 },
    { id = "a chunk of many", send = in_chunks(f, chunk(f.body)
        .. rep(chunk(rep("x", 40)), 100) .. "0\r\n\r\n"), status = 403 },
    { id = "nothing runs behind chunks", send = in_chunks(f, chunk(f.body)
        .. "0\r\n\r\n" .. f.good), status = 200, handled = 1 },
    { id = "long chunk extension", send = in_chunks(f, "5;" .. rep("x", 50000)
        .. "\r\nhello\r\n0\r\n\r\n"), status = { 400, 403, 408, 413, 431 },
      may_drop = true },
    { id = "tiny chunks with long extensions", send = in_chunks(f,
        rep("1;" .. rep("x", 57) .. "\r\na\r\n", 20000) .. "0\r\n\r\n"),
      status = { 400, 431 }, may_drop = true },
    { id = "endless trailers", send = in_chunks(f, chunk(f.body) .. "0\r\n"
        .. rep("a: b\r\n", 100000) .. "\r\n"), status = { 400, 413, 431 },
      may_drop = true },
  }
end

local function sequences(f)
  return {
    { id = "pipelined", send = f.good .. f.good, answers = { 200, 200 },
      handled = 2 },
    { id = "more than the length says", send = f.good
        .. f.request("GET", "/admin"), answers = { 200, 404 }, handled = 1 },
    { id = "CRLF behind a body", send = f.good .. "\r\n", answers = { 200 },
      handled = 1 },
    { id = "CRLF between requests", send = f.good .. "\r\n" .. f.good,
      answers = { 200, 200 }, handled = 2 },
    { id = "hop-by-hop names", send = f.post({ Connection =
        "content-length, x-twilio-signature" }, f.body), answers = { 200 },
      handled = 1 },
    { id = "upgrade", send = f.post({ Connection = "Upgrade",
        Upgrade = "h2c" }, f.body), answers = { 200 }, handled = 1 },
    { id = "Connection: close", send = f.post({ Connection = "close" },
        f.body), status = 200, handled = 1 },
    { id = "half a body, then the end", send = f.good:sub(1, -5),
      finish = true, status = 400, may_drop = true },
    { id = "half a head, then the end", send = f.good:sub(1, 40),
      finish = true, status = 400, may_drop = true },
    { id = "a whole request, then the end", send = f.good, finish = true,
      status = 200, handled = 1 },
  }
end

local function sizes(f)
  return {
    { id = "long request line", send = with_line(f, "POST " .. f.path .. "?"
        .. rep("x", 8192) .. " HTTP/1.1"), status = 414 },
    { id = "endless request line", send = "POST /" .. rep("x", 200000),
      status = 414, may_drop = true },
    { id = "a header of 8192 bytes", send = with_header(f, "X: "
        .. rep("x", 8189)), answers = { 200 }, handled = 1 },
    { id = "a header of 8193 bytes", send = with_header(f, "X: "
        .. rep("x", 8190)), status = 431 },
    { id = "endless header", send = with_header(f, "X: " .. rep("x", 100000)),
      status = { 413, 431 }, may_drop = true },
    { id = "headers over 32768 bytes", send = with_header(f, rep("X: "
        .. rep("x", 4000) .. "\r\n", 8) .. "Y: " .. rep("y", 800)),
      status = 431 },
    { id = "over 100 headers", send = with_header(f,
        (rep("X: y\r\n", 98):sub(1, -3))), status = 431 },
    { id = "body over the limit", send = f.post({}, rep("x", 262145)),
      status = 413 },
    { id = "body of a gibibyte", send = f.post({ ["Content-Length"] =
        "1073741824" }, "x"), status = 413 },
    { id = "chunks over the limit", send = in_chunks(f,
        rep(chunk(rep("x", 4096)), 65) .. "0\r\n\r\n"), status = 413 },
    { id = "chunks over the limit, waiting for the answer",
      send = in_chunks(f, rep(chunk(rep("x", 4096)), 65)), status = 413 },
    { id = "expect, too large", send = f.post({ Expect = "100-continue",
        ["Content-Length"] = "999999" }, ""), status = 413 },
    { id = "a gzip bomb", send = f.post({ ["Content-Encoding"] = "gzip" },
        "\31\139\8\0"), answers = { 415 } },
  }
end

-- Chunk sizes that no two parsers read alike.
local function chunk_sizes(f)
  local rows = {}
  for _, size in ipairs { "1x", "0x1", "+1", "-1", "", " 1" } do
    rows[#rows + 1] = { id = "chunk size '" .. size .. "'", status = 400,
      send = in_chunks(f, size .. "\r\na\r\n0\r\n\r\n"), may_drop = true }
  end
  return rows
end

return function(f)
  local all = {}
  for _, group in ipairs { lines, targets, headers, lengths, chunks,
    chunk_sizes, sequences, sizes } do
    for _, row in ipairs(group(f)) do
      all[#all + 1] = row
    end
  end
  return all
end
