local core = require "flexhooks.core"
local d = require "spec.support.deliveries"
local errors = require "flexhooks.error"
local flexhooks = require "flexhooks"
local headers = require "spec.data.settings_headers"
local runtime = require "flexhooks.runtime.current"
local keys = require "flexhooks.receiver.keys"
local sids = require "spec.data.sids"
local tables = require "flexhooks.util.tables"

local router

before_each(function()
  router = flexhooks.router()
end)

local function receiver(lookup)
  return flexhooks.receiver { auth_token = lookup, public_url = d.url,
    router = router, methods = { "GET", "POST" } }
end

describe("tokens by account", function()
  it("are asked for once, by the account of the delivery", function()
    local asked = {}
    local r = receiver(function(account)
      asked[#asked + 1] = account
      return d.token
    end)
    for _ = 1, 3 do
      assert.equal(200, r:handle(d.post()).status)
    end
    assert.same({ sids.account }, asked)
    assert.equal(200, r:handle(d.get()).status)
    local body = ('{"EventType":"onNew","AccountSid":"%s"}')
      :format(sids.account)
    assert.equal(200, r:handle(d.json(body)).status)
    assert.same({ sids.account }, asked)
    r:handle(d.post { fields = d.fields { AccountSid = sids.other_account } })
    assert.same({ sids.account, sids.other_account }, asked)
  end)

  it("may be one, several, or a list", function()
    for _, lookup in ipairs {
      function() return d.token end,
      function() return "old", d.token end,
      function() return { "old", d.token } end,
    } do
      local r = receiver(lookup)
      assert.equal(200, r:handle(d.post()).status)
      assert.equal(403, r:handle(d.post { token = "other" }).status)
    end
  end)

  it("are those of an unknown account where there are none", function()
    for _, lookup in ipairs {
      function() end,
      function() return nil end,
      function() return false end,
      function() return {} end,
    } do
      local r = receiver(lookup)
      local response = r:handle(d.post())
      assert.equal(403, response.status)
      assert.equal('{"error":"signature"}', response.body)
    end
  end)

  it("that cannot be looked up get 503, and are asked for again", function()
    local asked = 0
    for _, failing in ipairs {
      function() return nil, "database down" end,
      function() return nil, errors.new("timeout", "database down") end,
      function() error "database down" end,
      function() return 5 end,
      function() return "" end,
      function() return { d.token, 5 } end,
    } do
      local fail, rejected = true, nil
      local r = flexhooks.receiver { public_url = d.url, router = router,
        on_reject = function(err)
          rejected = err
        end,
        auth_token = function()
          asked = asked + 1
          if fail then
            return failing()
          end
          return d.token
        end }
      local response = r:handle(d.post())
      assert.equal(503, response.status)
      assert.equal("5", response.headers["retry-after"])
      assert.equal("token_lookup", rejected.reason)
      fail = false
      assert.equal(200, r:handle(d.post()).status)
    end
    assert.equal(12, asked)
  end)

  it("are not asked for what has no shape of an account", function()
    local asked = {}
    local r = receiver(function(account)
      asked[#asked + 1] = account
      return d.token
    end)
    for _, account in ipairs { "", "x", "AC", "AC" .. ("a"):rep(31),
      "AC" .. ("z"):rep(32), sids.account .. "\0", sids.interaction,
      { sids.account, sids.other_account } } do
      local fields = d.fields { AccountSid = account }
      assert.equal(403, r:handle(d.post { fields = fields }).status)
    end
    assert.equal(403,
      r:handle(d.post { fields = d.fields { AccountSid = false } }).status)
    assert.equal(400, r:handle(d.post { body = "a=%" }).status)
    assert.equal(413,
      r:handle(d.post { body = ("a&"):rep(1001), signature = "x" }).status)
    assert.equal(403, r:handle(d.json("{")).status)
    assert.same({}, asked)
  end)

  it("are not asked for before the request is worth it", function()
    local r = receiver(function() error "not asked" end)
    assert.equal(404, r:handle(d.post { target = "/x" }).status)
    assert.equal(405, r:handle(d.post { method = "PUT" }).status)
    assert.equal(415, r:handle(d.post { content_type = "text/x" }).status)
  end)

  it("are asked for once by many at once", function()
    local asked, statuses = 0, {}
    local r = receiver(function()
      asked = asked + 1
      flexhooks.sleep(0.01)
      return d.token
    end)
    flexhooks.run(function()
      for i = 1, 5 do
        flexhooks.spawn(function()
          statuses[i] = r:handle(d.post { fields = d.fields {
            Extra = tostring(i) } }).status
        end)
      end
    end)
    assert.same({ 200, 200, 200, 200, 200 }, statuses)
    assert.equal(1, asked)
  end)

  it("fail together, too", function()
    local asked, statuses = 0, {}
    local r = receiver(function()
      asked = asked + 1
      flexhooks.sleep(0.01)
      return nil, "down"
    end)
    flexhooks.run(function()
      for i = 1, 3 do
        flexhooks.spawn(function()
          statuses[i] = r:handle(d.post()).status
        end)
      end
    end)
    assert.same({ 503, 503, 503 }, statuses)
    assert.equal(1, asked)
  end)

  it("that take too long get 503", function()
    local r = flexhooks.receiver { public_url = d.url, router = router,
      handler_timeout = 0.02, auth_token = function()
        local ok, err = flexhooks.sleep(30)
        return ok and d.token or nil, err
      end }
    assert.equal(503, r:handle(d.post()).status)
  end)
end)

local function shared_receiver(lookup, changes)
  return flexhooks.receiver(tables.merged({ auth_token = d.token,
    public_url = d.url, router = router, methods = { "GET", "POST" },
    shared_keys = lookup, dedupe = false }, changes))
end

local function signed_by(id, secret, algorithm)
  return { shared = { id = id, secret = secret or d.shared.secret,
    algorithm = algorithm or "HMAC_SHA256" } }
end

describe("shared keys by id", function()
  it("are asked for once, by the id in the header", function()
    local asked = {}
    local r = shared_receiver(function(id)
      asked[#asked + 1] = id
      return d.shared.secret
    end)
    for _ = 1, 3 do
      assert.equal(200, r:handle(d.post(signed_by "webhooks_sharedkey_1"))
        .status)
      assert.equal(200, r:handle(d.get(signed_by "webhooks_sharedkey_1"))
        .status)
    end
    assert.same({ "webhooks_sharedkey_1" }, asked)
    assert.equal(200, r:handle(d.post(signed_by "webhooks_sharedkey_2"))
      .status)
    assert.same({ "webhooks_sharedkey_1", "webhooks_sharedkey_2" }, asked)
    assert.equal(200, r:handle(d.post()).status)
    assert.equal(2, #asked)
  end)

  it("may come with their algorithm", function()
    local r = shared_receiver(function()
      return { secret = d.shared.secret, algorithm = "HMAC_SHA1" }
    end)
    assert.equal(200, r:handle(d.post(signed_by("webhooks_sharedkey_1", nil,
      "HMAC_SHA1"))).status)
    assert.equal(403, r:handle(d.post(signed_by "webhooks_sharedkey_1"))
      .status)
  end)

  it("that are unknown get 403, and are asked for once", function()
    for _, unknown in ipairs { function() end, function() return nil end,
      function() return false end } do
      local asked, rejected = 0, nil
      local r = shared_receiver(function()
        asked = asked + 1
        return unknown()
      end, { on_reject = function(err) rejected = err end })
      for _ = 1, 3 do
        assert.equal(403, r:handle(d.post(signed_by "webhooks_sharedkey_1"))
          .status)
      end
      assert.equal("key_unknown", rejected.reason)
      assert.equal(1, asked)
    end
  end)

  it("that cannot be looked up get 503, and are asked for again", function()
    for _, failing in ipairs {
      function() return nil, "database down" end,
      function() error "database down" end,
      function() return 5 end,
      function() return "" end,
      function() return {} end,
      function() return { secret = "x", algorithm = "none" } end,
    } do
      local fail, rejected = true, nil
      local r = shared_receiver(function()
        if fail then
          return failing()
        end
        return d.shared.secret
      end, { on_reject = function(err) rejected = err end })
      local response = r:handle(d.post(signed_by "webhooks_sharedkey_1"))
      assert.equal(503, response.status)
      assert.equal("5", response.headers["retry-after"])
      assert.equal("key_lookup", rejected.reason)
      assert.matches("the shared key could not be looked up: ",
        tostring(rejected))
      fail = false
      assert.equal(200, r:handle(d.post(signed_by "webhooks_sharedkey_1"))
        .status)
    end
  end)

  it("are asked for only if nothing but the signature can be wrong",
    function()
      local asked = {}
      local r = shared_receiver(function(id)
        asked[#asked + 1] = id
      end)
      local function handle(request, header)
        if header then
          request.headers["X-Twilio-Webhooks-Signature-Settings"] = header
        end
        assert.is_true(r:handle(request).status >= 400)
      end
      local good = signed_by "webhooks_sharedkey_1"
      for _, row in ipairs(headers.hostile) do
        handle(d.post(good), row[2])
      end
      handle(d.post(tables.merged(good, { body = "a=%" })))
      handle(d.post(tables.merged(good, { body = ("a&"):rep(1001) })))
      handle(d.post(tables.merged(good, { body = ("a"):rep(262145) })))
      handle(d.post(tables.merged(good, { signature = false })))
      handle(d.post(tables.merged(good, { signature = "x" })))
      handle(d.post(tables.merged(good, { content_type = "text/x" })))
      handle(d.post(tables.merged(good, { target = "/x" })))
      handle(d.json("{", tables.merged(good, { query = "a=b" })))
      handle(d.json("{", tables.merged(good, { sent = "[]" })))
      assert.same({}, asked)
      handle(d.post(signed_by("webhooks_sharedkey_1", "another")))
      assert.same({ "webhooks_sharedkey_1" }, asked)
    end)

  it("are asked for once by many at once", function()
    local asked, statuses = 0, {}
    local r = shared_receiver(function()
      asked = asked + 1
      flexhooks.sleep(0.01)
      return d.shared.secret
    end)
    flexhooks.run(function()
      for i = 1, 5 do
        flexhooks.spawn(function()
          statuses[i] = r:handle(d.post(signed_by "webhooks_sharedkey_1"))
            .status
        end)
      end
    end)
    assert.same({ 200, 200, 200, 200, 200 }, statuses)
    assert.equal(1, asked)
  end)
end)

describe("remembered look-ups", function()
  local clock = runtime.clock

  after_each(function()
    runtime.clock = clock
  end)

  local function remembered(lookup)
    local n = 0
    for _, generation in ipairs { lookup.young, lookup.old } do
      for _ in pairs(generation) do
        n = n + 1
      end
    end
    return n
  end

  it("of tokens are bounded", function()
    local asked = 0
    local lookup = keys.lookup(function(account)
      asked = asked + 1
      return account:find "1$" and "token" or nil
    end, 1)
    for i = 1, 5000 do
      local account = ("AC%032x"):format(i)
      local found = lookup:get(account)
      assert.equal(i % 16 == 1, found ~= nil)
    end
    assert.equal(5000, asked)
    assert.is_true(remembered(lookup) <= 2000)
    lookup:get(("AC%032x"):format(5000))
    assert.equal(5000, asked)
    lookup:get(("AC%032x"):format(1))
    assert.equal(5001, asked)
  end)

  it("of shared keys are bounded, and those in use are not displaced",
    function()
      local asked = {}
      local lookup = keys.shared(function(id)
        asked[id] = (asked[id] or 0) + 1
        return id:find "used" and "secret" or nil
      end, 1).lookup
      for i = 1, 5000 do
        lookup:get("webhooks_sharedkey_" .. i)
        if i % 100 == 0 then
          assert.is_userdata(lookup:get("webhooks_sharedkey_used").key)
        end
        assert.is_true(remembered(lookup) <= 1000)
      end
      assert.equal(1, asked.webhooks_sharedkey_used)
      assert.is_true(lookup:has "webhooks_sharedkey_5000")
      assert.is_false(lookup:has "webhooks_sharedkey_1")
    end)

  it("count for 60 s, in use or not", function()
    local now, asked = 1000, 0
    runtime.clock = function() return now end
    local lookup = keys.shared(function(id)
      asked = asked + 1
      return id == "known" and "secret" or nil
    end, 1).lookup
    for _, name in ipairs { "known", "unknown" } do
      now, asked = 1000, 0
      for _ = 1, 60 do
        lookup:get(name)
        now = now + 0.999
      end
      assert.equal(1, asked)
      now = 1060
      lookup:get(name)
      assert.equal(2, asked)
    end
  end)
end)

describe("keys of tokens", function()
  it("say what is wrong, never what was given", function()
    assert.is_nil(keys.complaint "token")
    assert.equal(2, #keys.of { "a", "b" })
    for _, bad in ipairs { "", "hidden\n", "hidden\255",
      ("hidden"):rep(200) } do
      local list, wrong = keys.of { "good", bad }
      assert.is_nil(list)
      assert.is_nil(wrong:find("hidden", 1, true))
    end
    local many = {}
    for i = 1, 17 do
      many[i] = "t" .. i
    end
    assert.is_nil(keys.of(many))
  end)

  it("can be used by a verifier", function()
    local list = keys.of { "old", d.token }
    local verifier = core.verifier { url = d.url }
    assert.is_table(verifier:form(list, d.sign(d.url, d.fields()), nil,
      d.encode(d.fields())))
  end)
end)
