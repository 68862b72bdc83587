local reference = require "spec.support.reference"
local signature = require "flexhooks.signature"
local signed_by = require "spec.support.signed"
local twilio_node = require "spec.data.twilio_node_vectors"
local vectors = require "spec.data.signature_vectors"

local TOKEN, URL = signed_by.TOKEN, signed_by.URL
local with, signed = signed_by.with, signed_by.delivery
local raised = signed_by.raised
local ID = "webhooks_sharedkey_1"

local function accepted(request)
  local good, err = signature.validate(request)
  assert.is_nil(err)
  assert.is_true(good)
end

local function refused(reason, request)
  local good, err = signature.validate(request)
  assert.is_nil(good)
  assert.equal(reason, err.reason)
  assert.is_nil(tostring(err):find(TOKEN, 1, true))
  return err
end

describe("signature.validate", function()
  for _, row in ipairs(vectors) do
    it("has the libraries' verdict on " .. row.name, function()
      local request = { auth_token = "12345", url = row.url,
        params = row.params, body = row.body, signature = row.signature,
        content_type = row.body and "application/json" }
      assert.equal(row.valid or nil, (signature.validate(request)))
      request.auth_token = "12346"
      assert.is_nil((signature.validate(request)))
    end)
  end

  for _, row in ipairs(twilio_node) do
    it("has twilio-node's verdict: " .. row.algorithm .. ", " .. row.name,
      function()
        local request = { url = row.url, params = row.params, body = row.body,
          signature = row.signature, content_type = row.body
            and "application/json", shared_keys = { [ID] = {
            secret = row.secret, algorithm = row.algorithm } },
          signature_settings = "key=" .. ID .. ",algorithm=" .. row.algorithm }
        assert.equal(row.valid or nil, (signature.validate(request)))
        request.signature_settings = nil
        request.shared_keys, request.auth_token = nil, row.secret
        if row.algorithm == "HMAC_SHA1" or row.valid then
          assert.equal(row.valid and row.algorithm == "HMAC_SHA1" or nil,
            (signature.validate(request)))
        end
      end)
  end

  it("takes any of several tokens", function()
    local request = signed()
    accepted(with(request, { auth_token = { "other", TOKEN } }))
    refused("signature_differs", with(request, { auth_token = { "a", "b" } }))
  end)

  it("says why not", function()
    local request = signed()
    local err = refused("signature_differs",
      with(request, { url = URL .. "/" }))
    assert.equal("signature", err.kind)
    err = refused("malformed", { auth_token = TOKEN, url = URL, body = "a=%",
      signature = request.signature })
    assert.equal("malformed", err.kind)
    refused("signature_shape", with(request, { signature = "abc" }))
    refused("url", with(request, { url = "/flex/events" }))
    refused("url", with(request, { url = "https://h h/" }))
    request.signature = nil
    refused("signature_missing", request)
  end)

  it("reads a body as a form unless its type says otherwise", function()
    local request = signed { body = "a=1&b=%41+%2B&b=0" }
    accepted(request)
    accepted(with(request, {
      content_type = "Application/X-WWW-Form-Urlencoded ; charset=UTF-8" }))
    refused("body_unsigned", with(request, { content_type = "text/plain" }))
    local params = { a = "1", b = { "0", "A +" } }
    accepted { auth_token = TOKEN, url = URL, signature = request.signature,
      params = params }
  end)

  it("binds the body to bodySHA256, whatever its type", function()
    for _, kind in ipairs { "application/json", "text/plain",
      "application/x-www-form-urlencoded" } do
      local body = "a=1"
      local core = require "flexhooks.core"
      local url = URL .. "?bodySHA256=" .. core.sha256(body)
      local request = signed { url = url, body = body, content_type = kind }
      accepted(request)
      url = URL .. "?bodySHA256=" .. core.sha256 "a=2"
      refused("body_differs",
        signed { url = url, body = body, content_type = kind })
    end
  end)

  it("needs the raw body for bodySHA256, not parameters", function()
    local core = require "flexhooks.core"
    local url = URL .. "?bodySHA256=" .. core.sha256 "a=1"
    local request = signed { url = url, body = "a=1" }
    request.body, request.params = nil, { a = "1" }
    refused("body_differs", request)
  end)

  it("takes the URL of a GET alone", function()
    local url = URL .. "?a=1&b=%zz"
    local request = { auth_token = TOKEN, url = url, method = "get",
      signature = signature.sign { auth_token = TOKEN, url = url } }
    accepted(request)
    accepted(with(request, { body = "", content_type = "application/json" }))
    refused("body_unsigned", with(request, { body = "a=1" }))
    refused("body_unsigned", with(request, { params = { a = "1" } }))
  end)

  it("takes numbers as what they are on the wire", function()
    local request = signed { params = { ErrorCode = "45009", x = "1.5" } }
    accepted(with(request, { params = { ErrorCode = 45009, x = 1.5 } }))
    request = signed { params = { third = "0.3333333333333333",
      id = "1000000000000000000" } }
    accepted(with(request, { params = { third = 1 / 3, id = 1e18 } }))
  end)

  it("keeps bytes that are no UTF-8, and NULs in values", function()
    accepted(signed { params = { a = "\255\0\254", ["\192"] = "x" } })
    accepted(signed { body = "a=%ff%00%fe&\192=x" })
  end)

  it("gives one verdict on a request, whatever way it takes", function()
    -- A list of tokens, a list of values and a metatable take the long way.
    for _, row in ipairs(twilio_node) do
      local request = { auth_token = row.secret, url = row.url,
        params = row.params, body = row.body, signature = row.signature }
      local good, err = signature.validate(request)
      for _, other in ipairs { with(request, { auth_token = { row.secret } }),
        with(request, { params = row.params
          and setmetatable(with(row.params), {}) }),
        setmetatable({}, { __index = request }),
        with(request, { method = "post" }) } do
        local same, reason = signature.validate(other)
        assert.equal(good, same)
        assert.equal(err and err.reason, reason and reason.reason)
      end
    end
  end)

  it("tells more secrets and URLs apart than it keeps", function()
    local requests = {}
    for i = 1, 50 do
      requests[i] = signed { auth_token = TOKEN .. i, url = URL .. i }
    end
    for _ = 1, 2 do
      for i = 1, 50 do
        accepted(requests[i])
        refused("signature_differs", with(requests[i],
          { auth_token = TOKEN .. i % 50 + 1 }))
        refused("signature_differs", with(requests[i],
          { url = URL .. i % 50 + 1 }))
      end
    end
  end)

  it("raises for a mistake, at the caller's line", function()
    local request = signed()
    raised("signature_spec.lua:%d+: .*validate: option 'auth_token' is miss",
      function() return (signature.validate { url = URL }) end)
    raised("did you mean 'signature'", signature.validate,
      with(request, { signatur = "x" }))
    raised("not both", signature.validate, with(request, { body = "a=1" }))
    raised("'auth_token' must be a token", signature.validate,
      with(request, { auth_token = true }))
    raised("'body' must be string", signature.validate,
      with(request, { body = 1 }))
    raised("shared_key_id' is missing", signature.validate,
      with(request, { shared_key = "x" }))
    raised("shared_key' is missing", signature.validate,
      with(request, { shared_key_id = ID }))
    raised("shared_key' is missing", signature.validate,
      with(request, { algorithm = "HMAC_SHA256" }))
    raised("signature_spec.lua:%d+: .*option 'shared_key' has a name",
      function()
        return (signature.validate(with(request, { shared_key = "x",
          shared_key_id = "x" })))
      end)
    raised("HMAC_SHA256 or HMAC_SHA1", signature.validate, with(request, {
      shared_key = "x", shared_key_id = ID, algorithm = "none" }))
    raised("signature_spec.lua:%d+: .*option 'shared_keys' has a name",
      function()
        return (signature.validate(with(request, { shared_keys = { "x" } })))
      end)
    raised("'auth_token' is missing", signature.validate,
      { url = URL, auth_token = false, shared_keys = {} })
    raised("not empty", signature.validate, with(request, { auth_token = "" }))
    raised("list of 1 to 16", signature.validate,
      with(request, { auth_token = {} }))
    raised("not empty", signature.validate,
      with(request, { auth_token = { "a", 1 } }))
    raised("'signature' must be string", signature.validate,
      with(request, { signature = 1 }))
    raised("without holes", signature.validate,
      with(request, { auth_token = { "a", nil, "b" } }))
    raised("without holes", signature.validate,
      with(request, { params = { a = { "1", nil, "2" } } }))
    raised("without holes", signature.validate,
      with(request, { params = { a = { x = "1" } } }))
    raised("strings as names", signature.validate,
      with(request, { params = { "a" } }))
    raised("as values", signature.validate,
      with(request, { params = { a = { true } } }))
    raised("must be a table", signature.validate, "x")
  end)
end)

