local encode = require "flexhooks.client.encode"

local HOME = { base_url = "https://flex-api.twilio.com",
  origin = "https://flex-api.twilio.com" }
local HERE = { base_url = "http://127.0.0.1:4010/flex",
  origin = "http://127.0.0.1:4010" }

describe("encode.texts", function()
  local ROWS = {
    { "a b", { "a b" } }, { "", { "" } }, { "a\0b", { "a\0b" } },
    { 5, { "5" } }, { 5.0, { "5" } }, { -3, { "-3" } }, { 0.5, { "0.5" } },
    { 2 ^ 40, { "1099511627776" } }, { 0.1, { "0.1" } },
    { 1e18, { "1000000000000000000" } }, { true, { "true" } }, { false,
      { "false" } },
    { { "a", "b" }, { "a", "b" } }, { { 1, true }, { "1", "true" } }, { {},
      {} },
    { { type = "sms" }, { '{"type":"sms"}' } },
    { { { a = 1 }, "b" }, { '{"a":1}', "b" } },
  }
  for i, row in ipairs(ROWS) do
    it("row " .. i, function()
      assert.same(row[2], encode.texts(row[1]))
    end)
  end

  local cycle = { a = {} }
  cycle.a.b = cycle
  local hostile = setmetatable({ a = 1 }, { __index = function()
    error "asked"
  end })

  for what, value in pairs {
    ["got function"] = print,
    ["got thread"] = coroutine.create(print),
    ["got one that is not finite"] = 0 / 0,
    ["[2] must be a string, number, boolean or table, got function"] =
      { "a", print },
    ["contains itself"] = cycle,
    ["[1] it contains itself"] = { cycle },
    ["more than 1000 values"] = (function()
      local list = {}
      for i = 1, 1001 do
        list[i] = i
      end
      return list
    end)(),
  } do
    it("refuses: " .. what, function()
      local texts, wrong = encode.texts(value)
      assert.is_nil(texts)
      assert.matches(what, wrong, 1, true)
    end)
  end

  it("asks no metatable", function()
    assert.same({ '{"a":1}' }, encode.texts(hostile))
  end)
end)

describe("encode.json", function()
  it("takes what a request may hold", function()
    assert.equal('{"a":[1,2]}', encode.json { a = { 1, 2 } })
    assert.equal("5", encode.json(5))
    local many = {}
    for i = 1, 19000 do
      many[i] = i
    end
    assert.is_string(encode.json(many))
  end)

  it("finds what none holds before it is encoded", function()
    local many, deep = {}, {}
    for i = 1, 1e5 do
      many[i] = i
    end
    for _ = 1, 100 do
      deep = { deep }
    end
    for _, value in ipairs { many, { a = many }, deep } do
      local text, wrong = encode.json(value)
      assert.is_nil(text)
      assert.matches("more than 20000 values", wrong)
    end
  end)
end)

describe("encode.pairs", function()
  it("is in the order of the names", function()
    assert.same({ { "A", "1" }, { "B", "2" }, { "B", "3" }, { "C", "true" } },
      encode.pairs { B = { 2, 3 }, C = true, A = "1" })
  end)

  it("refuses what has no text", function()
    local list, wrong = encode.pairs { A = print }
    assert.is_nil(list)
    assert.equal(
      "'A' must be a string, number, boolean or table, got function",
      wrong)
    list, wrong = encode.pairs { "a" }
    assert.is_nil(list)
    assert.equal("names must be strings, got number", wrong)
  end)

  it("does not walk through a million names", function()
    local params = {}
    for i = 1, 1e5 do
      params["n" .. i] = 1
    end
    local list, wrong = encode.pairs(params)
    assert.is_nil(list)
    assert.equal("must not have more than 1000 names", wrong)
  end)
end)

describe("encode.form", function()
  it("escapes names and values", function()
    local body, content_type = encode.form { { "a b", "c&d=e" }, { "f",
      "\0ä" } }
    assert.equal("a+b=c%26d%3De&f=%00%C3%A4", (body:gsub("%%20", "+")))
    assert.equal("application/x-www-form-urlencoded", content_type)
  end)
end)

