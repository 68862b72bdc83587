local auth = require "flexhooks.client.auth"
local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local flexhooks = require "flexhooks"
local json = require "flexhooks.json"

local SECRET = "0123456789abcdef"

local function credential(user)
  return { user = user or "OQ1", secret = core.secret(SECRET) }
end

describe("auth.basic", function()
  local basic

  before_each(function()
    basic = assert(auth.basic(credential "Aladdin"))
  end)

  after_each(function()
    basic:close()
  end)

  it("makes the header's value", function()
    -- base64 of "Aladdin:0123456789abcdef"
    assert.equal("Basic QWxhZGRpbjowMTIzNDU2Nzg5YWJjZGVm",
      basic:authorization():reveal())
    assert.equal("****", tostring(basic:authorization()))
    assert.is_false(basic:rejected(basic:authorization()))
  end)

  it("takes the secret and the header out of what is shown", function()
    local value = basic.header:reveal():match "%s(.*)"
    assert.equal("a ****, **** b", basic:redact("a " .. SECRET .. ", "
      .. SECRET
      .. " b"))
    assert.equal("Basic ****", basic:redact("Basic " .. value))
    assert.same({ a = { "****", b = 5 }, ["****"] = true },
      basic:redact { a = { SECRET, b = 5 }, [SECRET] = true })
    assert.equal(5, basic:redact(5))
    assert.is_nil(basic:redact(nil))
  end)

  it("finds every place, and parts of none", function()
    local part = SECRET:sub(1, 15)
    assert.equal("****", basic:redact(SECRET))
    assert.equal("********", basic:redact(SECRET .. SECRET))
    assert.equal(part .. "****" .. part, basic:redact(part .. SECRET .. part))
    assert.equal(part, basic:redact(part))
    assert.equal("a\0****\0b", basic:redact("a\0" .. SECRET .. "\0b"))
    assert.equal("", basic:redact "")
  end)

  it("does not follow details for ever", function()
    local cycle = {}
    cycle.a = cycle
    assert.is_table(basic:redact(cycle))
  end)

  it("leaves words alone where the secret is one", function()
    local short = assert(auth.basic { user = "a",
      secret = core.secret "token" })
    assert.equal("invalid token", short:redact "invalid token")
    short:close()
  end)
end)

-- An OAuth proof whose token answers come from a list.
local function oauth(answers)
  local forms = {}
  local proof = auth.oauth(credential(), function(form)
    forms[#forms + 1] = form
    flexhooks.sleep(0.01)
    local given = answers[#forms] or answers[#answers]
    if given.kind then
      return nil, errors.new(given.kind, "it failed")
    end
    return { status = 200, headers = {},
      body = type(given) == "string" and given or json.encode(given) }
  end)
  return proof, forms
end

describe("auth.oauth", function()
  it("asks with the client's credentials and keeps the token", function()
    local proof, forms = oauth { { access_token = "tok-1",
      expires_in = 3600 } }
    assert.equal("Bearer tok-1", proof:authorization():reveal())
    assert.equal("Bearer tok-1", proof:authorization():reveal())
    assert.same({ { grant_type = "client_credentials", client_id = "OQ1",
      client_secret = SECRET } }, forms)
    assert.equal("****", proof:redact(SECRET))
    proof:close()
  end)

  it("takes what was posted out of what is shown", function()
    local proof = auth.oauth({ user = "OQ1",
      secret = core.secret "0123456789/+=abcdef" }, print)
    assert.equal("a=****&b", proof:redact "a=0123456789%2F%2B%3Dabcdef&b")
    assert.equal("a=****&b", proof:redact "a=0123456789/+=abcdef&b")
    assert.is_nil(proof:redact(nil))
    proof:close()
    assert.equal("a", proof:redact "a")
  end)

  it("renews once for many tasks", function()
    local proof, forms = oauth { { access_token = "tok-1",
      expires_in = 3600 } }
    local seen = {}
    flexhooks.run(function()
      flexhooks.map({ 1, 2, 3, 4, 5, 6, 7, 8 }, 8, function(i)
        seen[i] = proof:authorization():reveal()
      end)
    end)
    assert.equal(8, #seen)
    assert.equal(1, #forms)
    proof:close()
  end)

  it("renews before the token ends", function()
    -- A life so short that its last tenth comes within the test.
    local proof, forms = oauth { { access_token = "tok-1", expires_in = 0.1 },
      { access_token = "tok-2", expires_in = "3600" } }
    assert.equal("Bearer tok-1", proof:authorization():reveal())
    flexhooks.sleep(0.12)
    assert.equal("Bearer tok-2", proof:authorization():reveal())
    assert.equal(2, #forms)
    proof:close()
  end)

  it("goes on with the old token while it lasts", function()
    local proof = oauth { { access_token = "tok-1", expires_in = 3600 },
      { kind = "reset" } }
    proof:authorization()
    proof.token.renew_at = 0
    assert.equal("Bearer tok-1", proof:authorization():reveal())
    proof.token.ends = 0
    local secret, err = proof:authorization()
    assert.is_nil(secret)
    assert.equal("reset", err.kind)
    proof:close()
  end)

  it("forgets a token that was rejected, and only that one", function()
    local proof, forms = oauth { { access_token = "tok-1" },
      { access_token = "tok-2" } }
    local first = proof:authorization()
    assert.is_true(proof:rejected(first))
    local second = proof:authorization()
    assert.equal("Bearer tok-2", second:reveal())
    assert.is_true(proof:rejected(first))
    assert.equal(second, proof:authorization())
    assert.equal(2, #forms)
    first:close()
    proof:close()
  end)

  for what, answer in pairs {
    ["not a JSON object"] = "<html>",
    ["access_token"] = { expires_in = 5 },
  } do
    it("says what is wrong: " .. what, function()
      local proof = oauth { answer }
      local secret, err = proof:authorization()
      assert.is_nil(secret)
      assert.equal("protocol", err.kind)
      assert.matches(what, err.message, 1, true)
      proof:close()
    end)
  end

  for i, token in ipairs { "", "a b", "a\r\nX: y", 5, { 1 }, "caf\195\169",
    ("x"):rep(8193) } do
    it("refuses what is no token: " .. i, function()
      local proof = oauth { { access_token = token } }
      local secret, err = proof:authorization()
      assert.is_nil(secret)
      assert.equal("protocol", err.kind)
      proof:close()
    end)
  end
end)
