local errors = require "flexhooks.error"
local failures = require "flexhooks.failure"

local function handler() end

describe("a failure", function()
  it("of a raised value has the stack where it was raised", function()
    local ok, failure = xpcall(function()
      error({ message = "here", retry = false, retry_after = 3 })
    end, failures.raised)
    assert.is_false(ok)
    assert.is_true(errors.is(failure))
    assert.equal("handler", failure.kind)
    assert.equal("here", failure.message)
    assert.is_false(failure.retry)
    assert.equal(3, failure.retry_after)
    assert.is_truthy(failure.traceback:find("failure_spec.lua", 1, true))
    assert.is_truthy(failure.traceback:find("here", 1, true))
  end)

  it("of a returned value says where the handler stands", function()
    local failure = failures.returned("no", handler)
    assert.equal("no", failure.message)
    assert.is_truthy(failure.traceback:find(
      "returned by the handler at [^\n]*failure_spec.lua:4"))
  end)

  it("keeps a traceback that the value brought along", function()
    local failure = failures.returned({ message = "m", traceback = "deep" },
      handler)
    assert.is_truthy(failure.traceback:find("^deep\n"))
  end)

  it("never changes the value, and holds it", function()
    local given = errors.new("timeout", "late")
    local failure = failures.returned(given, handler)
    assert.equal("timeout", failure.kind)
    assert.equal(given, failure.cause)
    assert.is_nil(given.traceback)
    local plain = {}
    failures.returned(plain, handler)
    assert.is_nil(next(plain))
  end)

  it("survives a spoilt error object", function()
    local given = errors.new("timeout", "late")
    given.kind, given.message = {}, nil
    local failure = failures.returned(given, handler)
    assert.is_string(failure.kind)
    assert.is_string(failure.message)
    assert.is_string(tostring(failure))
  end)

  it("ignores the metamethods of a table", function()
    local trap = setmetatable({}, {
      __index = function() error "index" end,
      __tostring = function() error "tostring" end,
    })
    local failure = failures.returned(trap, handler)
    assert.is_truthy(failure.message:find "cannot be shown")
  end)
end)

describe("failures together", function()
  local function of(retry, after)
    return failures.returned({ message = "m", retry = retry,
      retry_after = after }, handler)
  end

  it("are counted and told by the first", function()
    local failed = failures.add(nil, of())
    assert.equal("a handler failed: m", failed.message)
    assert.equal(failed, failures.add(failed, of()))
    assert.equal("2 handlers failed, the first: m", failed.message)
    assert.equal("handler", failed.kind)
  end)

  it("want another attempt where one of them does", function()
    local failed = failures.add(nil, of(false))
    assert.is_false(failed.retry)
    failures.add(failed, of(false))
    assert.is_false(failed.retry)
    failures.add(failed, of(nil))
    assert.is_nil(failed.retry)
    failures.add(failed, of(false))
    assert.is_nil(failed.retry)
    assert.is_nil(failures.add(nil, of(true)).retry)
  end)

  it("wait as long as the longest wish", function()
    local failed = failures.add(nil, of(nil, 2))
    failures.add(failed, of(nil, 9))
    failures.add(failed, of(nil, 4))
    assert.equal(9, failed.retry_after)
    assert.is_nil(failures.add(nil, of(nil, "soon")).retry_after)
    assert.equal(0, failures.add(nil, of(nil, 0)).retry_after)
  end)

  it("know what they hold", function()
    local cause = {}
    local failure = failures.returned(cause, handler)
    local failed = failures.add(nil, failure)
    assert.is_true(failures.has(failed, failed))
    assert.is_true(failures.has(failed, failure))
    assert.is_true(failures.has(failed, cause))
    assert.is_false(failures.has(failed, {}))
    assert.is_false(failures.has(nil, cause))
    assert.is_false(failures.has(nil, nil))
  end)

  it("have one for a deadline", function()
    local failure = failures.cut()
    assert.equal("timeout", failure.kind)
    assert.is_string(failure.traceback)
  end)
end)