describe("signature.validate with shared keys", function()
  local SECRET, OTHER = "a shared secret", "webhooks_sharedkey_other"

  -- A delivery that a shared key signed, as its receiver has it.
  local function signed_by_key(changes)
    local request = with({ url = URL, shared_key = SECRET,
      shared_key_id = ID }, changes)
    if not request.body then
      request.params = request.params or signed_by.PARAMS
    end
    request.signature, request.url, request.signature_settings =
      signature.sign(request)
    request.shared_key, request.shared_key_id, request.algorithm = nil, nil,
      nil
    return with(request, { shared_keys = { [ID] = {
      secret = (changes or {}).shared_key or SECRET,
      algorithm = (changes or {}).algorithm } } })
  end

  it("takes what sign signs", function()
    accepted(signed_by_key())
    accepted(signed_by_key { algorithm = "HMAC_SHA1" })
    accepted(signed_by_key { algorithm = "hmac_sha256" })
    accepted(signed_by_key { body = "{}", content_type = "application/json" })
    accepted(signed_by_key { url = URL .. "?a=1", method = "GET",
      params = {} })
    accepted(signed_by_key { shared_key = ("\0\255"):rep(500) })
  end)

  it("takes one key in place of a table", function()
    accepted(with(signed_by_key(), { shared_keys = {}, shared_key = SECRET,
      shared_key_id = ID }))
    accepted(with(signed_by_key { algorithm = "HMAC_SHA1" }, {
      shared_keys = { [OTHER] = "x" }, shared_key = SECRET,
      shared_key_id = ID, algorithm = "HMAC_SHA1" }))
  end)

  it("tries the key that the header names, and nothing else", function()
    local request = signed_by_key()
    accepted(with(request, { auth_token = TOKEN }))
    accepted(with(request, { auth_token = false }))
    refused("signature_differs", with(request, { shared_keys = {
      [ID] = "x", [OTHER] = SECRET } }))
    refused("key_unknown", with(request, { shared_keys = {
      [OTHER] = SECRET } }))
    refused("algorithm_differs", with(request, { shared_keys = { [ID] = {
      secret = SECRET, algorithm = "HMAC_SHA1" } } }))
    refused("algorithm_differs", with(request, {
      signature_settings = "key=" .. ID }))
    refused("settings_malformed", with(request, {
      signature_settings = "" }))
    refused("algorithm_unknown", with(request, {
      signature_settings = "key=" .. ID .. ",algorithm=none" }))
    refused("settings_unexpected", with(request, { shared_keys = {},
      auth_token = TOKEN }))
    request.signature_settings = nil
    refused("settings_missing", request)
    refused("algorithm_differs", with(request, { auth_token = SECRET }))
    request = signed_by_key { algorithm = "HMAC_SHA1" }
    refused("signature_differs", with(request, { auth_token = TOKEN,
      shared_keys = { [ID] = { secret = TOKEN, algorithm = "HMAC_SHA1" } } }))
    request.signature_settings = nil
    refused("signature_differs", with(request, { auth_token = TOKEN }))
  end)

  it("does not try the token with the header", function()
    refused("key_unknown", with(signed(), { signature_settings = "key=" .. ID,
      shared_keys = { [OTHER] = "x" } }))
    refused("signature_differs", with(signed(), { shared_keys = { [ID] = {
      secret = "x", algorithm = "HMAC_SHA1" } },
      signature_settings = "key=" .. ID }))
  end)

  it("finds what else is wrong without a key", function()
    local request = with(signed_by_key(), { params = {},
      shared_keys = { [OTHER] = "x" } })
    refused("signature_missing", with(request, { signature = "" }))
    refused("signature_shape", with(request, { signature = "x" }))
    request.params = nil
    refused("malformed", with(request, { body = "a=%" }))
    refused("body_unsigned", with(request, { body = "{}",
      content_type = "application/json" }))
    refused("url", with(request, { url = "x", body = "" }))
  end)

  it("never shows a secret", function()
    local err = refused("signature_differs", with(signed_by_key(),
      { shared_keys = { [ID] = "hidden" } }))
    assert.is_nil(tostring(err):find("hidden", 1, true))
  end)
end)

