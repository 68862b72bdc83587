local signature = require "flexhooks.signature"
local signed_by = require "spec.support.signed"

local TOKEN, URL, PARAMS = signed_by.TOKEN, signed_by.URL, signed_by.PARAMS
local with, signed = signed_by.with, signed_by.delivery
local raised = signed_by.raised

describe("signature.explain", function()
  local function explain(request, changes)
    return signature.explain(with(request, changes or {}))
  end

  local function names(variation, request, changes)
    local report = explain(request, changes)
    assert.is_true(report.matched)
    assert.equal(variation, report.variation)
    assert.is_nil(tostring(report):find(TOKEN, 1, true))
    return report
  end

  local function params(changes)
    return { params = with(PARAMS, changes) }
  end

  it("says that a good signature is good", function()
    names("none", signed())
    assert.equal("The signature matches.", tostring(explain(signed())))
  end)

  it("names what differs in the URL, and what to set", function()
    local request = signed { url = URL .. "?b=2&a=%2F+1" }
    local http = "http://company.com/flex/events?b=2&a=%2F+1"
    local report = names("scheme", request, { url = http })
    assert.equal(request.url, report.url)
    assert.matches("Set public_url to https://company.com/flex/events,",
      tostring(report), 1, true)
    names("slash", request, { url = URL .. "/?b=2&a=%2F+1" })
    names("scheme, port", request,
      { url = "http://company.com:8080/flex/events?b=2&a=%2F+1" })
    names("query order", request, { url = URL .. "?a=%2F+1&b=2" })
    names("query encoding", request, { url = URL .. "?b=2&a=%2f+1" })
    names("query encoding", request, { url = URL .. "?b=2&a=%2F%201" })
    names("query encoding", request, { url = URL .. "?b=2&a=/+1" })
    names("no query", signed(), { url = URL .. "?x=1" })
    names("empty query", signed { url = URL .. "?" }, { url = URL })
    names("path encoding", signed { url = URL .. "/a" },
      { url = URL .. "/%61" })
  end)

  it("tries hosts and URLs that the caller names", function()
    names("host", signed(), { url = "https://10.0.0.7:8080/flex/events",
      hosts = { "a.example", "company.com" } })
    names("host", signed { url = "https://company.com:8443/flex/events" },
      { url = "https://10.0.0.7/flex/events", hosts = { "company.com:8443" } })
    names("url", signed(), { url = "https://other.example/x", urls = { URL } })
    names("scheme, host, slash, query order", signed { url = URL .. "?b&a" },
      { url = "http://10.0.0.7/flex/events/?a&b", hosts = { "company.com" } })
  end)

  it("names what happened to the parameters", function()
    local request = signed()
    names("value trimmed", request, params { Body = "Hello there" })
    names("values trimmed", signed(params { Body = "Hello" }),
      params { Body = " Hello " })
    names("body parsed again", request, params { From = " 14158675309" })
    names("values still encoded", request,
      params { From = "%2B14158675309", Body = "Hello+there%20" })
    names("duplicates joined", request, params { ["Media[]"] = "b,a" })
    names("duplicates joined", signed(params { ["Media[]"] = "b,a" }),
      params { ["Media[]"] = { "b", "a" } })
    names("duplicates dropped", signed(params { ["Media[]"] = "b" }),
      params { ["Media[]"] = { "b", "a" } })
    names("duplicates dropped", signed(params { ["Media[]"] = "a" }),
      params { ["Media[]"] = { "b", "a" } })
    names("empty parameters", request, params { Extra = "" })
    names("line ends", signed(params { Body = "a\r\nb" }),
      params { Body = "a\nb" })
    names("character set", signed(params { Body = "\195\169" }),
      params { Body = "\233" })
    names("query's parameters", signed { url = URL .. "?x=1" },
      params { x = "1" })
  end)

  it("names another token, or one with spaces around it", function()
    local report = names("token", signed(), { auth_token = "other",
      auth_tokens = { "third", TOKEN } })
    assert.matches("number 2 of auth_tokens", report.advice)
    names("token", signed(), { auth_token = TOKEN .. "\n" })
    names("token", signed(), { auth_token = '"' .. TOKEN .. '"' })
  end)

  it("names a signature header that was altered", function()
    local request = signed()
    names("signature", request, { signature = request.signature .. " " })
    names("signature", request, {
      signature = (request.signature:gsub("[+/=]", function(c)
        return ("%%%02x"):format(c:byte())
      end)) })
  end)

  it("tells forms from other bodies", function()
    names("URL alone, body unsigned", signed { params = {} },
      { params = PARAMS })
    names("form", signed(), { method = "GET" })
    local request = signed { body = "{}", content_type = "application/json" }
    names("URL alone", with(request, { content_type = "application/"
      .. "x-www-form-urlencoded" }))
    names("hash", request, { url = URL })
  end)

  it("says when it is the body that differs from its hash", function()
    local request = signed { body = '{"a":1}', content_type = "text/json" }
    names("body", request, { body = '{"a":1}\n' })
    local report = names("body", request, { body = '{"a": 1}' })
    assert.matches("raw bytes", report.advice)
  end)

  it("says what it suspects where nothing matches", function()
    local function advice(pattern, changes)
      local report = explain(signed(), changes)
      assert.is_false(report.matched)
      assert.is_nil(report.variation)
      assert.matches(pattern, tostring(report))
      assert.is_nil(tostring(report):find(TOKEN, 1, true))
    end
    advice("older token", { auth_token = "other" })
    advice("API key", { auth_token = "SK" .. TOKEN })
    advice("API key", { auth_token = "KZbZ5Yc8aZ1k4LzxWqP0nDyG2sMUo7vR" })
    advice("account SID", { auth_token = "AC" .. TOKEN })
    advice("28 characters", { signature = "abc" })
    advice("header is missing", { signature = "" })
    advice("begin with https", { url = "company.com/x" })
  end)

  it("ends soon on the worst of inputs", function()
    local many = {}
    for i = 1, 2000 do
      many["p" .. i] = { "a,b ", "c%20" }
    end
    local report = explain(signed(), { params = many, auth_token = "other",
      hosts = { "a", "b", "c", "d", "e", "f", "g", "h" } })
    assert.is_false(report.matched)
    assert.is_true(report.tried <= 20000)
  end)

  it("raises for a mistake", function()
    raised("auth_tokens", explain, signed(), { auth_tokens = { "" } })
    raised("explain_spec.lua:%d+: .*unknown option 'host' .*'hosts'",
      function()
        return (signature.explain(with(signed(), { host = "x" })))
      end)
  end)
end)
