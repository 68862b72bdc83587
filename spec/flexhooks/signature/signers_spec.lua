local settings_header = require "flexhooks.signature.settings_header"
local signature = require "flexhooks.signature"
local signed_by = require "spec.support.signed"
local signers = require "flexhooks.signature.signers"
local tables = require "flexhooks.util.tables"

local TOKEN, URL = signed_by.TOKEN, signed_by.URL
local A, B = "webhooks_sharedkey_a", "webhooks_sharedkey_b"
local SECRET, OTHER = "secret of a", "secret of b"
local KEYS = { [A] = SECRET, [B] = { secret = OTHER,
  algorithm = "HMAC_SHA1" } }

local function header(id, algorithm)
  return settings_header.write(id, algorithm or "HMAC_SHA256")
end

-- A delivery that this key, or the token, signed, and its report with these
-- changes on the receiver's side.
local function report(by, changes)
  local request = { url = URL, params = signed_by.PARAMS }
  local text, _, settings = signature.sign(tables.merged(request,
    by or { auth_token = TOKEN }))
  local given = tables.merged(request, { signature = text, auth_token = TOKEN,
    signature_settings = settings, shared_keys = KEYS }, changes)
  if given.signature_settings == false then
    given.signature_settings = nil
  end
  local made = signature.explain(given)
  for _, secret in ipairs { TOKEN, SECRET, OTHER } do
    assert.is_nil(tostring(made):find(secret, 1, true))
  end
  return made
end

local function names(variation, hint, by, changes)
  local made = report(by, changes)
  assert.equal(variation, made.variation)
  assert.matches(hint, tostring(made), 1, true)
end

local BY_A = { shared_key = SECRET, shared_key_id = A }
local BY_A1 = tables.merged(BY_A, { algorithm = "HMAC_SHA1" })

describe("signature.explain with shared keys", function()
  it("says that a good signature is good", function()
    names("none", "matches", BY_A)
    names("none", "matches", nil)
    names("none", "matches", { shared_key = OTHER, shared_key_id = B,
      algorithm = "HMAC_SHA1" })
  end)

  it("names a header that was stripped", function()
    names("settings header", "pass on X-Twilio-Webhooks-Signature-Settings: "
      .. header(A), BY_A, { signature_settings = false })
    names("settings header", "is missing", BY_A, {
      signature_settings = false, auth_token = false })
  end)

  it("names a header that was added", function()
    names("settings header", "something adds the header", nil,
      { signature_settings = header(A) })
    names("settings header", "something adds the header", nil,
      { signature_settings = "", shared_keys = {} })
  end)

  it("names a header that was rewritten", function()
    names("settings header", "does not say HMAC_SHA256", BY_A,
      { signature_settings = header(A, "HMAC_SHA1") })
    names("settings header", "does not say HMAC_SHA256", BY_A,
      { signature_settings = header(A, "none") })
    names("settings header", "cannot be read; the shared key " .. A, BY_A,
      { signature_settings = "key = " .. A .. "; algorithm" })
    names("settings header", "which is not configured here", BY_A,
      { signature_settings = header "webhooks_sharedkey_c" })
  end)

  it("names a wrong key", function()
    names("shared key", A .. " signed this, while the header names " .. B,
      BY_A, { signature_settings = header(B, "HMAC_SHA1") })
    names("shared key", "spaces or quotes", BY_A, { shared_keys = {
      [A] = "'" .. SECRET .. "' " } })
  end)

  it("names a wrong algorithm", function()
    names("algorithm", 'algorithm = "HMAC_SHA1"', BY_A1)
    names("algorithm", "header and configuration say HMAC_SHA256", BY_A1,
      { signature_settings = header(A) })
    names("settings header, algorithm", "with HMAC_SHA1: configure that",
      BY_A1, { signature_settings = false })
  end)

  it("finds what else differs, with whatever key signed", function()
    local made = report(BY_A, { url = URL:gsub("https", "http") .. "/" })
    assert.equal("scheme, slash", made.variation)
    made = report(BY_A, { url = URL .. "/", signature_settings = false })
    assert.equal("slash, settings header", made.variation)
    names("token", "number 1 of auth_tokens", { auth_token = "older" },
      { auth_tokens = { "older" } })
  end)

  it("says what it suspects if nothing matches", function()
    local function suspects(what, by, changes)
      local made = report(by, changes)
      assert.is_false(made.matched)
      assert.matches(what, tostring(made), 1, true)
    end
    suspects("44 characters is a shared key's", BY_A, { shared_keys = {},
      signature_settings = false })
    suspects("names " .. A .. ", which is not among", BY_A,
      { shared_keys = { [B] = "x" } })
    suspects("neither HMAC_SHA1 nor HMAC_SHA256", BY_A,
      { shared_keys = { [B] = "x" },
        signature_settings = header(A, "HMAC_MD5") })
    suspects("cannot be read: Twilio sends key=webhooks_sharedkey_", BY_A,
      { shared_keys = { [B] = "x" }, signature_settings = "x" })
    suspects("this has 3. Is it from another header?", BY_A,
      { signature = "abc" })
  end)

  it("accepts nothing", function()
    local made = report(BY_A, { signature_settings = false })
    assert.is_true(made.matched)
    assert.is_nil((signature.validate { url = URL, auth_token = TOKEN,
      params = signed_by.PARAMS, shared_keys = KEYS,
      signature = (signature.sign(tables.merged(BY_A, { url = URL,
        params = signed_by.PARAMS }))) }))
  end)
end)

describe("signers.list", function()
  it("has the key that the header names, without a step", function()
    local list = signers.list({ tokens = { "t" }, settings = header(A),
      shared = { [A] = { secret = "s", algorithm = "HMAC_SHA256" } } }, {})
    local direct = {}
    for _, variation in ipairs(list) do
      assert.equal(#variation.names, #variation.hints)
      if #variation.names == 0 then
        direct[#direct + 1] = variation.value
      end
    end
    assert.same({ { secret = "s", algorithm = "HMAC_SHA256" } }, direct)
  end)

  it("has the tokens without a step if there is no header", function()
    local list = signers.list({ tokens = { "t", "u" }, shared = {} }, { "v" })
    assert.same({ secret = "t", algorithm = "HMAC_SHA1" }, list[1].value)
    assert.equal(0, #list[2].names)
    assert.same({ "token" }, list[3].names)
  end)
end)
