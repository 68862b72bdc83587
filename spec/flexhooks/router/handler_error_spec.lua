local errors = require "flexhooks.error"
local handler_errors = require "flexhooks.router.handler_error"

local function handler() end

describe("a failure", function()
  it("of a raised value has the stack where it was raised", function()
    local ok, failure = xpcall(function()
      error({ message = "here", retry = false, retry_after = 3 })
    end, handler_errors.raised)
    assert.is_false(ok)
    assert.is_true(errors.is(failure))
    assert.equal("handler", failure.kind)
    assert.equal("here", failure.message)
    assert.is_false(failure.retry)
    assert.equal(3, failure.retry_after)
    assert.is_truthy(failure.traceback:find("handler_error_spec.lua", 1, true))
    assert.is_truthy(failure.traceback:find("here", 1, true))
  end)

  it("of a returned value says where the handler stands", function()
    local failure = handler_errors.returned("no", handler)
    assert.equal("no", failure.message)
    assert.is_truthy(failure.traceback:find(
      "returned by the handler at [^\n]*handler_error_spec.lua:4"))
  end)

  it("keeps a traceback that the value brought along", function()
    local failure = handler_errors.returned(
      { message = "m", traceback = "deep" }, handler)
    assert.is_truthy(failure.traceback:find("^deep\n"))
  end)

  it("never changes the value, and holds it", function()
    local given = errors.new("timeout", "late")
    local failure = handler_errors.returned(given, handler)
    assert.equal("timeout", failure.kind)
    assert.equal(given, failure.cause)
    assert.is_nil(given.traceback)
    local plain = {}
    handler_errors.returned(plain, handler)
    assert.is_nil(next(plain))
  end)

  it("survives a spoilt error object", function()
    local given = errors.new("timeout", "late")
    given.kind, given.message = {}, nil
    local failure = handler_errors.returned(given, handler)
    assert.is_string(failure.kind)
    assert.is_string(failure.message)
    assert.is_string(tostring(failure))
  end)

  it("ignores the metamethods of a table", function()
    local trap = setmetatable({}, {
      __index = function() error "index" end,
      __tostring = function() error "tostring" end,
    })
    local failure = handler_errors.returned(trap, handler)
    assert.is_truthy(failure.message:find "cannot be shown")
  end)
end)

describe("failures together", function()
  local function of(retry, after)
    return handler_errors.returned({ message = "m", retry = retry,
      retry_after = after }, handler)
  end

  it("are counted and told by the first", function()
    local failed = handler_errors.add(nil, of())
    assert.equal("a handler failed: m", failed.message)
    assert.equal(failed, handler_errors.add(failed, of()))
    assert.equal("2 handlers failed, the first: m", failed.message)
    assert.equal("handler", failed.kind)
  end)

  it("want another attempt where one of them does", function()
    local failed = handler_errors.add(nil, of(false))
    assert.is_false(failed.retry)
    handler_errors.add(failed, of(false))
    assert.is_false(failed.retry)
    handler_errors.add(failed, of(nil))
    assert.is_nil(failed.retry)
    handler_errors.add(failed, of(false))
    assert.is_nil(failed.retry)
    assert.is_nil(handler_errors.add(nil, of(true)).retry)
  end)

  it("wait as long as the longest wish", function()
    local failed = handler_errors.add(nil, of(nil, 2))
    handler_errors.add(failed, of(nil, 9))
    handler_errors.add(failed, of(nil, 4))
    assert.equal(9, failed.retry_after)
    assert.is_nil(handler_errors.add(nil, of(nil, "soon")).retry_after)
    assert.equal(0, handler_errors.add(nil, of(nil, 0)).retry_after)
  end)

  it("know what they hold", function()
    local cause = {}
    local failure = handler_errors.returned(cause, handler)
    local failed = handler_errors.add(nil, failure)
    assert.is_true(handler_errors.has(failed, failed))
    assert.is_true(handler_errors.has(failed, failure))
    assert.is_true(handler_errors.has(failed, cause))
    assert.is_false(handler_errors.has(failed, {}))
    assert.is_false(handler_errors.has(nil, cause))
    assert.is_false(handler_errors.has(nil, nil))
  end)

  it("have one for a deadline", function()
    local failure = handler_errors.cut()
    assert.equal("timeout", failure.kind)
    assert.is_string(failure.traceback)
  end)
end)
