local errors = require "flexhooks.error"
local findings = require "spec.support.findings"
local signing = require "flexhooks.cli.doctor.signing"

local URL = "https://h.example/flex/events"
local ID = "webhooks_sharedkey_a"
local BASE = "https://webhooks.twilio.com/v1/Webhooks/"

local function rule(kind, value, ...)
  local settings = {}
  for i, id in ipairs { ... } do
    settings[i] = { settingId = id, percentage = 50 }
  end
  return { id = "webhooks_rule_1", matchType = kind .. "_MATCH",
    value = kind == "EXACT" and value or nil,
    prefix = kind == "PREFIX" and value or nil, settings = settings }
end

local function default(...)
  local made = rule("EXACT", nil, ...)
  made.matchType = "DEFAULT"
  return made
end

local function key(algorithm)
  return { secret = "hidden", algorithm = algorithm or "HMAC_SHA256" }
end

local SETTINGS = {
  webhooks_setting_a = { signature = { type = "SHARED_KEY",
    sharedKeyId = ID, algorithm = "HMAC_SHA256" } },
  webhooks_setting_b = { signature = { type = "SHARED_KEY",
    sharedKeyId = "webhooks_sharedkey_b", algorithm = "HMAC_SHA256" } },
  webhooks_setting_none = { signature = { type = "NONE" } },
  webhooks_setting_token = {},
}

-- A client of these rules, in pages of one.
local function client_of(rules, base)
  local asked = {}
  return { base_url = base or "https://flex-api.twilio.com",
    request = function(_, method, url, options)
      assert.equal("GET", method)
      asked[#asked + 1] = url
      local id = url:match "/Settings/(.*)$"
      if id then
        return SETTINGS[id], not SETTINGS[id]
          and errors.new("not_found", "not there") or nil
      elseif errors.is(rules) then
        return nil, rules
      end
      local at = tonumber(options.query.pageToken or 1)
      return { meta = { key = "items", nextToken = rules[at + 1]
        and tostring(at + 1) or nil }, items = { rules[at] } }
    end }, asked
end

local function found(rules, keys, auth_token, urls)
  local report = findings.new()
  local client, asked = client_of(rules)
  local signers = signing.check(report, client, urls or { URL }, keys or {},
    auth_token)
  assert.is_nil(report:text():find("hidden", 1, true))
  return report:text(), signers, asked
end

describe("cli.doctor.signing", function()
  it("says that the auth token signs what no rule matches", function()
    assert.equal("pass signing: " .. URL .. " is signed with the auth token: "
      .. "no webhook rule matches it", (found({})))
    assert.matches("^pass.*names no shared key",
      (found { default "webhooks_setting_token" }))
    assert.matches("^fail signing: .*which the application refuses",
      (found({}, { [ID] = key() }, false)))
  end)

  it("says which shared key is missing", function()
    assert.equal("fail signing: " .. URL .. " is signed with the shared key "
      .. ID .. ", which is not configured: every event is refused",
      (found { default "webhooks_setting_a" }))
    local text, signers = found({ default("webhooks_setting_a",
      "webhooks_setting_b") }, { [ID] = key() })
    assert.equal("pass signing: " .. URL .. " is signed with the shared key "
      .. ID .. "\nfail signing: " .. URL .. " is signed with the shared key "
      .. "webhooks_sharedkey_b, which is not configured: every event is "
      .. "refused", text)
    assert.same({ [ID] = { shared_key_id = ID, shared_key = "hidden",
      algorithm = "HMAC_SHA256" } }, signers)
  end)

  it("says which key has another algorithm, and what is not signed",
    function()
      assert.matches("^fail signing: .*is configured for HMAC_SHA1$",
        (found({ default "webhooks_setting_a" },
          { [ID] = key "HMAC_SHA1" })))
      assert.matches("^fail signing: .*is not signed at all",
        (found { default "webhooks_setting_none" }))
    end)

  it("asks the application's function", function()
    local rules = { default "webhooks_setting_a" }
    local text, signers = found(rules, function(id)
      return id == ID and "hidden" or nil
    end)
    assert.matches("^pass signing: .*" .. ID, text)
    assert.equal("hidden", signers[ID].shared_key)
    assert.matches("^fail.*not configured", (found(rules, function() end)))
    assert.matches("^fail.*cannot be looked up: down", (found(rules,
      function() return nil, "down" end)))
    assert.matches("^fail.*cannot be looked up: .*down", (found(rules,
      function() error "down" end)))
    assert.matches("^fail.*cannot be looked up: must be a secret",
      (found(rules, function() return 5 end)))
  end)

  it("evaluates exact rules first, then prefixes, the longest first",
    function()
      local exact = rule("EXACT", "https://h.example/flex/events", "x")
      local long = rule("PREFIX", "https://h.example/flex/", "x")
      local short = rule("PREFIX", "https://h.example/", "x")
      local any = default "x"
      for _, row in ipairs {
        { URL, { any, short, long, exact }, exact },
        { URL, { exact, long, short, any }, exact },
        { URL .. "?a=1", { any, exact }, exact },
        { URL .. "/", { any, exact }, exact },
        { "https://u:p@h.example:443/flex/events#rc=1", { any, exact },
          exact },
        { "https://h.example/flex/other", { exact, short, long, any }, long },
        { "https://h.example/x", { exact, short, long, any }, short },
        { "https://other.example/", { exact, short, long, any }, any },
        { "https://other.example/", { exact, short, long }, nil },
        { URL, { { matchType = "NEW" }, {} }, nil },
      } do
        assert.equal(row[3], signing.rule_for(row[2], row[1]))
      end
    end)

  it("asks Twilio's own address, or the stand-in's", function()
    local _, _, asked = found { default "webhooks_setting_a", default "x" }
    assert.same({ BASE .. "Rules", BASE .. "Rules",
      BASE .. "Settings/webhooks_setting_a" }, asked)
    local client, local_asked = client_of({}, "http://127.0.0.1:4010")
    signing.check(findings.new(), client, { URL }, {})
    assert.same({ "/v1/Webhooks/Rules" }, local_asked)
  end)

  it("skips what it may not read", function()
    assert.matches("^skip signing: the webhook rules cannot be read",
      (found(errors.new("not_found", "nothing here"))))
    assert.matches("^skip signing: ", (found(errors.new("auth", "no"))))
    assert.matches("^warn signing: ", (found(errors.new("timeout", "late"))))
    assert.matches("^warn signing: the Setting gone of webhooks_rule_1",
      (found { default "gone" }))
  end)

  it("takes no harm from answers of another shape", function()
    for _, body in ipairs { {}, { meta = 5 }, { rules = "x" },
      { meta = {}, rules = { 5, {}, { settings = 5 },
        { matchType = "DEFAULT", settings = { 5, {},
          { settingId = "../x" } } } } } } do
      local report = findings.new()
      signing.check(report, { base_url = "x", request = function()
        return body
      end }, { URL }, {})
      assert.is_string(report:text())
    end
  end)
end)
