local flexhooks = require "flexhooks"
local json = require "flexhooks.json"
local process = require "spec.support.process"
local rows = require "spec.data.client_options"
local settings = require "flexhooks.client.settings"

local function with(changes)
  local given = {}
  for name, value in pairs(rows.good) do
    given[name] = value
  end
  for name, value in pairs(changes) do
    given[name] = value or nil
    if value == false then
      given[name] = nil
    end
  end
  return given
end

local function describe_row(changes)
  local words = {}
  for name, value in pairs(changes) do
    words[#words + 1] = tostring(name) .. " = "
      .. ("%q"):format(tostring(value)):sub(1, 50):gsub("%c", "?")
  end
  table.sort(words)
  return table.concat(words, ", ")
end

describe("flexhooks.client refuses", function()
  for i, row in ipairs(rows.refused) do
    it(i .. ": " .. describe_row(row[1]), function()
      local given = with(row[1])
      local ok, err = pcall(function()
        flexhooks.client(given)
      end)
      assert.is_false(ok)
      assert.equal(row[2], err.kind)
      assert.matches(row[3], err.message, 1, true)
      assert.matches("settings_spec.lua:%d+: flexhooks.client: ", err.message)
      assert.not_matches(rows.good.auth_token, tostring(err), 1, true)
      assert.not_matches("hunter2", tostring(err), 1, true)
      assert.not_matches("[%c]", tostring(err))
    end)
  end

  it("a table that is none", function()
    for _, given in ipairs { "x", 5, true } do
      local ok, err = pcall(flexhooks.client, given)
      assert.is_false(ok)
      assert.matches("options must be a table", err.message)
    end
  end)
end)

describe("settings.read", function()
  for _, row in ipairs(rows.places) do
    it("goes to " .. row[2] .. " for " .. describe_row(row[1]), function()
      local set = assert(settings.read(with(row[1])))
      assert.equal(row[2], set.base_url)
      assert.equal(row[3] or set.token_url, set.token_url)
      set.credential.secret:close()
    end)
  end

  it("fills in defaults", function()
    local set = settings.read(with {})
    assert.same({ 30, 10, 3, 20, 4194304 }, { set.timeout, set.connect_timeout,
      set.max_retries, set.rate_limit, set.max_response })
    set.credential.secret:close()
  end)

  it("expects no private address of Twilio, unless told", function()
    for _, row in ipairs { { nil, nil, false }, { nil, true, true },
      { "https://flex-api.dublin.ie1.twilio.com", nil, false },
      { "http://localhost:1", nil, true },
      { "http://localhost:1", false, false },
      { "https://twilio.com.example", nil, true } } do
      local given = with { base_url = row[1] }
      given.private_addresses = row[2]
      local set = assert(settings.read(given))
      assert.equal(row[3], set.private_addresses)
      set.credential.secret:close()
    end
  end)

  it("keeps secrets in wiped memory only", function()
    local given = with {}
    local set = settings.read(given)
    for _, value in pairs(set) do
      assert.not_equal(rows.good.auth_token, value)
    end
    assert.equal("****", tostring(set.credential.secret))
    assert.equal(rows.good.auth_token, set.credential.secret:reveal())
    assert.equal(rows.good.auth_token, given.auth_token)
    set.credential.secret:close()
  end)
end)

describe("settings.origin", function()
  it("names the port only where it is not the scheme's own", function()
    local function origin(scheme, host, port)
      return settings.origin { scheme = scheme, host = host, port = port }
    end
    assert.equal("https://a.example", origin("HTTPS", "A.example", 443))
    assert.equal("https://a.example", origin("https", "a.example"))
    assert.equal("https://a.example:80", origin("https", "a.example", 80))
    assert.equal("http://a.example", origin("http", "a.example", 80))
  end)
end)

-- Runs in a process with that environment and prints what was chosen.
local PROBE = [[
local given = assert(require("flexhooks.json").decode(io.read "*a"))
local ok, set, wrong, kind = pcall(require("flexhooks.client.settings").read,
  given)
local shown = { wrong = wrong, kind = kind }
if not ok then
  shown = { wrong = set.message, kind = set.kind }
elseif set then
  shown = { name = set.credential.name, user = set.credential.user,
    instance = set.instance_sid, base = set.base_url }
end
io.write(require("flexhooks.json").encode(shown))
]]

describe("the environment", function()
  for i, row in ipairs(rows.environments) do
    it("row " .. i, function()
      local env, given, chosen, kind, message = row[1], row[2], row[3], row[4],
        row[5]
      local _, out, err = process.run({ process.lua, "-e", PROBE },
        { env = env, stdin = json.encode(given) })
      local shown = assert(json.decode(out), err)
      if chosen then
        assert.is_nil(shown.wrong)
        for name, value in pairs(chosen) do
          assert.equal(value, shown[name])
        end
        assert.equal(chosen.instance, shown.instance)
      else
        assert.equal(kind, shown.kind)
        assert.matches(message, shown.wrong, 1, true)
        assert.not_matches(rows.good.auth_token, out, 1, true)
      end
    end)
  end
end)
