-- What servers may send, and what a client must make of it: a name, the answer
-- (bytes, or { bytes =, after = }), the kinds of error that are right (a
-- list), or nil where the answer is good.
local M = {}

local OK = "HTTP/1.1 200 OK\r\n"
local JSON = "Content-Type: application/json\r\n"

local function row(name, bytes, kinds, after)
  M[#M + 1] = { name = name, kinds = kinds,
    answer = { bytes = bytes, after = after } }
end

local BROKEN = { "protocol", "reset" }

-- Lengths and chunks that lie.
row("a body shorter than its length", OK .. "Content-Length: 50\r\n\r\n{}",
  BROKEN, "close")
row("a body reset before its end", OK .. "Content-Length: 50\r\n\r\n{}",
  BROKEN,
  "reset")
row("a negative length", OK .. "Content-Length: -5\r\n\r\n{}", BROKEN, "close")
row("a length that is none", OK .. "Content-Length: x\r\n\r\n{}", BROKEN,
  "close")
row("a chunk without a size", OK .. "Transfer-Encoding: chunked\r\n\r\n"
  .. "zz\r\n{}\r\n0\r\n\r\n", BROKEN, "close")
row("chunks without an end", OK .. "Transfer-Encoding: chunked\r\n\r\n"
  .. "2\r\n{}\r\n", BROKEN, "close")
row("a chunk beyond all sizes", OK .. "Transfer-Encoding: chunked\r\n\r\n"
  .. "ffffffffffffffffff\r\n{}\r\n", { "protocol", "reset", "too_large" },
  "close")

-- Encodings that nobody asked for.
row("brotli", OK .. JSON .. "Content-Encoding: br\r\nContent-Length: 2\r\n\r\n"
  .. "{}", { "protocol" })
row("gzip that is none", OK .. JSON .. "Content-Encoding: gzip\r\n"
  .. "Content-Length: 2\r\n\r\n{}", { "protocol" })
row("fifty encodings", OK .. JSON .. "Content-Encoding: "
  .. ("gzip, "):rep(49) .. "gzip\r\nContent-Length: 2\r\n\r\n{}",
  { "protocol" })

-- Peers that stop.
row("nothing, then the end", "", BROKEN, "close")
row("nothing, then a reset", "", BROKEN, "reset")
row("nothing at all", "", { "timeout" }, "hang")
row("half a head, then a reset", "HTTP/1.1 200 OK\r\nContent-", BROKEN,
  "reset")
row("half a head, then nothing", "HTTP/1.1 200 OK\r\nContent-", { "timeout" },
  "hang")
row("half a body, then nothing", OK .. "Content-Length: 50\r\n\r\n{",
  { "timeout" }, "hang")

-- Versions.
row("HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", nil, "close")
row("HTTP/1.0 without a length", "HTTP/1.0 200 OK\r\n\r\n{}", nil, "close")
row("HTTP/0.9", "{}", { "protocol" }, "close")
row("HTTP/3.0", "HTTP/3.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
  { "protocol" }, "close")
row("ICY", "ICY 200 OK\r\nContent-Length: 2\r\n\r\n{}", { "protocol" },
  "close")
row("a TLS alert", "\21\3\1\0\2\2\40", { "protocol" }, "close")

-- Heads.
row("ninety cookies", OK .. ("Set-Cookie: a=b; Domain=localhost\r\n"):rep(90)
  .. "Content-Length: 2\r\n\r\n{}", nil)
row("a thousand cookies", OK .. ("Set-Cookie: a=b\r\n"):rep(1000)
  .. "Content-Length: 2\r\n\r\n{}", { "too_large" }, "close")
row("advice to go elsewhere", OK .. "Alt-Svc: h2=\"evil.example:443\"\r\n"
  .. "Strict-Transport-Security: max-age=99999999\r\n"
  .. "Content-Length: 2\r\n\r\n{}", nil)
row("a head without end", OK .. ("X-A: " .. ("b"):rep(1000)
  .. "\r\n"):rep(1000)
  .. "\r\n", { "too_large", "protocol" }, "close")
row("a body beyond max_response", OK .. "Content-Length: 200000\r\n\r\n"
  .. ("x"):rep(200000), { "too_large" }, "close")
row("an endless body", OK .. "Transfer-Encoding: chunked\r\n\r\n"
  .. ("1000\r\n" .. ("x"):rep(4096) .. "\r\n"):rep(40), { "too_large" },
  "close")

-- Content.
row("no JSON where JSON is said", OK .. JSON .. "Content-Length: 6\r\n\r\n"
  .. "<html>", { "protocol" })
row("JSON that ends early", OK .. JSON .. "Content-Length: 5\r\n\r\n"
  .. '{"a":', { "protocol" })
row("JSON beyond all depth", OK .. JSON .. "Content-Length: 20000\r\n\r\n"
  .. ("["):rep(10000) .. ("]"):rep(10000), { "protocol" })
row("numbers that are none", OK .. JSON .. "Content-Length: 9\r\n\r\n"
  .. '{"a":NaN}', { "protocol" })

return M
