local signature = require "flexhooks.signature"
local vectors = require "spec.data.signature_vectors"

local TOKEN = "0123456789abcdef0123456789abcdef"
local URL = "https://company.com/flex/events"
local PARAMS = {
  EventType = "onParticipantJoined",
  From = "+14158675309",
  Body = "Hello there ",
  Empty = "",
  ["Media[]"] = { "b", "a" },
}

local function with(base, changes)
  local copy = {}
  for _, source in ipairs { base, changes } do
    for name, value in pairs(source) do
      copy[name] = value
    end
  end
  return copy
end

-- A delivery of PARAMS with the signature it deserves.
local function signed(changes)
  local request = with({ auth_token = TOKEN, url = URL }, changes or {})
  if not request.body then
    request.params = request.params or PARAMS
  end
  request.signature, request.url = signature.sign(request)
  return request
end

local function accepted(request)
  local good, err = signature.validate(request)
  assert.is_nil(err)
  assert.is_true(good)
end

local function refused(reason, request)
  local good, err = signature.validate(request)
  assert.is_nil(good)
  assert.equal(reason, err.reason)
  assert.is_nil(tostring(err):find(TOKEN, 1, true))
  return err
end

local function raised(pattern, f, ...)
  local good, err = pcall(f, ...)
  assert.is_false(good)
  assert.matches(pattern, tostring(err))
  assert.equal("argument", err.kind)
end

describe("signature.validate", function()
  for _, row in ipairs(vectors) do
    it("has the libraries' verdict on " .. row.name, function()
      local request = { auth_token = "12345", url = row.url,
        params = row.params, body = row.body, signature = row.signature,
        content_type = row.body and "application/json" }
      assert.equal(row.valid or nil, (signature.validate(request)))
      request.auth_token = "12346"
      assert.is_nil((signature.validate(request)))
    end)
  end

  it("takes any of several tokens", function()
    local request = signed()
    accepted(with(request, { auth_token = { "other", TOKEN } }))
    refused("signature_differs", with(request, { auth_token = { "a", "b" } }))
  end)

  it("says why not", function()
    local request = signed()
    local err = refused("signature_differs",
      with(request, { url = URL .. "/" }))
    assert.equal("signature", err.kind)
    err = refused("malformed", { auth_token = TOKEN, url = URL, body = "a=%",
      signature = request.signature })
    assert.equal("malformed", err.kind)
    refused("signature_shape", with(request, { signature = "abc" }))
    refused("url", with(request, { url = "/flex/events" }))
    refused("url", with(request, { url = "https://h h/" }))
    request.signature = nil
    refused("signature_missing", request)
  end)

  it("reads a body as a form unless its type says otherwise", function()
    local request = signed { body = "a=1&b=%41+%2B&b=0" }
    accepted(request)
    accepted(with(request, {
      content_type = "Application/X-WWW-Form-Urlencoded ; charset=UTF-8" }))
    refused("body_unsigned", with(request, { content_type = "text/plain" }))
    local params = { a = "1", b = { "0", "A +" } }
    accepted { auth_token = TOKEN, url = URL, signature = request.signature,
      params = params }
  end)

  it("binds the body to bodySHA256, whatever its type", function()
    for _, kind in ipairs { "application/json", "text/plain",
      "application/x-www-form-urlencoded" } do
      local body = "a=1"
      local core = require "flexhooks.core"
      local url = URL .. "?bodySHA256=" .. core.sha256(body)
      local request = signed { url = url, body = body, content_type = kind }
      accepted(request)
      url = URL .. "?bodySHA256=" .. core.sha256 "a=2"
      refused("body_differs",
        signed { url = url, body = body, content_type = kind })
    end
  end)

  it("needs the raw body for bodySHA256, not parameters", function()
    local core = require "flexhooks.core"
    local url = URL .. "?bodySHA256=" .. core.sha256 "a=1"
    local request = signed { url = url, body = "a=1" }
    request.body, request.params = nil, { a = "1" }
    refused("body_differs", request)
  end)

  it("takes the URL of a GET alone", function()
    local url = URL .. "?a=1&b=%zz"
    local request = { auth_token = TOKEN, url = url, method = "get",
      signature = signature.sign { auth_token = TOKEN, url = url } }
    accepted(request)
    accepted(with(request, { body = "", content_type = "application/json" }))
    refused("body_unsigned", with(request, { body = "a=1" }))
    refused("body_unsigned", with(request, { params = { a = "1" } }))
  end)

  it("takes numbers as what they are on the wire", function()
    local request = signed { params = { ErrorCode = "45009", x = "1.5" } }
    accepted(with(request, { params = { ErrorCode = 45009, x = 1.5 } }))
  end)

  it("keeps bytes that are no UTF-8, and NULs in values", function()
    accepted(signed { params = { a = "\255\0\254", ["\192"] = "x" } })
    accepted(signed { body = "a=%ff%00%fe&\192=x" })
  end)

  it("raises for a mistake, at the caller's line", function()
    local request = signed()
    raised("signature_spec.lua:%d+: .*validate: option 'auth_token' is miss",
      function() return (signature.validate { url = URL }) end)
    raised("did you mean 'signature'", signature.validate,
      with(request, { signatur = "x" }))
    raised("not both", signature.validate, with(request, { body = "a=1" }))
    raised("not empty", signature.validate, with(request, { auth_token = "" }))
    raised("list of 1 to 16", signature.validate,
      with(request, { auth_token = {} }))
    raised("not empty", signature.validate,
      with(request, { auth_token = { "a", 1 } }))
    raised("'signature' must be string", signature.validate,
      with(request, { signature = 1 }))
    raised("strings as names", signature.validate,
      with(request, { params = { "a" } }))
    raised("as values", signature.validate,
      with(request, { params = { a = { true } } }))
    raised("must be a table", signature.validate, "x")
  end)
end)

