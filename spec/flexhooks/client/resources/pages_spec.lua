local api = require "spec.support.canned"
local sids = require "spec.data.sids"

local HOME = "https://flex-api.twilio.com"

local function ttid(i)
  return "flex_interactionwebhook_" .. ("%026d"):format(i)
end

-- A page of webhooks from..to, and where the next one is.
local function page(from, to, link, changes)
  local records = {}
  for i = from, to do
    records[#records + 1] = api.webhook { ttid = ttid(i) }
  end
  local body = { data = records, meta = { key = "data", page = 0,
    page_size = 50,
    url = HOME .. api.webhooks, next_page_url = link } }
  for name, value in pairs(changes or {}) do
    body[name] = value
  end
  return { status = 200, body = body }
end

local function next_link(i)
  return HOME .. api.webhooks .. "?PageSize=2&Page=" .. i .. "&PageToken=PT"
    .. i
end

local function ttids(list)
  local names = {}
  for i, webhook in ipairs(list) do
    names[i] = webhook.ttid
  end
  return names
end

describe("list", function()
  it("is every page's objects, in order", function()
    local client, transport = api.client { page(1, 2, next_link(1)),
      page(3, 4, next_link(2)), page(5, 5) }
    local list = assert(client.webhooks:list())
    assert.same({ ttid(1), ttid(2), ttid(3), ttid(4), ttid(5) }, ttids(list))
    assert.equal(HOME .. api.webhooks, transport.requests[1].url)
    assert.equal(next_link(1), transport.requests[2].url)
    assert.equal(next_link(2), transport.requests[3].url)
    for _, request in ipairs(transport.requests) do
      assert.equal("GET", request.method)
      assert.matches("^Basic ", request.headers.authorization)
    end
    client:close()
  end)

  it("is empty where there is nothing", function()
    local client = api.client { page(1, 0) }
    assert.same({}, client.webhooks:list())
    client:close()
  end)

  it("goes on after an empty page", function()
    local client = api.client { page(1, 0, next_link(1)), page(1, 1) }
    assert.equal(1, #client.webhooks:list())
    client:close()
  end)

  it("stops at its limit without asking for more", function()
    local client, transport = api.client { page(1, 2, next_link(1)),
      page(3, 4, next_link(2)) }
    assert.equal(3, #client.webhooks:list { limit = 3 })
    assert.equal(HOME .. api.webhooks .. "?PageSize=3",
      transport.requests[1].url)
    assert.equal(2, #transport.requests)
    client:close()
  end)

  it("asks for what it is told", function()
    local client, transport = api.client { page(1, 0), page(1, 0), page(1, 0) }
    client.webhooks:list { type = "interaction" }
    client.webhooks:list { page_size = 7, limit = 1000 }
    client.webhooks:list { limit = 5000 }
    assert.equal(HOME .. api.webhooks .. "?Type=interaction",
      transport.requests[1].url)
    assert.equal(HOME .. api.webhooks .. "?PageSize=7",
      transport.requests[2].url)
    assert.equal(HOME .. api.webhooks .. "?PageSize=1000",
      transport.requests[3].url)
    client:close()
  end)

  it("follows a path on its own origin, and ends at an empty link", function()
    local client, transport = api.client { page(1, 1, "/v1/next?Page=1"),
      page(2, 2, "") }
    assert.equal(2, #client.webhooks:list())
    assert.equal(HOME .. "/v1/next?Page=1", transport.requests[2].url)
    client:close()
  end)

  it("knows its own origin by another spelling", function()
    for _, link in ipairs { "https://flex-api.twilio.com:443/v1/next?Page=1",
      "HTTPS://Flex-API.twilio.com/v1/next?Page=1" } do
      local client, transport = api.client { page(1, 1, link),
        page(2, 2, link) }
      local _, err = client.webhooks:list()
      assert.equal(HOME .. "/v1/next?Page=1", transport.requests[2].url)
      assert.matches("leads back to a page already read", err.message)
      client:close()
    end
  end)

  -- what the first page holds -> a plain part of the message
  local WRONG = {
    ["leads to another server"] = {
      page(1, 1, "https://evil.example/v1"), page(1, 1, "//evil.example/v1"),
      page(1, 1, "http://flex-api.twilio.com/v1"), page(1, 1,
        "file:///etc/passwd"),
      page(1, 1, "https://flex-api.twilio.com.evil.example/"),
      page(1, 1, "https://flex-api.twilio.com@evil.example/"),
      page(1, 1, "https://flex-api.twilio.com:444/v1"),
      page(1, 1, "http://flex-api.twilio.com:443/v1"),
      page(1, 1, "https://u@flex-api.twilio.com/v1"),
      page(1, 1, "https://u:p@flex-api.twilio.com:443/v1"),
      page(1, 1, "https://flex-api.twilio.com?Page=1"),
      page(1, 1, "https://flex-api.twilio.com"),
      page(1, 1, "https://flex-api.twilio.com:/v1@evil.example/"),
      page(1, 1, "https://taskrouter.twilio.com/v1"),
      page(1, 1, "next"), page(1, 1, HOME .. "/a b"), page(1, 1, HOME
        .. "/a\n"),
      page(1, 1, HOME .. "/a#b"), page(1, 1, HOME .. "\\@evil.example/"),
      page(1, 1, "https://127.0.0.1/"), page(1, 1, "http://169.254.169.254/"),
    },
    ["leads back to a page already read"] = { page(1, 1, HOME
      .. api.webhooks) },
    ["next_page_url is not a string"] = { page(1, 1, 5), page(1, 1, {}) },
    ["meta is not an object"] = { page(1, 1, nil, { meta = "x" }),
      page(1, 1, nil, { meta = false }) },
    ["data is not a list"] = { page(1, 1, nil, { data = "x" }),
      page(1, 1, nil, { data = false }),
      page(1, 1, nil, { data = { a = api.webhook { ttid = ttid(1) } } }),
      { status = 200, body = '{"data":[null,{"ttid":"' .. ttid(1) .. '"}]}' },
      },
    ["x is not a list"] = { page(1, 1, nil, { meta = { key = "x" } }) },
    ["5 is not a list"] = { page(1, 1, nil, { meta = { key = 5 } }) },
    ["webhook is not an object"] = { page(1, 1, nil, { data = { "x" } }) },
    ["ttid must be a ttid"] = { page(1, 1, nil, { data = { { ttid = 5 } } }),
      page(1, 1, nil, { data = { {} } }) },
    ["webhook_events must be array, got string"] = { page(1, 1, nil,
      { data = { api.webhook { webhook_events = "x" } } }) },
    ["not JSON"] = { { status = 200, body = "<html>" } },
    ["not a JSON object"] = { { status = 200, body = "5" } },
  }
  for part, answers in pairs(WRONG) do
    it("refuses an answer: " .. part, function()
      for _, answer in ipairs(answers) do
        local client, transport = api.client { answer }
        local list, err = client.webhooks:list()
        assert.is_nil(list)
        assert.equal("protocol", err.kind)
        assert.matches(part, err.message, 1, true)
        assert.equal(HOME .. api.webhooks, err.url)
        assert.equal(1, #transport.requests)
        client:close()
      end
    end)
  end

  it("is cut where pages go round", function()
    local client, transport = api.client { page(1, 1, next_link(1)),
      page(2, 2, next_link(2)), page(3, 3, next_link(1)) }
    local _, err = client.webhooks:list()
    assert.equal("protocol", err.kind)
    assert.equal(3, #transport.requests)
    client:close()
  end)

  it("is cut where there is always another page", function()
    local count = 0
    local client = api.client({}, { rate_limit = 1e9, transport = {
      send = function()
        count = count + 1
        return { status = 200, body = '{"data":[],"meta":{"key":"data",'
          .. '"next_page_url":"' .. HOME .. "/p" .. count .. '"}}' }
      end,
    } })
    local _, err = client.webhooks:list()
    assert.equal("protocol", err.kind)
    assert.matches("more than 10000 pages", err.message)
    assert.equal(10000, count)
    client:close()
  end)

  it("fails where a later page fails", function()
    local client = api.client { page(1, 2, next_link(1)), { status = 403 } }
    local list, err = client.webhooks:list()
    assert.is_nil(list)
    assert.equal("auth", err.kind)
    client:close()
  end)

  it("takes a page without meta", function()
    local client = api.client { { status = 200,
      body = { data = { api.webhook() } } } }
    assert.equal(1, #client.webhooks:list())
    client:close()
  end)

  it("asks the instance's origin through a base of its own", function()
    local base = "http://127.0.0.1:4010"
    local client, transport = api.client({ { status = 200, body = {
      participants = {}, meta = { key = "participants",
        next_page_url = base .. "/x?Page=1" } } },
      { status = 200, body = { participants = {} } } }, { base_url = base })
    local channel = client.interactions:ref(sids.interaction).channels
      :ref(sids.channel)
    assert.same({}, channel.participants:list())
    assert.equal(base .. "/x?Page=1", transport.requests[2].url)
    client:close()
  end)
end)

describe("each", function()
  it("fetches a page when it is needed", function()
    local client, transport = api.client { page(1, 2, next_link(1)), page(3,
      3) }
    local seen = {}
    local each = client.webhooks:each()
    assert.equal(0, #transport.requests)
    for webhook in each do
      seen[#seen + 1] = { webhook.ttid, #transport.requests }
    end
    assert.same({ { ttid(1), 1 }, { ttid(2), 1 }, { ttid(3), 2 } }, seen)
    assert.is_nil(each())
    client:close()
  end)

  it("fetches no more than is taken", function()
    local client, transport = api.client { page(1, 2, next_link(1)) }
    local each = client.webhooks:each()
    each()
    assert.equal(1, #transport.requests)
    client:close()
  end)

  it("raises an error object", function()
    local client = api.client { page(1, 1, next_link(1)), { status = 404 } }
    local seen = 0
    local err = api.raised(function()
      for _ in client.webhooks:each() do
        seen = seen + 1
      end
    end)
    assert.equal("not_found", err.kind)
    assert.equal(1, seen)
    client:close()
  end)

  it("stops at its limit", function()
    local client = api.client { page(1, 2, next_link(1)) }
    local seen = 0
    for _ in client.webhooks:each { limit = 2 } do
      seen = seen + 1
    end
    assert.equal(2, seen)
    client:close()
  end)

  it("checks its arguments when it is called", function()
    local client = api.client {}
    local err = api.raised(client.webhooks.each, client.webhooks, { limt = 5 })
    assert.matches("did you mean 'limit'?", err.message, 1, true)
    client:close()
  end)
end)