describe("encode.with_query", function()
  it("adds to what is there", function()
    assert.equal("/a", encode.with_query("/a", {}))
    assert.equal("/a?b=1", encode.with_query("/a", { { "b", "1" } }))
    assert.equal("/a?b=1&c=2", encode.with_query("/a?b=1", { { "c", "2" } }))
  end)
end)

describe("encode.headers", function()
  it("puts the caller's over the defaults, in any case", function()
    local headers = encode.headers({ accept = "text/plain", ["X-A"] = 5 },
      { Accept = "application/json", ["User-Agent"] = "us" })
    assert.same({ accept = "text/plain", ["X-A"] = "5",
      ["User-Agent"] = "us" },
      headers)
  end)

  local ROWS = {
    { { [""] = "x" }, "HTTP tokens" }, { { ["a b"] = "x" }, "HTTP tokens" },
    { { ["a:"] = "x" }, "HTTP tokens" }, { { ["a\r\nb"] = "x" },
      "HTTP tokens" },
    { { "x" }, "HTTP tokens" }, { { ["caf\195\169"] = "x" }, "HTTP tokens" },
    { { a = "x\r\nb: c" }, "control characters" },
    { { a = "x\n" }, "control characters" },
    { { a = "x\0" }, "control characters" },
    { { a = "x\127" }, "control characters" },
    { { a = {} }, "'a' must be a string" }, { { a = print },
      "must be a string" },
    { { a = ("x"):rep(8193) }, "8192" },
    { { Authorization = "x" }, "'Authorization' is set by the client" },
    { { HOST = "x" }, "set by the client" },
    { { ["content-length"] = "5" }, "set by the client" },
    { { ["Transfer-Encoding"] = "chunked" }, "set by the client" },
    { { Connection = "close" }, "set by the client" },
    { { ["Keep-Alive"] = "timeout=5" }, "set by the client" },
    { { ["Proxy-Connection"] = "close" }, "set by the client" },
    { { a = "x\ty" }, "control characters" },
    { { ["Proxy-Authorization"] = "x" }, "set by the client" },
  }
  for i, row in ipairs(ROWS) do
    it("refuses row " .. i, function()
      local headers, wrong = encode.headers(row[1], {})
      assert.is_nil(headers)
      assert.matches(row[2], wrong, 1, true)
    end)
  end

  it("refuses more than a hundred", function()
    local many = {}
    for i = 1, 101 do
      many["X-" .. i] = "1"
    end
    local headers, wrong = encode.headers(many, {})
    assert.is_nil(headers)
    assert.equal("must not be more than 100", wrong)
  end)
end)

describe("encode.body", function()
  it("is none, a form, JSON or a text", function()
    assert.is_nil((encode.body {}))
    assert.same({ "A=1", "application/x-www-form-urlencoded" },
      { encode.body { form = { A = 1 } } })
    assert.same({ '{"a":1}', "application/json" },
      { encode.body { json = { a = 1 } } })
    assert.same({ "false", "application/json" },
      { encode.body { json = false } })
    assert.same({ "raw" }, { encode.body { body = "raw" } })
  end)

  for what, given in pairs {
    ["give 'form' or 'json', not both"] = { form = {}, json = {} },
    ["give 'form' or 'body', not both"] = { form = {}, body = "" },
    ["option 'form': 'a' must be"] = { form = { a = print } },
    ["option 'json': a function cannot be encoded"] = { json = print },
  } do
    it("refuses: " .. what, function()
      local body, _, wrong = encode.body(given)
      assert.is_nil(body)
      assert.matches(what, wrong, 1, true)
    end)
  end
end)

