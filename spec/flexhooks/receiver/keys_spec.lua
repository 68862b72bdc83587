local core = require "flexhooks.core"
local d = require "spec.support.deliveries"
local errors = require "flexhooks.error"
local flexhooks = require "flexhooks"
local keys = require "flexhooks.receiver.keys"
local sids = require "spec.data.sids"

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

describe("remembered look-ups", function()
  it("are bounded", function()
    local asked = 0
    local lookup = keys.lookup(function(account)
      asked = asked + 1
      return account:find "1$" and "token" or nil
    end, 1)
    for i = 1, 5000 do
      local account = ("AC%032x"):format(i)
      local found = lookup:of_account(account)
      assert.equal(i % 16 == 1, found ~= nil)
    end
    assert.equal(5000, asked)
    local n = 0
    for _, generation in ipairs { lookup.young, lookup.old } do
      for _ in pairs(generation) do
        n = n + 1
      end
    end
    assert.is_true(n <= 2000)
    lookup:of_account(("AC%032x"):format(5000))
    assert.equal(5000, asked)
    lookup:of_account(("AC%032x"):format(1))
    assert.equal(5001, asked)
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
