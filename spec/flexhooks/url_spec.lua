local flexhooks = require "flexhooks"
local url = require "flexhooks.url"

local delivery = flexhooks.delivery_url

describe("url.parse", function()
  it("takes a URL apart", function()
    assert.same({ scheme = "https", user = "a", password = "b%40c",
      host = "h.example", port = 8443, path = "/x/../y", query = "q=%20",
      fragment = "f" },
      url.parse "https://a:b%40c@h.example:8443/x/../y?q=%20#f")
    assert.same({ scheme = "redis", host = "127.0.0.1", port = 6379,
      path = "/0", query = "partitions=16" },
      url.parse "redis://127.0.0.1:6379/0?partitions=16")
    assert.same({ scheme = "http", host = "[::1]", path = "/" },
      url.parse "http://[::1]")
  end)

  for _, text in ipairs { "", "h.example", "//h.example", "https://",
    "https:///x", "https:/h", "https://?x", "https://a b/", "https://a/\n",
    "https://a/\0b", "https://\195\164/", "https://a/\195\164", "https://a\\b",
    "https://a:b:c/", "https://a:70000", "https://[::1", "https://a%2eb/",
    "https://[::1]:0/", "https://[v1.x]/", "https://u@/", "://a",
    "https://" .. ("a"):rep(9000) } do
    it("refuses " .. ("%q"):format(text:sub(1, 20)), function()
      local parts, wrong = url.parse(text)
      assert.is_nil(parts)
      assert.equal("string", type(wrong))
    end)
  end

  it("refuses what is no string", function()
    for _, value in ipairs { 1, true, {} } do
      assert.is_nil((url.parse(value)))
    end
    assert.is_nil((url.parse(nil)))
  end)
end)

describe("url.parse_http", function()
  it("takes http and https alone", function()
    assert.equal("h", url.parse_http "HTTP://h/".host)
    assert.equal("h", url.parse_http "https://h/".host)
    for _, text in ipairs { "redis://h/", "httpx://h/", "h" } do
      local parts, wrong = url.parse_http(text)
      assert.is_nil(parts)
      assert.equal("string", type(wrong))
    end
  end)
end)

describe("url.query", function()
  it("encodes names and values, sorted, lists repeated", function()
    assert.equal("a%20b=%C3%A4%26&list=1&list=2.5&n=1000000&t=true",
      url.query { t = true, ["a b"] = "\195\164&", list = { 1, 2.5 },
        n = 1e6 })
    assert.equal("", url.query {})
    assert.equal("e=", url.query { e = "" })
    assert.equal("", url.query { e = {} })
    assert.equal("x=%00%0D%0A", url.query { x = "\0\r\n" })
    if rawget(math, "type") then
      assert.equal("n=1000000000000000003", url.query {
        n = 1000000000000000003 })
    end
    assert.equal("n=0.3333333333333333", url.query { n = 1 / 3 })
  end)

  it("refuses what has no text", function()
    for _, value in ipairs { print, { {} }, { print }, 0 / 0, { 1 / 0 },
      io.stdout, { 1, nil, 3 }, { 1, x = 2 } } do
      local query, wrong = url.query { name = value }
      assert.is_nil(query)
      assert.matches("'name'", wrong, 1, true)
    end
    local query, wrong = url.query { "a=b" }
    assert.is_nil(query)
    assert.equal("names must be strings, got number", wrong)
  end)

  it("is added before the fragment", function()
    assert.equal("https://h/?a=1", url.add_query("https://h/", "a=1"))
    assert.equal("https://h/?b&a=1#f", url.add_query("https://h/?b#f", "a=1"))
    assert.equal("https://h/?a=1#f?g", url.add_query("https://h/#f?g", "a=1"))
    assert.equal("https://h/?a=1", url.add_query("https://h/?", "a=1"))
    assert.equal("https://h/?b&a=1", url.add_query("https://h/?b&", "a=1"))
    assert.equal("https://h/#f", url.add_query("https://h/#f", ""))
  end)
end)

