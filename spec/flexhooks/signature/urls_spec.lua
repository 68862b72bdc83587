local urls = require "flexhooks.signature.urls"

local NONE = { urls = {}, hosts = {} }

-- url -> names, of the variation with the fewest steps
local function named(url, candidates)
  local found = {}
  for _, variation in ipairs(urls.list(url, candidates or NONE)) do
    local names = table.concat(variation.names, ", ")
    local known = found[variation.value]
    if not known or #names < #known then
      found[variation.value] = names
    end
    assert.equal(#variation.names, #variation.hints)
  end
  return found
end

describe("urls.list", function()
  it("begins with what was given, less userinfo and fragment", function()
    local list = urls.list("https://u:p@h:1/x?y#z", NONE)
    assert.same({}, list[1].names)
    assert.equal("https://h:1/x?y", list[1].value)
  end)

  it("varies scheme, port and slash", function()
    local found = named "https://h:8443/x"
    assert.equal("scheme", found["http://h:8443/x"])
    assert.equal("port", found["https://h/x"])
    assert.equal("port", found["https://h:443/x"])
    assert.equal("slash", found["https://h:8443/x/"])
    assert.equal("scheme, port", found["http://h:80/x"])
    assert.equal("slash", named("https://h/x/")["https://h/x"])
    assert.equal("slash", named("https://h")["https://h/"])
  end)

  it("varies the order and the spelling of a query", function()
    local found = named "https://h/x?b=%2f&a=+&c='"
    assert.equal("query order", found["https://h/x?a=+&b=%2f&c='"])
    assert.equal("query order", found["https://h/x?c='&a=+&b=%2f"])
    assert.equal("query encoding", found["https://h/x?b=%2F&a=+&c='"])
    assert.equal("query encoding", found["https://h/x?b=/&a=+&c='"])
    assert.equal("query encoding", found["https://h/x?b=%2f&a=%20&c='"])
    assert.equal("query encoding", found["https://h/x?b=%2f&a=+&c=%27"])
    assert.equal("query encoding", found["https://h/x?b=%2F&a=+&c=%27"])
    assert.equal("no query", found["https://h/x"])
    assert.equal("empty query", named("https://h/x")["https://h/x?"])
  end)

  it("decodes a path", function()
    assert.equal("path encoding", named("https://h/%61b")["https://h/ab"])
  end)

  it("takes hosts with or without a port", function()
    local found = named("http://10.0.0.1:8080/x",
      { urls = {}, hosts = { "a.example", "b.example:8443" } })
    assert.equal("host", found["http://a.example/x"])
    assert.equal("host", found["http://b.example:8443/x"])
    assert.equal("scheme, host", found["https://a.example/x"])
  end)

  it("takes other URLs, and the one with the body's hash", function()
    local found = named("https://h/x", { hosts = {},
      urls = { "https://other/y?z", "no url" }, hashed = "https://h/x?hash" })
    assert.equal("url", found["https://other/y?z"])
    assert.equal("scheme, url",
      found["http://other/y?z"]:gsub("url, scheme", "scheme, url"))
    assert.equal("hash", found["https://h/x?hash"])
  end)

  it("has nothing for what is no URL", function()
    assert.same({}, urls.list("/x",
      { urls = { "https://h/x" }, hosts = {} }))
    assert.same({}, urls.list("", NONE))
  end)

  it("keeps an address in brackets whole", function()
    local found = named "https://[::1]/x"
    assert.equal("", found["https://[::1]/x"])
    assert.equal("port", found["https://[::1]:443/x"])
  end)
end)