describe("signature.sign", function()
  it("gives the documented example's signature", function()
    local row
    for _, vector in ipairs(vectors) do
      row = vector.name == "docs-worked-example" and vector or row
    end
    assert.equal(row.signature, (signature.sign { auth_token = "12345",
      url = row.url, params = row.params }))
  end)

  it("leaves userinfo and fragment out of the URL", function()
    local _, url = signature.sign { auth_token = TOKEN,
      url = "https://user:pass@company.com:8443/a?b=c#rc=3&rp=all" }
    assert.equal("https://company.com:8443/a?b=c", url)
  end)

  it("adds the hash of a body that is no form to the URL", function()
    local _, url = signature.sign { auth_token = TOKEN, url = URL, body = "{}",
      content_type = "application/json" }
    local hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61c"
      .. "aaff8a"
    assert.equal(URL .. "?bodySHA256=" .. hash, url)
    _, url = signature.sign { auth_token = TOKEN, url = URL .. "?a=1#f",
      body = "{}", content_type = "application/json" }
    assert.equal(URL .. "?a=1&bodySHA256=" .. hash, url)
    local _, same = signature.sign { auth_token = TOKEN, url = url,
      body = "{}", content_type = "application/json" }
    assert.equal(url, same)
  end)

  it("signs what validate accepts", function()
    accepted(signed())
    accepted(signed { params = {} })
    accepted(signed { url = URL .. "?", params = { a = "1" } })
    accepted(signed { body = "{}", content_type = "application/json" })
    accepted(signed { body = "", content_type = "application/json" })
    accepted(signed { url = "https://[::1]:8443/x?y='z'" })
  end)

  it("signs with the first of several tokens", function()
    assert.equal((signature.sign { auth_token = { TOKEN, "x" }, url = URL }),
      (signature.sign { auth_token = TOKEN, url = URL }))
  end)

  it("signs with a shared key, and gives the settings header", function()
    local params = { a = "1" }
    local text, url, header = signature.sign { url = URL, params = params,
      shared_key = "x", shared_key_id = ID }
    assert.equal(reference.signature("x", URL, { { "a", "1" } },
      "HMAC_SHA256"), text)
    assert.equal(URL, url)
    assert.equal("key=" .. ID .. ",algorithm=HMAC_SHA256", header)
    text, url, header = signature.sign { url = URL, params = params,
      shared_key = "x", shared_key_id = ID, algorithm = "HMAC_SHA1" }
    assert.equal(reference.signature("x", URL, { { "a", "1" } }), text)
    assert.equal("key=" .. ID .. ",algorithm=HMAC_SHA1", header)
    assert.equal(URL, url)
    assert.is_nil((select(3, signature.sign { url = URL,
      auth_token = TOKEN })))
  end)

  it("signs as twilio-node does", function()
    for _, row in ipairs(twilio_node) do
      if row.valid then
        local text, url = signature.sign { url = row.url, params = row.params,
          body = row.body, content_type = row.body and "application/json",
          shared_key = row.secret, shared_key_id = ID,
          algorithm = row.algorithm }
        assert.is_true((signature.validate { url = row.url,
          params = row.params, body = row.body, signature = text,
          content_type = row.body and "application/json",
          signature_settings = "key=" .. ID .. ",algorithm=" .. row.algorithm,
          shared_keys = { [ID] = { secret = row.secret,
            algorithm = row.algorithm } } }))
        if url == row.url and not row.name:find "port" then
          assert.equal(row.signature, text)
        end
      end
    end
  end)

  it("raises for what cannot be signed", function()
    local function sign(changes)
      return signature.sign(with({ auth_token = TOKEN, url = URL }, changes))
    end
    raised("https:// or http://", sign, { url = "ftp://company.com" })
    raised("signature_spec.lua:%d+: .*not both", function()
      return (sign { shared_key = "x", shared_key_id = ID })
    end)
    raised("unknown option 'shared_keys'", sign, { shared_keys = {} })
    raised("a host", sign, { url = "https:///x" })
    raised("spaces", sign, { url = "https://h/a b" })
    raised("not a form", sign, { body = "a=%" })
    raised("GET has no body", sign, { method = "GET", body = "a=1" })
    raised("GET has no body", sign, { method = "GET", params = { a = "1" } })
  end)
end)

describe("signature.explain", function()
  it("makes a report and accepts nothing", function()
    local request = with(signed(), { url = "http://company.com/flex/events" })
    local report = signature.explain(request)
    assert.equal("scheme", report.variation)
    refused("signature_differs", request)
  end)
end)
