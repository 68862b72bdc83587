local core = require "flexhooks.core"
local d = require "spec.support.deliveries"
local flexhooks = require "flexhooks"
local headers = require "spec.data.settings_headers"
local tables = require "flexhooks.util.tables"

local ID = d.shared.id
local OLD = { id = "webhooks_sharedkey_old", secret = "an older secret",
  algorithm = "HMAC_SHA1" }
local HEADER = "X-Twilio-Webhooks-Signature-Settings"
local FORBIDDEN = { status = 403,
  headers = { ["content-type"] = "application/json" },
  body = '{"error":"signature"}' }

local handled, reason

local function receiver(changes)
  local router = flexhooks.router()
  router:on("*", function()
    handled = handled + 1
  end)
  return flexhooks.receiver(tables.merged({
    auth_token = d.token, public_url = d.url, router = router,
    methods = { "GET", "POST" }, dedupe = false,
    shared_keys = { [ID] = d.shared.secret,
      [OLD.id] = { secret = OLD.secret, algorithm = OLD.algorithm } },
    on_reject = function(err)
      reason = err.reason
    end,
  }, changes))
end

local function accepted(r, request)
  local before = handled
  assert.equal(200, r:handle(request).status, reason)
  assert.equal(before + 1, handled)
end

local function refused(why, r, request)
  local before = handled
  assert.same(FORBIDDEN, r:handle(request))
  assert.equal(why, reason)
  assert.equal(before, handled)
end

before_each(function()
  handled, reason = 0, nil
end)

local BODY = ('{"EventType":"onNew","AccountSid":"%s"}')
  :format(d.fields().AccountSid)

-- Deliveries of every kind by one key.
local function deliveries(shared)
  return { d.post { shared = shared }, d.get { shared = shared },
    d.json(BODY, { shared = shared }),
    d.post { shared = shared, url = d.url:gsub("^https://[^/]*", "%0:443"),
      target = d.target } }
end

