local core = require "flexhooks.core"
local reference = require "spec.support.reference"

local URL = "https://h.example/flex/events"

local validator

before_each(function()
  validator = core.validator()
end)

after_each(function()
  validator:close()
end)

local function signed(secret, url, list, algorithm)
  return reference.signature(secret, url, list or {}, algorithm)
end

local function gives(expected, good, reason)
  assert.same(expected == true and { true } or { nil, expected },
    { good, reason })
end

describe("a validator", function()
  it("checks forms, parameters and JSON with the secret of each call",
    function()
      for _, algorithm in ipairs { "HMAC_SHA1", "HMAC_SHA256" } do
        local list = { { "a", "1" }, { "b", "2 " } }
        local text = signed("s", URL, list, algorithm)
        gives(true, validator:form(URL, "s", algorithm, text, "b=2+&a=1"))
        gives(true, validator:params(URL, "s", algorithm, text,
          { a = "1", b = "2 " }))
        gives("signature_differs",
          validator:form(URL, "t", algorithm, text, "b=2+&a=1"))
        gives("signature_differs", validator:params(URL, "s", algorithm, text,
          { a = "1", b = "2" }))
        local url = URL .. "?bodySHA256=" .. core.sha256 "{}"
        text = signed("s", url, {}, algorithm)
        gives(true, validator:json(url, "s", algorithm, text, "{}"))
        gives("body_differs",
          validator:json(url, "s", algorithm, text, "[]"))
        gives("body_unsigned", validator:json(URL, "s", algorithm, text, ""))
      end
    end)

  it("is for HMAC-SHA1 where no algorithm is named", function()
    gives(true, validator:form(URL, "s", nil, signed("s", URL), ""))
    gives("algorithm_differs", validator:form(URL, "s", nil,
      signed("s", URL, {}, "HMAC_SHA256"), ""))
  end)

  it("takes the URL's query as it stands, and no fragment", function()
    for _, url in ipairs { URL .. "?", URL .. "?a=%2F&b='", URL } do
      gives(true, validator:form(url .. "#f?x", "s", nil, signed("s", url),
        ""))
    end
    gives(true, validator:form("https://u:p@h.example/#", "s", nil,
      signed("s", "https://h.example/"), ""))
  end)

  it("tells a URL that is none", function()
    for _, url in ipairs { "", "x", "?", "#", "ftp://h/", "https://h h/" } do
      gives("url", validator:form(url, "s", nil, "x", ""))
      gives("url", validator:params(url, "s", nil, "x", {}))
    end
  end)

  it("tells what is wrong as a verifier does", function()
    gives("malformed", validator:form(URL, "s", nil, nil, "a=%"))
    gives("signature_missing", validator:form(URL, "s", nil, nil, ""))
    gives("signature_shape", validator:form(URL, "s", nil, "x", ""))
    gives("malformed", validator:params(URL, "s", nil, nil, { ["a\0"] = "" }))
    gives("signature_missing", validator:params(URL, "s", nil, nil, {}))
  end)

  it("tells parameters that are more than strings", function()
    for _, params in ipairs { { "x" }, { a = 1 }, { a = { "x" } },
      { a = true } } do
      gives("general", validator:params(URL, "s", nil, "x", params))
    end
  end)

  it("checks plain options, and tells those that are not", function()
    local plain = { url = URL, auth_token = "s", signature = signed("s", URL,
      { { "a", "1" } }), body = "a=1" }
    local form = "application/x-www-form-urlencoded"
    local function with(changes)
      local options = {}
      for _, set in ipairs { plain, changes } do
        for name, value in pairs(set) do
          options[name] = value or nil
        end
      end
      return options
    end
    for _, changes in ipairs { {}, { method = "POST" },
      { content_type = form }, { content_type = form .. "; charset=utf-8" },
      { content_type = form .. "; charset=UTF-8" },
      { body = false, params = { a = "1" } } } do
      gives(true, validator:plain(with(changes)))
      changes.auth_token = "t"
      gives("signature_differs", validator:plain(with(changes)))
    end
    for _, options in ipairs { {}, with { url = false }, with { body = false },
      with { auth_token = false }, with { auth_token = "" },
      with { method = "GET" }, with { method = "post" },
      with { content_type = form .. "\0" }, with { content_type = "" },
      with { ["url\0"] = "x" }, with { x = "y" }, with { [1] = "x" },
      with { url = 1 }, with { body = 1 }, with { signature = 1 },
      with { auth_token = { "s" } }, with { params = {} },
      with { body = false, params = "x" },
      with { body = false, params = { a = 1 } },
      with { body = false, params = { a = { "1" } } },
      with { body = false, params = setmetatable({ a = "1" }, {}) },
      with { body = false, params = { a = "1" },
        url = URL .. "?bodySHA256=x" },
      setmetatable(with {}, {}), "x", 1, true } do
      gives("general", validator:plain(options))
    end
    gives("general", validator:plain())
    gives("signature_missing", validator:plain(with { signature = false }))
    gives("url", validator:plain(with { url = "x" }))
  end)

  it("takes bodies and parameters that its own memory does not hold",
    function()
      local list, params = {}, {}
      for i = 1, 500 do
        list[i] = { "name" .. i, ("v"):rep(100) }
        params["name" .. i] = ("v"):rep(100)
      end
      local text = signed("s", URL, list)
      gives(true, validator:params(URL, "s", nil, text, params))
      gives(true, validator:form(URL, "s", nil, text,
        core.encode_form(list)))
    end)

  it("keeps a few secrets and URLs, and tells them apart", function()
    local secrets = { "s", "t", "s\0", "", ("s"):rep(64), ("s"):rep(65) }
    for i = 1, 40 do
      secrets[#secrets + 1] = "secret" .. i
    end
    for _ = 1, 2 do
      for i, secret in ipairs(secrets) do
        local url = URL .. i
        if secret ~= "" then
          local text = signed(secret, url)
          gives(true, validator:form(url, secret, nil, text, ""))
          gives("signature_differs",
            validator:form(url, secret .. "x", nil, text, ""))
          gives("algorithm_differs",
            validator:form(url, secret, "HMAC_SHA256", text, ""))
          gives("signature_differs",
            validator:form(URL, secret, nil, text, ""))
        end
      end
    end
  end)

  it("raises for arguments of the wrong kind", function()
    for _, arguments in ipairs { {}, { URL }, { URL, "" }, { URL, 1 },
      { 1, "s" }, { URL, "s", "SHA1" }, { URL, "s", nil, 1 },
      { URL, "s", nil, "x" }, { URL, "s", nil, "x", 1 } } do
      for _, method in ipairs { "form", "json", "params" } do
        assert.has_error(function()
          validator[method](validator, arguments[1], arguments[2],
            arguments[3], arguments[4], arguments[5])
        end)
      end
    end
    validator:close()
    validator:close()
    assert.has_error(function()
      validator:form(URL, "s", nil, "x", "")
    end)
  end)

  local proxy = rawget(_G, "newproxy") -- has no finalizers on tables

  -- Garbage whose finalizer runs `action`.
  local function litter(action)
    if proxy then
      getmetatable(proxy(true)).__gc = action
    else
      setmetatable({}, { __gc = action })
    end
  end

  it("is not disturbed by finalizers that validate", function()
    local body = "a=" .. ("x"):rep(20000)
    local text = signed("s", URL, { { "a", ("x"):rep(20000) } })
    local other, finalized = 0, 0
    for round = 1, 200 do
      for _ = 1, 20 do
        litter(function()
          finalized, other = finalized + 1, other + 1
          pcall(validator.form, validator, URL .. other, "s" .. other, nil,
            text, body)
        end)
      end
      collectgarbage("step", round % 60)
      gives(true, validator:form(URL, "s", nil, text, body))
    end
    collectgarbage()
    collectgarbage()
    assert.is_true(finalized > 0)
  end)

  it("survives being closed by a finalizer", function()
    local body = "a=" .. ("x"):rep(20000)
    local text = signed("s", URL, { { "a", ("x"):rep(20000) } })
    for _ = 1, 50 do
      local own = core.validator()
      litter(function()
        own:close()
      end)
      for _ = 1, 20 do
        local ran, good = pcall(own.form, own, URL, "s", nil, text, body)
        if not ran then
          assert.matches("closed", good)
          break
        end
        assert.is_true(good)
      end
    end
    collectgarbage()
    collectgarbage()
  end)
end)
