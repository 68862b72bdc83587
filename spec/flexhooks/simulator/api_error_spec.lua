local api_error = require "flexhooks.simulator.api_error"

local FAULT = api_error.new(404, 20404, "not found")

describe("simulator.api_error", function()
  it("has three shapes", function()
    assert.same({ code = 20404, message = "not found", status = 404,
      more_info = "https://www.twilio.com/docs/errors/20404" },
      (api_error.body(FAULT, "classic", "/p")))
    assert.same({ type = "https://www.twilio.com/docs/errors/20404",
      title = "Not Found", status = 404, code = 20404, detail = "not found",
      instance = "/p" }, (api_error.body(FAULT, "problem", "/p")))
    assert.same({ code = 20404, message = "not found", httpStatusCode = 404,
      userError = true, params = { path = "not found" } },
      (api_error.body(FAULT, "params", "/p")))
  end)

  it("says what each is written in", function()
    assert.equal("application/json",
      (select(2, api_error.body(FAULT, "classic"))))
    assert.equal("application/problem+json",
      (select(2, api_error.body(FAULT, "problem"))))
  end)

  it("says what is missing or wrong", function()
    local _, missing = pcall(api_error.not_found, "/p")
    assert.equal("The requested resource /p was not found", missing.message)
    assert.equal(404, missing.status)
    local _, wrong = pcall(api_error.bad, "no")
    assert.same({ 400, 20001, "no" }, { wrong.status, wrong.code,
      wrong.message })
  end)

  it("is thrown and known again", function()
    local ok, thrown = pcall(api_error.throw, 400, 1, "x")
    assert.is_false(ok)
    assert.is_true(api_error.is(thrown))
    assert.is_false(api_error.is({ status = 400 }))
    assert.is_false(api_error.is("x"))
  end)
end)