describe("a shared key", function()
  it("verifies deliveries of every kind", function()
    local r = receiver()
    for _, shared in ipairs { d.shared, OLD } do
      for _, request in ipairs(deliveries(shared)) do
        accepted(r, request)
      end
    end
  end)

  it("is chosen by any lawful spelling of the header", function()
    local long = headers.lawful[#headers.lawful][3]
    local r = receiver { shared_keys = {
      [ID] = d.shared.secret, [long] = { secret = "x",
        algorithm = "HMAC_SHA1" } } }
    local r1 = receiver { shared_keys = { [ID] = { secret = d.shared.secret,
      algorithm = "HMAC_SHA1" } } }
    for _, row in ipairs(headers.lawful) do
      local shared = { id = row[3], algorithm = row[4],
        secret = row[3] == ID and d.shared.secret or "x" }
      accepted(row[3] == ID and row[4] == "HMAC_SHA1" and r1 or r,
        d.post { shared = shared, headers = { [HEADER] = row[2] } })
    end
  end)

  it("is one of as many as are configured", function()
    local keys = {}
    for i = 1, 200 do
      keys["webhooks_sharedkey_" .. i] = "secret " .. i
    end
    local r = receiver { shared_keys = keys }
    for i = 1, 200, 50 do
      local shared = { id = "webhooks_sharedkey_" .. i,
        secret = "secret " .. i, algorithm = "HMAC_SHA256" }
      accepted(r, d.post { shared = shared })
      shared.secret = "secret " .. i + 1
      refused("signature_differs", r, d.post { shared = shared })
    end
  end)

  it("may be long, and of any bytes", function()
    for _, secret in ipairs { ("x"):rep(64), ("x"):rep(65), ("y"):rep(4096),
      "\0", " blanks ", "\255\254=," } do
      accepted(receiver { shared_keys = { [ID] = secret } }, d.post {
        shared = { id = ID, secret = secret, algorithm = "HMAC_SHA256" } })
    end
  end)
end)

describe("one answer is given to", function()
  for _, row in ipairs(headers.hostile) do
    it("a settings header with " .. row[1], function()
      refused(row[4], receiver(), d.post { shared = d.shared,
        headers = { [HEADER] = row[2] } })
      refused(row[4], receiver(), d.post { headers = { [HEADER] = row[2] } })
      refused("settings_unexpected", receiver { shared_keys = {} },
        d.post { headers = { [HEADER] = row[2] } })
    end)
  end

  it("a header that came more than once, however it is spelt", function()
    local text = d.post { shared = d.shared }.headers[HEADER]
    local key, algorithm = text:match "^(.*),(.*)$"
    for _, list in ipairs { { text, text }, { key, algorithm },
      { "", text }, { text, "" }, { key, algorithm, "" } } do
      refused("settings_malformed", receiver(), d.post { shared = d.shared,
        headers = { [HEADER] = list } })
    end
    refused("settings_malformed", receiver(), d.post { shared = d.shared,
      headers = { [HEADER:lower()] = text } })
    accepted(receiver(), d.post { shared = d.shared,
      headers = { [HEADER] = { text } } })
  end)

  it("a key that is not known", function()
    refused("key_unknown", receiver(), d.post { shared = tables.merged(
      d.shared, { id = ID .. "x" }) })
  end)

  it("another algorithm than the key's", function()
    local shared = tables.merged(d.shared, { algorithm = "HMAC_SHA1" })
    refused("algorithm_differs", receiver(), d.post { shared = shared })
    refused("algorithm_differs", receiver(),
      d.post { shared = tables.merged(OLD, { algorithm = "HMAC_SHA256" }) })
    refused("algorithm_differs", receiver(),
      d.post { shared = d.shared, headers = { [HEADER] = "key=" .. ID } })
  end)

  it("a signature of another algorithm than the header says", function()
    local right = d.post { shared = d.shared }.headers[HEADER]
    refused("algorithm_differs", receiver(), d.post { shared = tables.merged(
      d.shared, { algorithm = "HMAC_SHA1" }), headers = { [HEADER] = right } })
    refused("algorithm_differs", receiver(), d.post { shared = tables.merged(
      OLD, { algorithm = "HMAC_SHA256" }), headers = {
        [HEADER] = "key=" .. OLD.id .. ",algorithm=HMAC_SHA1" } })
  end)

  it("a header where there are no shared keys", function()
    refused("settings_unexpected", receiver { shared_keys = {} },
      d.post { shared = d.shared })
  end)

  it("no header where there are shared keys alone", function()
    local r = receiver { auth_token = false }
    refused("settings_missing", r, d.post())
    refused("settings_missing", r, d.post { shared = d.shared,
      headers = { [HEADER] = false } })
    refused("signature_missing", r, d.post { signature = false })
    accepted(r, d.post { shared = d.shared })
  end)

  it("the secret of another key", function()
    refused("signature_differs", receiver { shared_keys = { [ID] = "x",
      [ID .. "2"] = d.shared.secret } }, d.post { shared = d.shared })
  end)
end)

describe("nothing is tried that is not asked for:", function()
  it("the auth token with the header", function()
    local request = d.post()
    for _, text in ipairs { "key=" .. OLD.id .. ",algorithm=HMAC_SHA1",
      "key=" .. OLD.id, "key=" .. ID .. ",algorithm=HMAC_SHA256", "" } do
      request.headers[HEADER] = text
      assert.equal(403, receiver():handle(request).status)
    end
    -- Even where the token is a shared key's secret.
    refused("settings_missing", receiver { auth_token = false,
      shared_keys = { [ID] = { secret = d.token, algorithm = "HMAC_SHA1" } } },
      d.post())
  end)

  it("a shared key without the header", function()
    refused("signature_differs", receiver(), d.post { shared = OLD,
      headers = { [HEADER] = false } })
    refused("algorithm_differs", receiver(), d.post { shared = d.shared,
      headers = { [HEADER] = false } })
  end)

  it("the environment's token where the option is false", function()
    local getenv = os.getenv
    os.getenv = function(name) -- luacheck: ignore
      return name == "TWILIO_AUTH_TOKEN" and d.token or getenv(name)
    end
    local ok, r = pcall(receiver, { auth_token = false })
    os.getenv = getenv -- luacheck: ignore
    assert.is_true(ok, r)
    refused("settings_missing", r, d.post())
  end)

  it("a function of accounts for a request with the header", function()
    local r = receiver { auth_token = function()
      error "not asked"
    end }
    accepted(r, d.post { shared = d.shared })
    refused("key_unknown", r, d.post { shared = tables.merged(d.shared,
      { id = ID .. "x" }) })
  end)
end)

describe("a request that is wrong otherwise", function()
  it("is answered as without a settings header", function()
    for _, r in ipairs { receiver(), receiver { shared_keys = {} },
      receiver { auth_token = false }, receiver { shared_keys = function()
        error "not asked"
      end } } do
      for _, text in ipairs { "", "key=x", "key=" .. ID,
        "key=" .. ID .. ",algorithm=HMAC_SHA256" } do
        local function status(request)
          request.headers[HEADER] = text
          return r:handle(request).status
        end
        assert.equal(400, status(d.post { body = "a=%" }))
        assert.equal(413, status(d.post { body = ("a&"):rep(1001) }))
        assert.equal(413, status(d.post { body = ("a"):rep(262145) }))
        assert.equal(413, status(d.post { body = ("n"):rep(128) }))
        assert.equal(415, status(d.post { content_type = "text/x" }))
        assert.equal(404, status(d.post { target = "/x" }))
        assert.equal(405, status(d.post { method = "PUT" }))
        assert.equal(403, status(d.post { signature = false }))
        assert.equal(403, status(d.post { signature = "x" }))
        assert.equal(403, status(d.json("{", { query = "a=b" })))
      end
    end
  end)

  it("is reported with what is wrong, not with its key", function()
    local request = d.post { shared = tables.merged(d.shared,
      { id = ID .. "x" }), signature = "x" }
    refused("signature_shape", receiver(), request)
    request = d.json("{", { query = "bodySHA256=" .. ("0"):rep(64),
      shared = tables.merged(d.shared, { id = ID .. "x" }) })
    refused("body_differs", receiver(), request)
  end)
end)

describe("the log of a refusal", function()
  it("names the reason, and neither key nor secret", function()
    local lines = {}
    local r = receiver { logger = function(level, message, fields)
      lines[#lines + 1] = level .. message
      for name, value in pairs(fields) do
        lines[#lines + 1] = name .. tostring(value)
      end
    end }
    r:handle(d.post { shared = tables.merged(d.shared, { id = ID .. "x" }) })
    local text = table.concat(lines, " ")
    assert.matches("warn.*key_unknown", text)
    assert.is_nil(text:find(ID, 1, true))
    assert.is_nil(text:find(d.shared.secret, 1, true))
  end)

  it("has the request with the settings header", function()
    local seen
    local r = receiver { on_reject = function(_, request)
      seen = request
    end }
    r:answer("POST", d.target, "a=b", nil, nil, "x", nil, "key=x")
    assert.equal("key=x", seen.headers[HEADER:lower()])
  end)
end)

describe("dummy keys", function()
  it("are of both algorithms, and new each time", function()
    local verification = require "flexhooks.receiver.verification"
    local keys, others = verification.dummy_keys(), verification.dummy_keys()
    assert.equal(28, #keys[1]:sign(d.url))
    assert.equal(44, #keys[2]:sign(d.url))
    assert.not_equal((keys[1]:sign(d.url)), (others[1]:sign(d.url)))
    assert.not_equal((keys[2]:sign(d.url)), (others[2]:sign(d.url)))
    assert.is_nil((core.verifier { url = d.url }:form(keys,
      (others[2]:sign(d.url)), nil, "")))
  end)
end)
