-- What every transport does: how it sends, what it refuses, how it keeps its
-- connections; and, by spec/support/answers, what it makes of an answer.
--
--   transport_contract.of {
--     get = function(path, fields) -> response | nil, err
--       over a transport that has no connections when a test begins,
--     server = function() -> of spec.support.rude,
--     more of spec.support.answers }
--   transport_contract.connections(server) -> how many carried its requests
local answers = require "spec.support.answers"
local assert = require "luassert"
local busted = require "busted"
local process = require "spec.support.process"

local it = busted.it

local M = {}

function M.connections(server)
  local seen, count = {}, 0
  for _, request in ipairs(server:requests()) do
    if not seen[request.connection] then
      seen[request.connection] = true
      count = count + 1
    end
  end
  return count
end

local function sends_headers(echo)
  it("has the headers given, lists one by one, empty ones too", function()
    local head = echo { headers = { ["X-A"] = "1", ["X-B"] = { "b", "c" },
      ["X-E"] = "", ["user-agent"] = "me", Accept = "a/b", Host = "other",
      ["X-N"] = 5, ["X-L"] = { 1, "a", 2.5 } } }
    for _, line in ipairs { "X-A: 1", "X-B: b", "X-B: c", "X-E: ?",
      "user%-agent: me", "Accept: a/b", "Host: other", "X-N: 5", "X-L: 1",
      "X-L: a", "X-L: 2%.5" } do
      assert.matches("\r\n" .. line:gsub("X%-", "X%%-") .. "\r\n", head)
    end
    assert.is_nil(head:find "%*/%*")
  end)

  it("has both values of a header spelt in two ways", function()
    local head = echo { headers = { ["X-A"] = "1", ["x-a"] = "2" } }
    assert.matches("[xX]%-[aA]: 1\r\n", head)
    assert.matches("[xX]%-[aA]: 2\r\n", head)
  end)
end

local function sends_bodies(echo)
  it("has the method and the body", function()
    for _, method in ipairs { "POST", "PUT", "PATCH", "DELETE", "GET",
      "OPTIONS", "M-SEARCH" } do
      local text = echo { method = method, body = "a\0b" }
      assert.equal(method, text:match "^%S+")
      assert.matches("\r\nContent%-Length: 3\r\n", text)
      assert.equal("a\0b", text:match "\r\n\r\n(.*)$")
      assert.is_nil(text:lower():find("content-type", 1, true))
    end
  end)

  it("has a length where a POST is empty", function()
    assert.matches("\r\nContent%-Length: 0\r\n", echo { method = "POST" })
    assert.matches("\r\nContent%-Length: 0\r\n",
      echo { method = "POST", body = "" })
  end)

  it("does not ask before it sends a large body", function()
    local body = ("0123456789"):rep(200000)
    local text = echo { method = "POST", body = body,
      headers = { ["Content-Type"] = "a/b" } }
    assert.is_nil(text:lower():find("expect:", 1, true))
    assert.matches("\r\nContent%-Type: a/b\r\n", text)
    assert.equal(body, text:match "\r\n\r\n(.*)$")
  end)
end

-- As of 8.23 libcurl writes an escape's digits in capitals, which RFC 3986
-- (6.2.2.1) has for the same; it must not undo the escape.
local function capitals(escaped)
  return (escaped:gsub("%%%x%x", string.upper))
end

local function sends_the_rest(get)
  it("has the path as it was written", function()
    for _, path in ipairs { "/echo/../a/./%2e%2e/b?c=%2F", "/echo?a?b//c",
      "/echo/:80", "/echo/%2fa%61/%7e?%2e%3d" } do
      local text = assert(get(path:sub(2) .. "#d")).body
      assert.equal("GET " .. capitals(path) .. " HTTP/1.1",
        capitals(text:match "^[^\r]*"))
    end
  end)

  it("gets nothing to read for HEAD", function()
    local response = assert(get("ok", { method = "HEAD", max_response = 0 }))
    assert.equal(200, response.status)
    assert.equal("2", response.headers["content-length"])
    assert.equal("", response.body)
  end)

  it("may ask for an encoding, and then gets it raw", function()
    local response = assert(get("gzip-asked",
      { headers = { ["accept-encoding"] = "gzip" } }))
    assert.equal("gzip", response.headers["content-encoding"])
    assert.equal("\31\139", response.body:sub(1, 2))
  end)
end

local function sent(bench)
  local function echo(fields)
    return assert(bench.get("echo", fields)).body
  end
  busted.describe("what is sent", function()
    sends_headers(echo)
    sends_bodies(echo)
    sends_the_rest(bench.get)
  end)
end

local U = "http://127.0.0.1:1"
local many = {}
for i = 1, 101 do
  many["X-" .. i] = "1"
end

