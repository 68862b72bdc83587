local flexhooks = require "flexhooks"
local rude = require "spec.support.rude"

local http = flexhooks.http

local server

setup(function()
  server = rude.start()
end)

before_each(function()
  server:forget()
end)

local function echo(options, rest)
  local answer = assert(http(server.url .. "/echo" .. (rest or ""), options))
  local head, body = answer.body:match "^(.-\r\n\r\n)(.*)$"
  return head, body, answer
end

describe("flexhooks.http", function()
  it("asks with GET, and gives status, headers and body", function()
    local head, body, answer = echo()
    assert.matches("^GET /echo HTTP/1.1\r\n", head)
    assert.matches("\r\nUser-Agent: flexhooks\r\n", head, 1, true)
    assert.equal("", body)
    assert.equal(200, answer.status)
    assert.equal(tostring(#answer.body), answer.headers["content-length"])
  end)

  it("takes a status for an answer, whatever it is", function()
    for path, status in pairs { ["404"] = 404, ["500"] = 500,
      ["redirect/302//ok"] = 302 } do
      assert.equal(status, assert(http(server.url .. "/" .. path)).status)
    end
    assert.equal(3, #server:requests())
  end)

  it("makes an error of a status that is not expected", function()
    for path, expect in pairs { ["404"] = "2xx", ["500"] = { "2xx", 404 },
      ["redirect/302//ok"] = 200, ["ok"] = "4xx" } do
      local answer, err = http(server.url .. "/" .. path .. "?secret",
        { expect = expect })
      assert.is_nil(answer)
      assert.equal("http", err.kind)
      assert.equal(path == "ok" and 200 or tonumber(path:match "%d+"),
        err.status)
      assert.is_nil(err.retry_after)
      assert.equal("GET", err.method)
      assert.equal(server.url .. "/" .. path, err.url)
      assert.is_nil(tostring(err):find("secret", 1, true))
    end
  end)

  it("says in the error what was expected, and how long to wait", function()
    local answer, err = http(server.url .. "/busy",
      { expect = { "2xx", 404 } })
    assert.is_nil(answer)
    assert.equal(503, err.status)
    assert.equal(7, err.retry_after)
    assert.equal("the service answered with status 503 instead of 2xx, 404",
      err.message)
  end)

  it("returns an answer whose status is expected", function()
    for path, expect in pairs { ok = "2xx", ["404"] = { "2xx", 404 },
      ["500"] = 500, ["no-content"] = { 200, 204 } } do
      assert.is_table((assert(http(server.url .. "/" .. path,
        { expect = expect }))))
    end
  end)

  it("sends a query", function()
    local head = echo({ query = { b = { 1, "x y" }, a = "&" } }, "?q#fragment")
    assert.matches("^GET /echo%?q&a=%%26&b=1&b=x%%20y HTTP/1.1\r\n", head)
  end)

  it("sends a form", function()
    local head, body = echo { form = { b = { 1, "x y" }, a = "&" } }
    assert.matches("^POST ", head)
    assert.matches("\r\nContent-Type: application/x-www-form-urlencoded\r\n",
      head, 1, true)
    assert.equal("a=%26&b=1&b=x+y", body)
  end)

  it("sends JSON, false too", function()
    local head, body = echo { json = { a = { 1, 2 } }, method = "put" }
    assert.matches("^PUT ", head)
    assert.matches("\r\nContent-Type: application/json\r\n", head, 1, true)
    assert.equal('{"a":[1,2]}', body)
    assert.equal("false", select(2, echo { json = false }))
  end)

  it("sends bytes, and headers as they are given", function()
    local head, body = echo { body = "\0\255", headers = {
      ["content-type"] = "a/b", ["user-agent"] = "me", ["X-N"] = 5.0,
      ["X-L"] = { "a", 1e15 } } }
    assert.matches("^POST ", head)
    assert.equal("\0\255", body)
    assert.matches("\r\ncontent-type: a/b\r\n", head, 1, true)
    assert.matches("\r\nuser-agent: me\r\n", head, 1, true)
    assert.matches("\r\nX-N: 5\r\n", head, 1, true)
    assert.matches("\r\nX-L: 1000000000000000\r\n", head, 1, true)
    assert.is_nil(head:find("flexhooks", 1, true))
    head = echo { json = {}, headers = { ["Content-Type"] = "a/json" } }
    assert.is_nil(head:find("application/json", 1, true))
  end)

  it("leaves the caller's tables as they were", function()
    local function options()
      return { json = { 1 }, headers = { A = "b" }, query = { c = "d" } }
    end
    local given = options()
    echo(given)
    assert.same(options(), given)
  end)

  it("suspends its task alone", function()
    local order = {}
    flexhooks.run(function()
      flexhooks.spawn(function()
        http(server.url .. "/held")
        order[#order + 1] = "held"
      end)
      flexhooks.spawn(function()
        http(server.url .. "/ok")
        order[#order + 1] = "ok"
        http(server.url .. "/let-go")
      end)
    end)
    assert.same({ "ok", "held" }, order)
  end)

  it("gives an error where there is no answer", function()
    local answer, err = http(server.url .. "/hang?secret=1", { timeout = 0.1 })
    assert.is_nil(answer)
    assert.equal("timeout", err.kind)
    assert.equal(server.url .. "/hang", err.url)
    assert.equal("GET", err.method)
    assert.equal("too_large", select(2, http(server.url .. "/ok",
      { max_response = 1 })).kind)
  end)

  it("goes to no private address where that is not allowed", function()
    local answer, err = http(server.url .. "/ok",
      { private_addresses = false })
    assert.is_nil(answer)
    assert.equal("config", err.kind)
    assert.same({}, server:requests())
  end)

  for what, row in pairs {
    ["a URL with credentials"] = { "http://u:secret@127.0.0.1/" },
    ["a URL with a line end"] = { "http://127.0.0.1/\r\nX: y" },
    ["another scheme"] = { "file:///etc/passwd" },
    ["no URL"] = { "" },
    ["a header that splits"] = { "http://127.0.0.1:1/",
      { headers = { A = "b\r\nC: d" } } },
    ["a method that splits"] = { "http://127.0.0.1:1/",
      { method = "GET / HTTP/1.1\r\n" } },
  } do
    it("sends nothing to " .. what, function()
      local answer, err = http(row[1], row[2])
      assert.is_nil(answer)
      assert.equal("argument", err.kind)
      assert.is_nil(tostring(err):find("secret", 1, true))
      assert.is_nil(err.url:find("secret", 1, true))
    end)
  end

  for what, options in pairs {
    ["an unknown option"] = { metod = "GET" },
    ["a method that is no string"] = { method = 1 },
    ["headers that are a string"] = { headers = "A: b" },
    ["headers that are lines"] = { headers = { "A: b" } },
    ["a header that is a boolean"] = { headers = { A = true } },
    ["a header that is no number"] = { headers = { A = 0 / 0 } },
    ["a header with a hole"] = { headers = { A = { "a", nil, "c" } } },
    ["a header that nests"] = { headers = { A = { {} } } },
    ["a header of which one is none"] = { headers = { A = { "a", "b", true,
      "d" } } },
    ["a query that is a list"] = { query = { "a=b" } },
    ["a query with a hole"] = { query = { a = { 1, nil, 3 } } },
    ["a form of no number"] = { form = { a = 1 / 0 } },
    ["a query that is a string"] = { query = "a=b" },
    ["a query that nests"] = { query = { a = { {} } } },
    ["a form that nests"] = { form = { a = { {} } } },
    ["a form of functions"] = { form = { a = print } },
    ["JSON that is a function"] = { json = print },
    ["two bodies"] = { json = {}, form = {} },
    ["a body and a form"] = { body = "", form = {} },
    ["a status as text that is expected"] = { expect = "200" },
    ["a class that is none"] = { expect = "success" },
    ["no status that is expected"] = { expect = {} },
    ["a list with something else"] = { expect = { "2xx", true } },
    ["no time"] = { timeout = 0 },
    ["a time without end"] = { timeout = math.huge },
    ["a time to connect without end"] = { connect_timeout = math.huge },
    ["more bytes than can be counted"] = { max_response = 2 ^ 60 },
    ["a time that is text"] = { timeout = "1" },
    ["options that are no table"] = 5,
  } do
    it("raises for " .. what, function()
      local ok, err = pcall(function()
        http(server.url .. "/ok", options)
      end)
      assert.is_false(ok)
      assert.equal("argument", err.kind)
      assert.matches("http_spec.lua:%d+: flexhooks.http:", err.message)
      assert.same({}, server:requests())
    end)
  end

  it("raises for a URL that is no string", function()
    for _, value in ipairs { 1, {}, true } do
      local ok, err = pcall(http, value)
      assert.is_false(ok)
      assert.equal("argument", err.kind)
    end
    assert.is_false((pcall(http)))
  end)
end)
