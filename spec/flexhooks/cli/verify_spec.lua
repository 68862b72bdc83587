local command = require "spec.support.command"
local json = require "flexhooks.json"
local process = require "spec.support.process"
local signature = require "flexhooks.signature"
local verify = require "flexhooks.cli.verify"

local URL = "https://company.example/flex/events"
local BODY = "AccountSid=AC1&EventType=onChannelCreated"
local PARAMS = { AccountSid = "AC1", EventType = "onChannelCreated" }

local function sign(url, params)
  return (signature.sign { auth_token = "s3cret", url = url, params = params,
    method = params and "POST" or "GET" })
end

local function run(arguments, more)
  table.insert(arguments, 1, "verify")
  return command.run(arguments, { TWILIO_AUTH_TOKEN = "s3cret" }, more)
end

describe("cli.verify", function()
  it("accepts what matches: a form, standard input, a GET", function()
    assert.is_function(verify.configure)
    assert.is_function(verify.run)
    local file = process.write(process.folder() .. "/body", BODY)
    local good = sign(URL, PARAMS)
    local status, out, err = run { "--url", URL, "--body", file,
      "--signature", good }
    assert.equal(0, status, err)
    assert.equal("The signature matches.\n", out)
    assert.equal(0, (run({ "--url", URL, "--body", "-", "--signature", good },
      { stdin = BODY })))
    assert.equal(0, (run { "--url", URL .. "?a=1", "--signature",
      sign(URL .. "?a=1") }))
  end)

  it("explains what does not match, with status 1", function()
    local file = process.write(process.folder() .. "/body", BODY)
    local status, out, err = run { "--url", URL, "--body", file,
      "--signature", sign("http://company.example/flex/events", PARAMS) }
    assert.equal(1, status)
    assert.matches("http", out)
    assert.equal("", err)
    assert.is_nil(out:find("s3cret", 1, true))
    status, out = run { "--url", URL, "--body", file, "--signature",
      ("A"):rep(27) .. "=" }
    assert.equal(1, status)
    assert.is_true(#out > 20)
  end)

  it("fails with 2 where it was misused", function()
    for wanted, arguments in pairs {
      ["missing option '%-%-signature'"] = { "--url", URL },
      ["option '%-%-url': the URL must be absolute"] =
        { "--url", "company.example", "--signature", ("A"):rep(27) .. "=" },
      ["cannot read %-%-body"] = { "--url", URL, "--signature", "x",
        "--body", "/nonexistent" },
    } do
      local status, _, err = run(arguments)
      assert.equal(2, status)
      assert.matches(wanted, err)
    end
    local status, _, err = command.run({ "verify", "--url", URL,
      "--signature", "x" }, { TWILIO_AUTH_TOKEN = false })
    assert.equal(2, status)
    assert.matches("TWILIO_AUTH_TOKEN", err)
  end)

  -- What is said of a delivery that was signed in another way.
  local function explained(signed, more)
    local file = process.write(process.folder() .. "/body",
      more.body or BODY)
    local words = { "verify", "--url", more.url or URL, "--body", file,
      "--signature", signed, "--json" }
    for _, word in ipairs(more) do
      words[#words + 1] = word
    end
    local env = { TWILIO_AUTH_TOKEN = "s3cret" }
    for name, value in pairs(more.env or {}) do
      env[name] = value
    end
    local status, out, err = command.run(words, env)
    assert.equal(1, status, err)
    assert.equal("", err)
    for _, secret in ipairs { "s3cret", "0ther" } do
      assert.is_nil(out:find(secret, 1, true))
    end
    local report = assert(json.decode(out))
    assert.is_false(report.valid)
    return report
  end

  it("names the variation and what to set, for people and programs",
    function()
      local H = "https://company.example"
      local QUERY = URL .. "?b=2&a=1"
      for _, row in ipairs {
        { "scheme", sign("http://company.example/flex/events", PARAMS) },
        { "port", sign(H .. ":8443/flex/events", PARAMS),
          "--also-host", "company.example:8443", variation = "host" },
        { "slash", sign(URL .. "/", PARAMS) },
        { "host", sign("https://other.example/flex/events", PARAMS),
          "--also-host", "other.example" },
        { "url", sign("https://else.example/x", PARAMS), "--also-url",
          "https://else.example/x" },
        { "url", sign("https://else.example/x", PARAMS),
          env = { FLEXHOOKS_PUBLIC_URL = "https://else.example/x" } },
        { "query", sign(QUERY, PARAMS), url = URL .. "?a=1&b=2" },
        { "query", sign(URL .. "?a=b%20c", PARAMS), url = URL .. "?a=b+c" },
        { "line break added", sign(URL, { A = "b" }), body = "A=b\n" },
        { "values trimmed", sign(URL, { A = "b" }), body = "A=b+" },
        { "values still encoded", sign(URL, { A = "b c" }),
          body = "A=b%2520c" },
      } do
        local report = explained(row[2], { row[3], row[4], url = row.url,
          body = row.body, env = row.env })
        assert.is_true(report.matched, row[1])
        assert.matches(row.variation or row[1], report.variation)
        assert.is_true(#report.advice > 20)
      end
    end)

  it("names another token, and an API key used as one", function()
    local other = process.write(process.folder() .. "/token", "0ther\n")
    os.execute("chmod 600 " .. other)
    local signed = signature.sign { auth_token = "0ther", url = URL,
      params = PARAMS }
    local report = explained(signed, { "--also-token-file", other })
    assert.is_true(report.matched)
    assert.matches("token", report.variation)
    report = explained(signed, { env = { TWILIO_API_SECRET = "0ther" } })
    assert.is_true(report.matched)
    report = explained(signed, {})
    assert.is_false(report.matched)
    assert.is_true(report.tried > 10)
    report = explained(signed, { env = { TWILIO_AUTH_TOKEN = "SK"
      .. ("a"):rep(32) } })
    assert.matches("API key", report.advice)
  end)

  it("prints JSON where it matches", function()
    local file = process.write(process.folder() .. "/body", BODY)
    local status, out = run { "--url", URL, "--body", file, "--signature",
      sign(URL, PARAMS), "--json" }
    assert.equal(0, status)
    assert.equal('{"matched":true,"valid":true}\n', out)
  end)

  it("knows shared keys, and what becomes of the settings header", function()
    local id = "webhooks_sharedkey_a"
    local file = process.write(process.folder() .. "/body", BODY)
    local keys = process.write(process.folder() .. "/keys", id .. "=s3cret")
    os.execute("chmod 600 " .. keys)
    local function signed(algorithm)
      local text, _, header = signature.sign { shared_key = "s3cret",
        shared_key_id = id, algorithm = algorithm, url = URL,
        params = PARAMS }
      return text, header
    end
    local function verified(env, text, header, ...)
      local words = { "verify", "--url", URL, "--body", file, "--signature",
        text, ... }
      if header then
        words[#words + 1] = "--signature-settings"
        words[#words + 1] = header
      end
      local status, out, err = command.run(words, env)
      assert.is_nil((out .. err):find("s3cret", 1, true))
      return status, out .. err
    end
    local env = { TWILIO_AUTH_TOKEN = false,
      FLEXHOOKS_SHARED_KEYS = id .. "=s3cret" }
    local text, header = signed()
    assert.equal(0, (verified(env, text, header)))
    assert.equal(0, (verified({ TWILIO_AUTH_TOKEN = "t" }, text, header,
      "--shared-keys-file", keys)))
    local sha1, header1 = signed "HMAC_SHA1"
    assert.equal(0, (verified(env, sha1, header1, "--algorithm",
      "HMAC_SHA1")))
    for wanted, row in pairs {
      ["change: settings header.*is missing"] = { text },
      ["change: settings header.*does not say HMAC_SHA256"] =
        { text, header1 },
      ["change: algorithm"] = { sha1, header1 },
      ["names " .. id .. "2, which is not configured here"] =
        { text, (header:gsub(id, "%02")) },
    } do
      local status, out = verified(env, row[1], row[2])
      assert.equal(1, status)
      assert.matches(wanted, out)
    end
    local status, out = verified({ TWILIO_AUTH_TOKEN = false,
      FLEXHOOKS_SHARED_KEYS = "s3cret" }, text, header)
    assert.equal(2, status)
    assert.matches("FLEXHOOKS_SHARED_KEYS: word 1", out)
  end)
end)
