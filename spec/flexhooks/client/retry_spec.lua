local errors = require "flexhooks.error"
local retry = require "flexhooks.client.retry"

local function failure(fields)
  return errors.new(fields.kind or "http", "it failed", fields)
end

describe("retry.may_repeat", function()
  -- error, may be repeated when repeatable, and when not
  local ROWS = {
    { { status = 429, kind = "rate_limited" }, true, true },
    { { status = 500 }, true, false },
    { { status = 502 }, true, false },
    { { status = 503 }, true, false },
    { { status = 504 }, true, false },
    { { status = 599 }, true, false },
    { { status = 400 }, false, false },
    { { status = 401, kind = "auth" }, false, false },
    { { status = 404, kind = "not_found" }, false, false },
    { { status = 409 }, false, false },
    { { status = 302, kind = "redirect" }, false, false },
    { { kind = "dns" }, true, true },
    { { kind = "connect" }, true, true },
    { { kind = "tls" }, true, true },
    { { kind = "timeout" }, true, false },
    { { kind = "timeout", sent = false }, true, true },
    { { kind = "connect", sent = true }, false, false },
    { { kind = "reset" }, true, false },
    { { kind = "reset", sent = false }, true, true },
    { { kind = "protocol" }, true, false },
    { { kind = "too_large" }, false, false },
    { { kind = "cancelled" }, false, false },
    { { kind = "cancelled", sent = false }, false, false },
    { { kind = "closed" }, false, false },
  }
  for _, row in ipairs(ROWS) do
    local what = (row[1].kind or "") .. " " .. (row[1].status or "")
      .. (row[1].sent ~= nil and " sent " .. tostring(row[1].sent) or "")
    it("decides " .. what, function()
      local err = failure(row[1])
      assert.equal(row[2], retry.may_repeat(err, true))
      assert.equal(row[3], retry.may_repeat(err, false))
    end)
  end
end)

describe("retry.repeatable", function()
  it("is for methods that mean the same twice", function()
    for _, method in ipairs { "GET", "HEAD", "DELETE" } do
      assert.is_true(retry.repeatable(method))
    end
    for _, method in ipairs { "POST", "PUT", "PATCH" } do
      assert.is_false(retry.repeatable(method))
    end
  end)
end)

describe("retry.unsent", function()
  it("believes the transport before the kind", function()
    assert.is_true(retry.unsent(failure { kind = "connect" }))
    assert.is_false(retry.unsent(failure { kind = "connect", sent = true }))
    assert.is_true(retry.unsent(failure { kind = "timeout", sent = false }))
    assert.is_false(retry.unsent(failure { kind = "timeout" }))
  end)
end)

describe("retry.backoff", function()
  it("is anything up to a limit that doubles, and no more than a minute",
    function()
      for attempt, limit in pairs { 0.5, 1, 2, 4, 8, 16, 32, 60, 60 } do
        local least, most = math.huge, 0
        for _ = 1, 400 do
          local seconds = retry.backoff(attempt)
          least, most = math.min(least, seconds), math.max(most, seconds)
        end
        assert.is_true(least >= 0 and least < limit * 0.1)
        assert.is_true(most < limit and most > limit * 0.9)
      end
    end)

  it("stays finite after very many attempts", function()
    assert.is_true(retry.backoff(5000) <= 60)
  end)
end)

describe("retry.wait", function()
  local function wait(retry_after, remaining)
    return retry.wait(failure { status = 429, retry_after = retry_after }, 1,
      remaining)
  end

  it("does what the server asks, up to a minute", function()
    assert.equal(0, wait(0))
    assert.equal(60, wait(60))
    assert.is_nil(wait(61))
    assert.is_nil(wait(math.huge))
  end)

  it("does not wait beyond the deadline", function()
    assert.equal(5, wait(5, 6))
    assert.is_nil(wait(5, 5))
    assert.is_nil(wait(5, -1))
  end)

  it("backs off where the server asks for nothing", function()
    assert.is_true(retry.wait(failure { status = 503 }, 1, nil) < 0.5)
  end)
end)