describe("signature.sign", function()
  it("gives the documented example's signature", function()
    local row
    for _, vector in ipairs(vectors) do
      row = vector.name == "docs-worked-example" and vector or row
    end
    assert.equal(row.signature, (signature.sign { auth_token = "12345",
      url = row.url, params = row.params }))
  end)

  it("leaves userinfo and fragment out of the URL", function()
    local _, url = signature.sign { auth_token = TOKEN,
      url = "https://user:pass@company.com:8443/a?b=c#rc=3&rp=all" }
    assert.equal("https://company.com:8443/a?b=c", url)
  end)

  it("adds the hash of a body that is no form to the URL", function()
    local _, url = signature.sign { auth_token = TOKEN, url = URL, body = "{}",
      content_type = "application/json" }
    local hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61c"
      .. "aaff8a"
    assert.equal(URL .. "?bodySHA256=" .. hash, url)
    _, url = signature.sign { auth_token = TOKEN, url = URL .. "?a=1#f",
      body = "{}", content_type = "application/json" }
    assert.equal(URL .. "?a=1&bodySHA256=" .. hash, url)
    local _, same = signature.sign { auth_token = TOKEN, url = url,
      body = "{}", content_type = "application/json" }
    assert.equal(url, same)
  end)

  it("signs what validate accepts", function()
    accepted(signed())
    accepted(signed { params = {} })
    accepted(signed { url = URL .. "?", params = { a = "1" } })
    accepted(signed { body = "{}", content_type = "application/json" })
    accepted(signed { body = "", content_type = "application/json" })
    accepted(signed { url = "https://[::1]:8443/x?y='z'" })
  end)

  it("signs with the first of several tokens", function()
    assert.equal((signature.sign { auth_token = { TOKEN, "x" }, url = URL }),
      (signature.sign { auth_token = TOKEN, url = URL }))
  end)

  it("raises for what cannot be signed", function()
    local function sign(changes)
      return signature.sign(with({ auth_token = TOKEN, url = URL }, changes))
    end
    raised("https:// or http://", sign, { url = "ftp://company.com" })
    raised("a host", sign, { url = "https:///x" })
    raised("spaces", sign, { url = "https://h/a b" })
    raised("not a form", sign, { body = "a=%" })
    raised("GET has no body", sign, { method = "GET", body = "a=1" })
    raised("GET has no body", sign, { method = "GET", params = { a = "1" } })
  end)
end)

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

  it("never makes validate accept", function()
    local request = with(signed(), { url = "http://company.com/flex/events" })
    assert.is_true(signature.explain(request).matched)
    refused("signature_differs", request)
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
    raised("signature_spec.lua:%d+: .*unknown option 'host' .*'hosts'",
      function()
        return (signature.explain(with(signed(), { host = "x" })))
      end)
  end)
end)