local REFUSED = {
  ["an empty URL"] = { url = "" },
  ["a URL without a scheme"] = { url = "127.0.0.1/" },
  ["a URL without a host"] = { url = "http://" },
  ["a URL with three slashes"] = { url = "http:///127.0.0.1/" },
  ["a URL with one slash"] = { url = "http:/127.0.0.1/" },
  ["a URL with a query alone"] = { url = "http://?a" },
  ["a URL with CR"] = { url = U .. "/\r" },
  ["a URL with LF"] = { url = U .. "/\nX: y" },
  ["a URL with a tab"] = { url = U .. "/\t" },
  ["a URL with NUL"] = { url = U .. "/\0/" },
  ["a URL with a space"] = { url = U .. "/a b" },
  ["a URL with DEL"] = { url = U .. "/\127" },
  ["a URL beyond ASCII"] = { url = "http://b\195\188cher.example/" },
  ["a URL with a backslash"] = { url = "http://a\\@b/" },
  ["a URL with credentials"] = { url = "http://user:pass@127.0.0.1/" },
  ["a URL with an empty user"] = { url = "http://@127.0.0.1/" },
  ["a URL with an encoded host"] = { url = "http://%31%32%37.0.0.1/" },
  ["a URL with a bad port"] = { url = "http://127.0.0.1:99999/" },
  ["a URL with a port of letters"] = { url = "http://127.0.0.1:a/" },
  ["a URL with port 0"] = { url = "http://127.0.0.1:0/" },
  ["a URL with an empty port"] = { url = "http://127.0.0.1:/" },
  ["a URL with half a bracket"] = { url = "http://[::1/" },
  ["a URL with a bracket in it"] = { url = "http://[::1]x/" },
  ["a URL that is too long"] = { url = U .. "/" .. ("a"):rep(8192) },
  ["a file"] = { url = "file:///etc/passwd" },
  ["a file with a host"] = { url = "file://localhost/etc/passwd" },
  ["gopher"] = { url = "gopher://127.0.0.1/" },
  ["ftp"] = { url = "ftp://127.0.0.1/" },
  ["a scheme that begins like http"] = { url = "httpx://127.0.0.1/" },
  ["a method with a space"] = { method = "GET /" },
  ["a method with CRLF"] = { method = "GET\r\nX: y" },
  ["an empty method"] = { method = "" },
  ["CONNECT"] = { method = "CONNECT" },
  ["TRACE"] = { method = "TRACE" },
  ["a HEAD with a body"] = { method = "HEAD", body = "a" },
  ["a header value with CRLF"] = { headers = { A = "b\r\nC: d" } },
  ["a header value with LF"] = { headers = { A = "b\nc" } },
  ["a header value with NUL"] = { headers = { A = "b\0c" } },
  ["a header value with a control"] = { headers = { A = "b\27" } },
  ["a header name with a space"] = { headers = { ["A B"] = "c" } },
  ["a header name with CRLF"] = { headers = { ["A\r\nB"] = "c" } },
  ["a header name with a colon"] = { headers = { [":path"] = "c" } },
  ["an empty header name"] = { headers = { [""] = "c" } },
  ["a length of the caller's"] = { headers = { ["content-length"] = "5" } },
  ["an encoding of the caller's"] = {
    headers = { ["Transfer-Encoding"] = "chunked" } },
  ["a connection header"] = { headers = { Connection = "close" } },
  ["an Expect header"] = { headers = { Expect = "100-continue" } },
  ["more than 100 headers"] = { headers = many },
  ["headers that are too large"] = { headers = { A = ("a"):rep(70000) } },
}

local function refused(bench)
  busted.describe("what is refused", function()
    for what, fields in pairs(REFUSED) do
      it(what, function()
        local response, err = bench.get("ok", fields)
        assert.is_nil(response)
        assert.equal("argument", err.kind)
        assert.is_false(err.sent)
        assert.is_nil(err.message:find("pass", 1, true))
        assert.is_nil(err.url:find("pass@", 1, true))
        assert.same({}, bench.server():requests())
      end)
    end
  end)
end

local function kept(bench)
  local get = bench.get
  local function expect(requests, connections)
    local server = bench.server()
    assert.equal(requests, #server:requests())
    assert.equal(connections, M.connections(server))
  end

  it("are kept", function()
    for _ = 1, 5 do
      assert(get "ok")
      assert(get("repeated", { method = "POST", body = "x" }))
      assert(get("no-content"))
    end
    expect(15, 1)
  end)

  it("are not kept with bytes that nobody asked for", function()
    assert.equal("ok", assert(get "long").body)
    assert.equal("ok", assert(get "ok").body)
    expect(2, 2)
  end)

  it("that their peer has ended meanwhile are not used", function()
    local server = bench.server()
    local before = server:ended()
    for i = 1, 3 do
      assert(get("late", { method = "POST", body = "x" }))
      process.eventually(function()
        return server:ended() == before + i
      end)
    end
    assert(get("ok", { method = "POST", body = "x" }))
    expect(4, 4)
  end)

  it("that died are replaced for a GET, without a word", function()
    assert(get "die-second")
    assert.equal(200, assert(get "die-second").status)
    expect(3, 2)
  end)

  for what, body in pairs { ["a POST"] = "x", ["an empty POST"] = "" } do
    it("that died with " .. what .. " do not see it twice", function()
      assert(get "die-second")
      local response, err = get("die-second", { method = "POST", body = body })
      assert.is_nil(response)
      assert.equal("reset", err.kind)
      assert.is_true(err.sent)
      assert.equal(2, #bench.server():requests())
    end)
  end
end

function M.of(bench)
  answers.of(bench)
  sent(bench)
  refused(bench)
  busted.describe("connections", function()
    kept(bench)
  end)
end

return M