describe("a proxy", function()
  for _, proxy in ipairs { "", "h:3128", "http://h", "HTTPS://u:p@h:8443",
    "socks4://h", "socks4a://h", "socks5://[::1]:1080", "socks5h://h" } do
    it("may be '" .. proxy .. "'", function()
      assert.is_nil(url.proxy_complaint(proxy))
    end)
  end

  for proxy, wanted in pairs { ["socks9://u:secret@h"] = "must begin with",
    ["http://u:secret@"] = "has no host", ["u:secret@h:0"] = "port",
    ["http://u:secret@h h"] = "space", ["u:secret@h\r\n"] = "control" } do
    it("may not: " .. wanted, function()
      local wrong = url.proxy_complaint(proxy)
      assert.matches(wanted, wrong)
      assert.is_nil(wrong:find("secret", 1, true))
    end)
  end
end)

describe("delivery_url", function()
  local U = "https://h.example/events?x=%2F"

  for _, row in ipairs {
    { U, { retries = 3 }, U .. "#rc=3" },
    { U, { retries = 0 }, U .. "#rc=0" },
    { U, { retry_on = "5xx" }, U .. "#rp=5xx" },
    { U, { retries = 5, retry_on = { "4xx", "5xx", "ct", "rt" } },
      U .. "#rc=5&rp=4xx,5xx,ct,rt" },
    { U, { connect_timeout = 2.5, read_timeout = 10, total_timeout = 0.1 },
      U .. "#ct=2500&rt=10000&tt=100" },
    { U, {}, U },
    { U, nil, U },
    { U .. "#", { retries = 1 }, U .. "#rc=1" },
    { U .. "#rc=1", { retries = 2 }, U .. "#rc=2" },
    { U .. "#e=ashburn,dublin&rc=1&sni=n", { retry_on = "all" },
      U .. "#e=ashburn,dublin&rc=1&sni=n&rp=all" },
    { U .. "#rp=ct", { retries = 2 }, U .. "#rp=ct&rc=2" },
    { U .. "#rc=1&e=ie1&rc=2", { retries = 5 }, U .. "#rc=5&e=ie1" },
    { "http://user:pass@h/", { retries = 2 }, "http://user:pass@h/#rc=2" },
  } do
    it(row[3]:sub(#U + 1) .. " from " .. row[1]:sub(#U + 1), function()
      assert.equal(row[3], delivery(row[1], row[2]))
    end)
  end

  for what, row in pairs {
    ["too many retries"] = { U, { retries = 6 } },
    ["half a retry"] = { U, { retries = 1.5 } },
    ["retries that are text"] = { U, { retries = "3" } },
    ["an unknown condition"] = { U, { retry_on = "6xx" } },
    ["no condition"] = { U, { retry_on = {} } },
    ["conditions with a hole"] = { U, { retry_on = { "5xx", nil, "ct" } } },
    ["conditions in one text"] = { U, { retry_on = "4xx,5xx" } },
    ["a time-out too long"] = { U, { connect_timeout = 11 } },
    ["a time-out too short"] = { U, { total_timeout = 0 } },
    ["a time that is none"] = { U, { read_timeout = 0 / 0 } },
    ["an unknown option"] = { U, { retry = 3 } },
    ["a fragment of another kind"] = { U .. "#top", { retries = 3 } },
    ["an override out of range"] = { U .. "#rc=9", { retry_on = "ct" } },
    ["an unknown condition there"] = { U .. "#rp=ct,", { retries = 1 } },
    ["a time out of range there"] = { U .. "#tt=99", { retries = 1 } },
    ["another scheme"] = { "ftp://h/", { retries = 3 } },
    ["no URL"] = { "h.example", { retries = 3 } },
    ["a URL with a space"] = { "https://h/ ", { retries = 3 } },
    ["a number"] = { 1, { retries = 3 } },
    ["nothing"] = {},
  } do
    it("refuses " .. what, function()
      local ok, err = pcall(delivery, row[1], row[2])
      assert.is_false(ok)
      assert.equal("argument", err.kind)
      assert.matches("flexhooks.delivery_url", err.message, 1, true)
    end)
  end

  it("blames its caller, and suggests", function()
    local _, err = pcall(function()
      delivery(U, { retrys = 1 })
    end)
    assert.matches("url_spec.lua:%d+:", err.message)
    assert.matches("did you mean 'retries'", err.message)
  end)
end)
