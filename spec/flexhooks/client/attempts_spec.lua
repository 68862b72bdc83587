local canned = require "flexhooks.testing.canned_transport"
local errors = require "flexhooks.error"
local attempts = require "flexhooks.client.attempts"
local flexhooks = require "flexhooks"
local log = require "flexhooks.log"
local rate_limits = require "flexhooks.client.rate_limit"
local retry = require "flexhooks.client.retry"

local SOON = { ["Retry-After"] = "0" }

-- A line over canned answers, and what it logs.
local function line_over(answers, fields)
  local transport = canned.new(answers)
  local logged = {}
  local line = {
    transport = function()
      return transport
    end,
    pacing = rate_limits.new(false),
    connect_timeout = 10,
    max_response = 1000,
    log = log.wrap(function(level, message, of)
      logged[#logged + 1] = { level = level, message = message, fields = of }
    end),
    active = 0,
    closed = false,
    release = function() end,
  }
  for name, value in pairs(fields or {}) do
    line[name] = value
  end
  return line, transport, logged
end

local function request(method, fields)
  local made = {
    method = method or "GET",
    url = "https://flex-api.twilio.com/v1/x?a=b",
    path = "/v1/x",
    endpoint = (method or "GET") .. " /v1/x",
    headers = { Accept = "application/json" },
    timeout = 30,
    max_retries = 3,
    repeatable = retry.repeatable(method or "GET"),
    redact = function(value)
      return value
    end,
  }
  for name, value in pairs(fields or {}) do
    made[name] = value
  end
  return made
end

describe("exchange.run", function()
  it("hands the transport all that it needs", function()
    local line, transport = line_over { { body = "x",
      headers = { ["Twilio-Request-Id"] = "RQ1" } } }
    local answer = assert(attempts.run(line, request("POST",
      { body = "a=b", timeout = 5 })))
    assert.same({ 200, "x", 1, "RQ1" },
      { answer.status, answer.body, answer.attempts, answer.request_id })
    local sent = transport.requests[1]
    assert.same({ "POST", "https://flex-api.twilio.com/v1/x?a=b", "a=b", 5,
      5 },
      { sent.method, sent.url, sent.body, sent.timeout, sent.connect_timeout })
    assert.equal("application/json", sent.headers.Accept)
    assert.is_nil(sent.headers.Authorization)
  end)

  it("copies nothing for a transport that is exact", function()
    local line = line_over {}
    local given, headers
    local transport = { exact = true, takes_secrets = true }
    function transport.send(_, sent)
      headers = sent.headers
      given = { status = 200, headers = { a = "b" }, body = "x" }
      return given
    end
    line.transport = function()
      return transport
    end
    local made = request("GET", {})
    local answer = assert(attempts.run(line, made))
    assert.equal(given, answer)
    assert.equal(made.headers, headers)
    line.max_response = 0
    local _, err = attempts.run(line, made)
    assert.equal("too_large", err.kind)
  end)

  it("logs only where there is a logger", function()
    local line = line_over { {}, { status = 500 } }
    line.log = nil
    assert(attempts.run(line, request("GET", {})))
    local _, err = attempts.run(line, request("GET", { max_retries = 0 }))
    assert.equal("http", err.kind)
  end)

  -- method, answers, requests sent, kind of the error or nil, maybe_applied
  local ROWS = {
    { "GET", { { status = 429, headers = SOON }, {} }, 2 },
    { "POST", { { status = 429, headers = SOON }, {} }, 2 },
    { "POST", { { status = 429, headers = SOON }, { status = 429,
      headers = SOON }, { status = 429, headers = SOON }, { status = 429,
      headers = SOON } }, 4, "rate_limited" },
    { "POST", { { status = 429, headers = { ["Retry-After"] = "61" } } }, 1,
      "rate_limited" },
    { "GET", { { status = 503, headers = SOON }, {} }, 2 },
    { "DELETE", { { status = 502, headers = SOON }, { status = 204 } }, 2 },
    { "POST", { { status = 503, headers = SOON } }, 1, "http" },
    { "POST", { { status = 500 } }, 1, "http" },
    { "POST", { { status = 502 } }, 1, "http", true },
    { "POST", { { status = 504 } }, 1, "http", true },
    { "GET", { { status = 400 } }, 1, "http" },
    { "GET", { { status = 409 } }, 1, "http" },
    { "GET", { { status = 404 } }, 1, "not_found" },
    { "GET", { { status = 403 } }, 1, "auth" },
    { "GET", { { status = 401 } }, 1, "auth" },
    { "GET", { { status = 302 } }, 1, "redirect" },
    { "POST", { { status = 307 } }, 1, "redirect" },
    { "GET", { { kind = "reset" }, {} }, 2 },
    { "GET", { { kind = "timeout" }, {} }, 2 },
    { "DELETE", { { kind = "protocol" }, {} }, 2 },
    { "POST", { { kind = "timeout" } }, 1, "timeout", true },
    { "POST", { { kind = "reset" } }, 1, "reset", true },
    { "POST", { { kind = "protocol" } }, 1, "protocol", true },
    { "POST", { { kind = "too_large" } }, 1, "too_large", true },
    { "POST", { { kind = "cancelled" } }, 1, "cancelled", true },
    { "PUT", { { kind = "reset" } }, 1, "reset", true },
    { "POST", { { kind = "connect" }, {} }, 2 },
    { "POST", { { kind = "dns" }, {} }, 2 },
    { "POST", { { kind = "timeout", sent = false }, {} }, 2 },
    { "POST", { { kind = "reset", sent = false }, {} }, 2 },
    { "POST", { { kind = "cancelled", sent = false } }, 1, "cancelled" },
    { "GET", { { kind = "cancelled" } }, 1, "cancelled" },
    { "GET", { { kind = "too_large" } }, 1, "too_large" },
    { "GET", { { body = ("x"):rep(1001) } }, 1, "too_large" },
    { "POST", { { status = 429, headers = SOON }, { kind = "reset" } }, 2,
      "reset", true },
    { "DELETE", { { status = 503, headers = SOON }, { status = 404 } }, 2 },
    { "DELETE", { { kind = "reset" }, { status = 404 } }, 2 },
    { "DELETE", { { status = 404 } }, 1, "not_found" },
    { "DELETE", { { status = 429, headers = SOON }, { status = 404 } }, 2,
      "not_found" },
    { "DELETE", { { kind = "connect" }, { status = 404 } }, 2, "not_found" },
    { "GET", { { kind = "reset" }, { status = 404 } }, 2, "not_found" },
  }
  for i, row in ipairs(ROWS) do
    it("row " .. i .. ": " .. row[1] .. " ends "
      .. (row[4] and "with " .. row[4] or "well"), function()
      local line, transport = line_over(row[2])
      local answer, err = attempts.run(line, request(row[1]))
      assert.equal(row[3], #transport.requests)
      if row[4] then
        assert.is_nil(answer)
        assert.equal(row[4], err.kind)
        assert.equal(row[5], err.maybe_applied)
        assert.same({ row[1], "https://flex-api.twilio.com/v1/x?a=b", row[3] },
          { err.method, err.url, err.attempts })
        assert.is_nil(err.sent)
      else
        assert.equal(row[3], answer.attempts)
      end
      assert.equal(0, line.active)
    end)
  end

  it("keeps what the answer said in the error", function()
    local line = line_over { { status = 429,
      headers = { ["Retry-After"] = "99",
      ["Twilio-Request-Id"] = "RQ1" }, body = { code = 20429,
      message = "Too Many Requests", more_info = "https://x",
        details = { 1 } } } }
    local _, err = attempts.run(line, request "POST")
    assert.same({ "Too Many Requests", 429, 20429, "https://x", "RQ1", 99 },
      { err.message, err.status, err.code, err.more_info, err.request_id,
        err.retry_after })
    assert.same({ 1 }, err.details)
  end)

  it("makes errors of what a transport says otherwise", function()
    for _, given in ipairs { "broken pipe", false } do
      local line = line_over { function()
        return nil, given or nil
      end }
      local _, err = attempts.run(line, request "POST")
      assert.is_true(errors.is(err))
      assert.is_true(err.maybe_applied or err.kind == "closed")
    end
    local line = line_over({}, { transport = function()
      return { send = function()
        return { status = "200" }
      end }
    end })
    local _, err = attempts.run(line, request "POST")
    assert.equal("protocol", err.kind)
  end)

  it("leaves the transport's error as it was", function()
    local failure = errors.new("reset", "it failed", { sent = true })
    local line = line_over { failure }
    local _, err = attempts.run(line, request "POST")
    assert.not_equal(failure, err)
    assert.is_nil(failure.method)
  end)

  it("takes secrets out of what a server echoes", function()
    local line = line_over { { status = 400, body = { message = "bad hunter2",
      more_info = "https://x/hunter2", details = { "hunter2" } },
      headers = { ["Twilio-Request-Id"] = "hunter2" } } }
    local _, err = attempts.run(line, request("GET", { redact = function(value)
      return value and "****"
    end }))
    assert.same({ "****", "****", "****", "****" },
      { err.message, err.more_info, err.details, err.request_id })
  end)

  it("logs attempts and waits, without what was sent", function()
    local line, _, logged = line_over { { status = 503, headers = SOON,
      body = "secret payload" }, { body = "secret payload" } }
    attempts.run(line, request("GET", { body = "secret payload" }))
    local levels = {}
    for i, entry in ipairs(logged) do
      levels[i] = entry.level
      for name, value in pairs(entry.fields) do
        assert.not_matches("secret", name .. tostring(value))
      end
      assert.equal("/v1/x", entry.fields.path)
      assert.equal("GET", entry.fields.method)
    end
    assert.same({ "warn", "warn", "debug" }, levels)
    assert.same({ 503, 1, "http" }, { logged[1].fields.status,
      logged[1].fields.attempt, logged[1].fields.kind })
    assert.equal(0, logged[2].fields.wait)
    assert.same({ 200, 2 }, { logged[3].fields.status,
      logged[3].fields.attempt })
    assert.is_true(logged[3].fields.duration >= 0)
  end)

  it("does not wait beyond the caller's deadline", function()
    local runtime = require "flexhooks.runtime.current"
    local line, transport = line_over { { status = 429,
      headers = { ["Retry-After"] = "30" } } }
    local err
    flexhooks.run(function()
      local token = runtime.enter(runtime.clock() + 5)
      err = select(2, attempts.run(line, request "GET"))
      runtime.leave(token)
    end)
    assert.equal("rate_limited", err.kind)
    assert.equal(30, err.retry_after)
    assert.equal(1, #transport.requests)
  end)
end)

describe("exchange.run with proof of who calls", function()
  -- Proof whose secrets say how many have been given out.
  local function proof(renewable)
    local given = { count = 1, asked = 0 }
    function given:authorization()
      self.asked = self.asked + 1
      local count = self.count
      return { reveal = function()
        return "Bearer " .. count
      end }
    end
    function given:rejected()
      self.count = self.count + 1
      return renewable
    end
    return given
  end

  it("puts it into the headers", function()
    local line, transport = line_over { {} }
    attempts.run(line, request("GET", { auth = proof(false) }))
    assert.equal("Bearer 1", transport.requests[1].headers.authorization)
  end)

  it("hands the secret itself to who takes it", function()
    local line, transport = line_over { {} }
    transport.takes_secrets = true
    attempts.run(line, request("GET", { auth = proof(false) }))
    assert.is_nil(transport.requests[1].headers.authorization)
    assert.equal("Bearer 1", transport.requests[1].authorization:reveal())
  end)

  it("shares no headers that it puts it into", function()
    local line, transport = line_over { {} }
    transport.exact = true
    local made = request("GET", { auth = proof(false) })
    attempts.run(line, made)
    assert.is_nil(made.headers.Authorization)
  end)

  it("renews once after a 401, whatever the method", function()
    local line, transport = line_over { { status = 401 }, {} }
    assert(attempts.run(line, request("POST", { auth = proof(true),
      max_retries = 0 })))
    assert.equal("Bearer 2", transport.requests[2].headers.authorization)
    line, transport = line_over { { status = 401 }, { status = 401 } }
    local _, err = attempts.run(line, request("GET", { auth = proof(true) }))
    assert.equal("auth", err.kind)
    assert.equal(2, err.attempts)
    assert.equal(2, #transport.requests)
  end)

  it("does not repeat a 401 that nothing can mend", function()
    local line, transport = line_over { { status = 401 } }
    local _, err = attempts.run(line, request("GET", { auth = proof(false) }))
    assert.equal("auth", err.kind)
    assert.equal(1, #transport.requests)
  end)

  it("passes on why there is no proof", function()
    local line, transport = line_over {}
    local refusal = errors.new("auth", "no", { url = "https://oauth",
      attempts = 3 })
    local _, err = attempts.run(line, request("POST", { auth = {
      authorization = function()
        return nil, refusal
      end,
    } }))
    assert.equal(refusal, err)
    assert.equal(0, #transport.requests)
  end)
end)

describe("exchange.run on a closed line", function()
  it("sends nothing, and releases when the last has ended", function()
    local released = 0
    local line, transport = line_over({ function()
      return { status = 200 }
    end }, { release = function()
      released = released + 1
    end })
    line.closed = true
    local _, err = attempts.run(line, request "POST")
    assert.equal("closed", err.kind)
    assert.is_nil(err.maybe_applied)
    assert.same({ "POST", 0 }, { err.method, err.attempts })
    assert.equal(0, #transport.requests)
    assert.equal(1, released)
  end)

  it("does not repeat what fails while it closes", function()
    local line, transport
    line, transport = line_over { function()
      line.closed = true
      return nil, errors.new("reset", "it failed")
    end }
    local _, err = attempts.run(line, request "GET")
    assert.equal("closed", err.kind)
    assert.equal(1, #transport.requests)
  end)
end)

describe("exchange.run at a pace", function()
  it("spreads the requests of many tasks", function()
    local times, begun = {}, flexhooks.clock()
    local pacing = rate_limits.new(5)
    local line = line_over({}, { pacing = pacing, transport = function()
      return { send = function()
        times[#times + 1] = flexhooks.clock()
        return { status = 200 }
      end }
    end })
    flexhooks.run(function()
      local list = {}
      for i = 1, 12 do
        list[i] = i
      end
      flexhooks.map(list, 12, function()
        assert(attempts.run(line, request "GET"))
      end)
    end)
    assert.equal(12, #times)
    for i = 6, 12 do
      assert.is_true(times[i] - begun >= (i > 10 and 2 or 1))
    end
  end)

  it("ends where the wait is cancelled", function()
    local line, transport = line_over({ {}, {} },
      { pacing = rate_limits.new(0.1) })
    local err
    flexhooks.run(function()
      local task = flexhooks.spawn(function()
        attempts.run(line, request "POST")
        err = select(2, attempts.run(line, request "POST"))
      end)
      flexhooks.sleep(0.01)
      task:cancel()
      task:wait()
    end)
    assert.equal("cancelled", err.kind)
    assert.is_nil(err.maybe_applied)
    assert.equal(1, #transport.requests)
  end)
end)
