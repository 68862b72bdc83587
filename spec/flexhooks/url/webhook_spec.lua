local webhook = require "flexhooks.url.webhook"

-- URLs of one identity, in each list.
local EQUAL = {
  { "https://company.example/e", "HTTPS://Company.Example/e",
    "https://company.example:443/e", "https://company.example:/e",
    "https://company.example:0443/e", "https://flex:OLD@company.example/e",
    "https://flex:a@b@company.example/e", "https://token@company.example/e",
    "https://company.example/e#rc=3", "https://company.example/%65",
    "https://company.example/./e", "https://company.example/a/../e",
    "https://company.example/%2E%2e/e", "https://company.example/../e" },
  { "http://company.example/", "http://company.example",
    "http://company.example:80", "http://company.example#rc=1",
    "http://company.example/.", "http://company.example/a/.." },
  { "https://h.example/?a=%7Eb%2fc", "https://h.example?a=~b%2Fc" },
  { "https://[2001:DB8::1]:8443/e", "https://x:y@[2001:db8::1]:8443/e" },
  { "https://h.example/a//b", "https://h.example/a/./%2e/x/..//b" },
}

-- Pairs of URLs that are not equal.
local OTHER = {
  { "https://company.example/e", "http://company.example/e" },
  { "https://company.example/e", "https://company.example/e/" },
  { "https://company.example/e", "https://company.example/E" },
  { "https://company.example/e", "https://company.example:80/e" },
  { "https://company.example/e", "https://company.example:8443/e" },
  { "https://company.example/e", "https://company.example/e?" },
  { "https://company.example/e?a&b", "https://company.example/e?b&a" },
  { "https://company.example/a%2Fb", "https://company.example/a/b" },
  { "https://company.example/%27", "https://company.example/'" },
  { "https://company.example/e", "https://company.example.evil.example/e" },
  { "https://company.example/e", "https://company.example@evil.example/e" },
  { "https://[::1]/e", "https://[::2]/e" },
  { "https://[::1]:443/e", "https://[::1]:44/e" },
}

describe("url.webhook.identity", function()
  it("is one for what RFC 3986 calls equal, and for any user", function()
    for _, urls in ipairs(EQUAL) do
      for _, url in ipairs(urls) do
        assert.equal(webhook.identity(urls[1]), webhook.identity(url), url)
      end
    end
  end)

  it("is another for what differs", function()
    for _, pair in ipairs(OTHER) do
      assert.not_equal(webhook.identity(pair[1]), webhook.identity(pair[2]),
        pair[2])
    end
  end)

  it("is not changed by being computed again", function()
    for _, urls in ipairs(EQUAL) do
      local identity = webhook.identity(urls[1])
      assert.equal(identity, webhook.identity(identity))
    end
  end)

  it("is a text without its fragment if that is not a URL", function()
    assert.equal("u", webhook.identity "u#x")
    assert.equal("", webhook.identity "")
  end)
end)

describe("url.webhook.origin", function()
  it("is scheme, host and port in one spelling", function()
    for url, origin in pairs {
      ["HTTPS://a:b@H.Example:443/x?y#z"] = "https://h.example",
      ["http://h.example:8080"] = "http://h.example:8080",
      ["http://h.example:443/"] = "http://h.example:443",
      ["https://[::1]"] = "https://[::1]",
      ["https://[::1]:0444/"] = "https://[::1]:444",
      ["not a URL"] = "not a URL",
    } do
      assert.equal(origin, webhook.origin(url))
    end
  end)
end)

describe("url.webhook.overrides", function()
  it("is the fragment", function()
    assert.equal("#rc=3", webhook.overrides "https://h.example/#rc=3")
    assert.equal("", webhook.overrides "https://h.example/#")
    assert.equal("", webhook.overrides "https://h.example/")
  end)
end)

