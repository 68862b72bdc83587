local accounts = require "flexhooks.simulator.accounts"
local ids = require "flexhooks.simulator.ids"
local random = require "flexhooks.simulator.random"

local SID = "AC" .. ("a"):rep(32)
-- SID:token, SID:other, SK1:secret
local TOKEN = "Basic QUNhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYTp0b2tlbg=="
local OTHER = "Basic QUNhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYTpvdGhlcg=="
local KEY = "Basic U0sxOnNlY3JldA=="

local time

local function new(settings)
  time = 1000
  local function now()
    return time
  end
  return accounts.new(settings, ids.new(random.new(1), now), now)
end

describe("simulator.accounts", function()
  it("takes the configured account's credentials alone", function()
    local some = new { account_sid = SID, auth_token = "token",
      instance_sid = "GO1", api_key = "SK1", api_secret = "secret" }
    assert.equal(SID, some:authenticate(TOKEN).sid)
    assert.equal("GO1", some:authenticate(TOKEN).instance_sid)
    assert.equal(SID, some:authenticate(KEY).sid)
    assert.is_nil(some:authenticate(OTHER))
    assert.is_nil(some:authenticate(nil))
    assert.is_nil(some:authenticate "Basic ")
    assert.is_nil(some:authenticate(("Basic QUMxOnRva2Vu")))
  end)

  it("takes no key where none is configured", function()
    local some = new { account_sid = SID, auth_token = "token" }
    assert.is_nil(some:authenticate(KEY))
    assert.is_nil(some:authenticate "Basic Og==")
  end)

  it("learns an account's token where none is configured", function()
    local some = new {}
    local account = some:authenticate(TOKEN)
    assert.equal(SID, account.sid)
    assert.equal("token", account.token)
    assert.matches("^GO%x+$", account.instance_sid)
    assert.equal(account, some:authenticate(TOKEN))
    assert.is_nil(some:authenticate(OTHER))
    assert.is_nil(some:authenticate(KEY))
    assert.is_nil(some:authenticate "Basic QUMxOnRva2Vu")
  end)

  it("grants tokens to the configured client", function()
    local some = new { account_sid = SID, auth_token = "token",
      client_id = "id", client_secret = "s" }
    local token = some:grant("id", "s")
    assert.equal(SID, some:authenticate("Bearer " .. token).sid)
    assert.not_equal(token, some:grant("id", "s"))
    time = time + accounts.TOKEN_LIFE
    assert.is_nil(some:authenticate("Bearer " .. token))
    assert.is_nil(some:grant("id", "x"))
    assert.is_nil(some:grant(nil, "s"))
    assert.is_nil(new({}):grant(nil, nil))
  end)
end)