describe("encode.target", function()
  for _, row in ipairs {
    { HOME, "/v1/x?a=b", "https://flex-api.twilio.com/v1/x?a=b" },
    { HOME, "//evil.example/x",
      "https://flex-api.twilio.com//evil.example/x" },
    { HOME, "/@evil.example", "https://flex-api.twilio.com/@evil.example" },
    { HERE, "/v1/x", "http://127.0.0.1:4010/flex/v1/x" },
    { HOME, "https://taskrouter.twilio.com/v1/x",
      "https://taskrouter.twilio.com/v1/x" },
    { HOME, "https://api.dublin.ie1.twilio.com:443/x",
      "https://api.dublin.ie1.twilio.com:443/x" },
    { HOME, "HTTPS://Flex-API.Twilio.com/x", "HTTPS://Flex-API.Twilio.com/x" },
    { HERE, "http://127.0.0.1:4010/other", "http://127.0.0.1:4010/other" },
    { HERE, "https://api.twilio.com/x", "https://api.twilio.com/x" },
  } do
    it("is " .. row[3], function()
      assert.equal(row[3], encode.target(row[2], row[1]))
    end)
  end

  for _, target in ipairs {
    "https://evil.example/x", "https://twilio.com.evil.example/",
    "https://eviltwilio.com/", "https://twilio.com/", "https://.twilio.com/",
    "https://api.twilio.com@evil.example/", "https://a:b@api.twilio.com/",
    "https://evil.example/#.twilio.com", "https://evil.example?.twilio.com",
    "https://evil.example\\.twilio.com/", "http://api.twilio.com/",
    "https://api.twilio.com:8443/", "https://flex-api.twilio.com./",
    "http://127.0.0.1:4010/", "file:///etc/passwd", "ftp://api.twilio.com/",
    "javascript:alert(1)", "v1/x", "", "/a b", "/a\r\nX: y", "/a\0", "/a\tb",
    "/a\127", "/caf\195\169", "/a#b", "/a\\b", "/" .. ("x"):rep(8192),
    "https://ex\195\164mple.twilio.com/", "https:///x", "https://", 5, {},
      print,
  } do
    it("refuses " .. tostring(target):sub(1, 50):gsub("%c", "?"), function()
      local url, wrong = encode.target(target, HOME)
      assert.is_nil(url)
      assert.matches("^must ", wrong)
    end)
  end

  it("refuses nil", function()
    assert.is_nil((encode.target(nil, HOME)))
  end)
end)

describe("encode.endpoint", function()
  local HEX = ("0a"):rep(16)

  it("counts SIDs and ttids as one endpoint", function()
    local path, endpoint = encode.endpoint("GET",
      "https://flex-api.twilio.com/v1/Interactions/KD" .. HEX .. "/Channels/UO"
      .. HEX .. "?PageSize=5")
    assert.equal("/v1/Interactions/KD" .. HEX .. "/Channels/UO" .. HEX, path)
    assert.equal("GET https://flex-api.twilio.com/v1/Interactions/{sid}"
      .. "/Channels/{sid}", endpoint)
    path, endpoint = encode.endpoint("DELETE",
      "http://127.0.0.1:80/v1/Instances/"
      .. "GO" .. HEX .. "/InteractionWebhooks/flex_interactionwebhook_01")
    assert.matches("/flex_interactionwebhook_01$", path)
    assert.equal("DELETE http://127.0.0.1:80/v1/Instances/{sid}"
      .. "/InteractionWebhooks/{ttid}", endpoint)
  end)

  it("leaves all else of a path as it is", function()
    for url, wanted in pairs {
      ["http://h"] = { "", "GET http://h" },
      ["http://h?a/b"] = { "", "GET http://h" },
      ["http://h/"] = { "/", "GET http://h/" },
      ["https://h//a/?b=/GO" .. HEX] = { "//a/", "GET https://h//a/" },
      ["https://h/go" .. HEX .. "/x"] = { "/go" .. HEX .. "/x",
        "GET https://h/go" .. HEX .. "/x" },
      ["https://h/GO" .. HEX .. "0/x"] = { "/GO" .. HEX .. "0/x",
        "GET https://h/GO" .. HEX .. "0/x" },
      ["https://h/KD" .. HEX .. "/x/KD" .. HEX .. "/"] = {
        "/KD" .. HEX .. "/x/KD" .. HEX .. "/",
        "GET https://h/{sid}/x/{sid}/" },
    } do
      assert.same(wanted, { encode.endpoint("GET", url) })
    end
  end)
end)