describe("url.webhook.shown", function()
  it("hides passwords", function()
    for text, shown in pairs {
      ["https://flex:OLD@h.example/e#rc=3"] =
        "https://flex:****@h.example/e#rc=3",
      ["https://flex:a@b:c@h.example"] = "https://flex:****@h.example",
      ["https://token@h.example/e"] = "https://****@h.example/e",
      ["https://:OLD@h.example/e"] = "https://:****@h.example/e",
      ["flex:OLD@h.example/e"] = "flex:****@h.example/e",
      ["flex:OLD@localhost:80"] = "flex:****@localhost:80",
      ["flex:OLD@[::1]/e"] = "flex:****@[::1]/e",
      ["flex:O@L:D@h.example/e"] = "flex:****@h.example/e",
      ["flexhooks flex:OLD@h.example/e"] = "flexhooks flex:****@h.example/e",
      ["//flex:OLD@h.example"] = "//flex:****@h.example",
      ["at https://a:b@h.example, https://c:d@i.example/"] =
        "at https://a:****@h.example, https://c:****@i.example/",
      ["https://a:b@h,https://c:d@i"] = "https://a:****@h,https://c:****@i",
      ["https://h.example/?to=https://c:d@i.example"] =
        "https://h.example/?to=https://c:****@i.example",
      ["https://flex:O/LD@h.example/e"] = "https://****@h.example/e",
      ["https://flex:O?L@D@h.example/e"] = "https://****@h.example/e",
      ["https://flex:O#LD@h.example/e"] = "https://****@h.example/e",
      ["(https://flex:O/L@D@h.example/e)"] = "(https://****@h.example/e)",
      ["https:///flex:OLD@h.example/"] = "https:///flex:****@h.example/",
    } do
      assert.equal(shown, webhook.shown(text))
    end
  end)

  it("leaves everything else alone", function()
    for _, text in ipairs { "", "u", "https://h.example/", "a team@work",
      "https://h.example:8080/a@b", "https://[::1]:80/a@b",
      "mail joe@company.example", "line one\nline two", "a: b@c",
      "ops:on-call@desk", "@", ":@", "a:@b" } do
      assert.equal(text, webhook.shown(text))
    end
  end)

  -- A pattern that looks at the whole text for each of its parts would take
  -- hours.
  it("takes a time that grows with the text alone", function()
    for _, part in ipairs { "//a:b/", "//a:b", "a:b@", ":@", " :", "//@",
      "@//", "/", "a:" } do
      assert.is_string(webhook.shown("@ " .. part:rep(500000)))
      assert.is_string(webhook.shown(part:rep(500000) .. "@"))
    end
  end)
end)

describe("url.webhook.is_hidden", function()
  it("tells whether the password is left out", function()
    for url, hidden in pairs {
      ["https://flex:****@h.example/"] = true,
      ["https://****@h.example/"] = true,
      ["https://flex:***@h.example/"] = false,
      ["https://****:x@h.example/"] = false,
      ["https://h.example/****@x"] = false,
      ["https://h.example/?a=//x:****@y"] = false,
      ["https://h.example/"] = false,
    } do
      assert.equal(hidden, webhook.is_hidden(url), url)
    end
  end)
end)

describe("url.webhook.revealed", function()
  it("takes the password of the same user at the same origin", function()
    assert.equal("https://flex:a@b@h.example/new#rc=3", webhook.revealed(
      "https://flex:****@h.example/new#rc=3", "https://flex:a@b@H.example/o"))
    assert.equal("https://token@h.example/", webhook.revealed(
      "https://****@h.example/", "https://token@h.example/x"))
    for _, known in ipairs { "https://other:a@h.example/",
      "https://flex:a@evil.example/", "http://flex:a@h.example/",
      "https://h.example/", "https://flex@h.example/" } do
      assert.is_nil(webhook.revealed("https://flex:****@h.example/", known))
    end
    assert.is_nil(webhook.revealed("https://flex:****@h.example/", nil))
  end)
end)

describe("url.webhook.target", function()
  it("moves user name and password into a header", function()
    local url, authorization =
      webhook.target "https://fl%65x:p%40ss:w@h.example:8443/e?a=//b@c#rc=3"
    assert.equal("https://h.example:8443/e?a=//b@c", url)
    assert.equal("Basic ZmxleDpwQHNzOnc=", authorization)
  end)

  it("has no header without a password", function()
    for _, text in ipairs { "https://h.example/", "https://token@h.example/",
      "https://:x@h.example/", "https://flex:%0d%0aX@h.example/" } do
      local url, authorization = webhook.target(text)
      assert.equal("https://h.example/", url)
      assert.is_nil(authorization)
    end
  end)
end)
