local responses = require "flexhooks.client.response"
local errors = require "flexhooks.error"

local NOW = 784111777

local function given(status, body, headers)
  return responses.normalize(
    { status = status, body = body, headers = headers }, 1e6)
end

describe("answer.normalize", function()
  it("spells header names in lower case", function()
    local made = given(200, "x", { ["Content-Type"] = "text/plain",
      ETAG = "1" })
    assert.same({ status = 200, body = "x",
      headers = { ["content-type"] = "text/plain", etag = "1" } }, made)
  end)

  it("takes an answer without headers or body", function()
    assert.same({ status = 204, body = "", headers = {} }, given(204))
  end)

  for i, wrong in ipairs { {}, { status = "200" }, { status = 200, body = 5 },
    { status = 200, headers = "x" }, "200", 200, true } do
    it("refuses what is no answer: " .. i, function()
      local made, err = responses.normalize(wrong, 10)
      assert.is_nil(made)
      assert.equal("protocol", err.kind)
    end)
  end

  it("refuses more than max_response", function()
    local made, err = responses.normalize(
      { status = 200, body = ("x"):rep(11) }, 10)
    assert.is_nil(made)
    assert.equal("too_large", err.kind)
    assert.is_table(responses.normalize({ status = 200, body = ("x"):rep(10) },
      10))
  end)
end)

describe("answer.body", function()
  -- body, content type, must be JSON, value or part of the message
  local ROWS = {
    { '{"a":1}', "application/json", nil, { a = 1 } },
    { '{"a":1}', "application/json; charset=utf-8", nil, { a = 1 } },
    { '{"a":1}', "Application/JSON", nil, { a = 1 } },
    { '{"a":1}', "application/problem+json", nil, { a = 1 } },
    { '{"a":1}', nil, nil, { a = 1 } },
    { ' [1]', nil, nil, { 1 } },
    { '{"a":1}', "text/plain", nil, '{"a":1}' },
    { '{"a":1}', "text/plain", true, { a = 1 } },
    { "hello", nil, nil, "hello" },
    { "", "application/json", nil, "" },
    { "", nil, nil, "" },
    { "false", "application/json", nil, false },
  }
  for i, row in ipairs(ROWS) do
    it("reads row " .. i, function()
      local made = given(200, row[1], { ["content-type"] = row[2] })
      assert.same(row[4], (responses.body(made, row[3])))
    end)
  end

  for _, body in ipairs { "", "{", "<html>", "null", "{}x", '{"a":NaN}' } do
    it("says that it is not JSON: " .. body, function()
      local value, err = responses.body(given(200, body), true)
      assert.is_nil(value)
      assert.equal("protocol", err.kind)
      assert.matches("the answer is not JSON: ", err.message, 1, true)
    end)
  end
end)

describe("answer.is_null", function()
  it("tells null from absent", function()
    local made = given(200, '{"a":null,"b":1,"c":{"d":null}}')
    assert.is_true(responses.is_null(made, "a"))
    assert.is_false(responses.is_null(made, "b"))
    assert.is_false(responses.is_null(made, "d"))
    assert.is_false(responses.is_null(made, "e"))
    assert.is_false(responses.is_null(given(200, "null"), "a"))
  end)
end)

describe("answer.error", function()
  it("is nil for every 2xx", function()
    for _, status in ipairs { 200, 201, 202, 204, 299 } do
      assert.is_nil(responses.error(given(status, "x"), NOW))
    end
  end)

  for status, kind in pairs { [400] = "http", [401] = "auth", [403] = "auth",
    [404] = "not_found", [405] = "http", [409] = "http", [410] = "http",
    [422] = "http", [429] = "rate_limited", [451] = "http", [500] = "http",
    [503] = "http", [504] = "http", [301] = "redirect", [302] = "redirect",
    [303] = "redirect", [304] = "redirect", [307] = "redirect",
    [308] = "redirect", [199] = "protocol", [600] = "protocol" } do
    it("of status " .. status .. " is of kind " .. kind, function()
      local err = responses.error(given(status, "",
        { Location = "http://evil/" }),
        NOW)
      assert.is_true(errors.is(err))
      assert.equal(kind, err.kind)
      assert.matches(tostring(status), err.message)
      assert.not_matches("evil", tostring(err))
    end)
  end

  -- name, body, what the error holds
  local SHAPES = {
    { "Twilio's own", [[{"code":20404,"message":"The resource was not found",
      "more_info":"https://www.twilio.com/docs/errors/20404","status":404,
      "details":{"a":"b"}}]],
      { message = "The resource was not found", code = 20404,
        more_info = "https://www.twilio.com/docs/errors/20404",
        details = { a = "b" } } },
    { "Twilio's own with nulls",
      [[{"code":null,"message":"No","more_info":null,
      "status":404}]], { message = "No" } },
    { "a code in a text", '{"code":"20001","message":"No"}',
      { message = "No", code = 20001 } },
    { "a code that is none", '{"code":"x","message":"No"}',
      { message = "No" } },
    { "RFC 9457", [[{"type":"https://www.twilio.com/docs/errors/20001",
      "title":"Invalid parameter","status":400,"code":20001,
      "detail":"WebhookUrl is not a URL","instance":"/x",
      "errors":[{"detail":"a","pointer":"#/b"}]}]],
      { message = "Invalid parameter: WebhookUrl is not a URL", code = 20001,
        more_info = "https://www.twilio.com/docs/errors/20001",
        details = { { detail = "a", pointer = "#/b" } } } },
    { "RFC 9457, title alone", '{"type":"about:blank","title":"Bad Request"}',
      { message = "Bad Request" } },
    { "httpStatusCode",
      [[{"code":45004,"message":"Invalid","httpStatusCode":400,
      "params":{"name":"x"},"userError":true}]],
      { message = "Invalid", code = 45004, details = { name = "x" } } },
    { "OAuth", [[{"error":"invalid_client","error_description":"Bad secret"}]],
      { message = "Bad secret" } },
    { "an object that says nothing", "{}",
      { message = "the server answered with status 400" } },
    { "a list", "[1]", { message = "the server answered with status 400" } },
    { "wrong types", '{"message":5,"more_info":{},"code":[]}',
      { message = "the server answered with status 400" } },
    { "nothing", "", { message = "the server answered with status 400" } },
    { "a page",
      "<html><head><title>504 Gateway Time-out</title></head></html>",
      { message = "504 Gateway Time-out" } },
    { "a page without title", "<html><body><h1>Oh\n no</h1></body></html>",
      { message = "Oh no" } },
    { "a text", "Unavailable For Legal Reasons\r\n",
      { message = "Unavailable For Legal Reasons" } },
    { "broken JSON", '{"message":"x"', { message = '{"message":"x"' } },
  }
  for _, row in ipairs(SHAPES) do
    it("reads " .. row[1], function()
      local err = responses.error(given(400, row[2]), NOW)
      for _, name in ipairs { "message", "code", "more_info", "details" } do
        assert.same(row[3][name], err[name])
      end
      assert.equal(400, err.status)
    end)
  end

  it("cuts a long text between characters", function()
    local err = responses.error(given(500, ("\195\164"):rep(5000)), NOW)
    assert.is_true(#err.message <= 203)
    assert.matches("\195\164...$", err.message)
  end)

  it("cuts a message that is as long as a page", function()
    local text = ("\195\164"):rep(5000)
    local err = responses.error(
      given(400, '{"message":"' .. text .. '"}'), NOW)
    assert.is_true(#err.message <= 1003)
    assert.matches("\195\164...$", err.message)
  end)

  it("has the request id and the wait", function()
    local err = responses.error(given(429, "{}", { ["Retry-After"] = "7",
      ["Twilio-Request-Id"] = "RQ1" }), NOW)
    assert.equal(7, err.retry_after)
    assert.equal("RQ1", err.request_id)
    err = responses.error(given(503, "{}",
      { ["retry-after"] = "Sun, 06 Nov 1994 08:49:47 GMT" }), NOW)
    assert.equal(10, err.retry_after)
    err = responses.error(given(429, "{}", { ["retry-after"] = { "3", "4" } }),
      NOW)
    assert.equal(3, err.retry_after)
  end)
end)

describe("answer.blame", function()
  local function same(...)
    return ...
  end

  local made = given(200, "x", { ["Twilio-Request-Id"] = "RQ1" })
  made.attempts, made.request_id = 2, responses.request_id(made)

  it("says which request was answered", function()
    local err = responses.blame(errors.new("protocol", "odd"),
      { method = "GET", url = "https://a.example/x", redact = same }, made)
    assert.same({ "GET", "https://a.example/x", 200, "RQ1", 2 },
      { err.method, err.url, err.status, err.request_id, err.attempts })
    assert.is_nil(err.maybe_applied)
  end)

  it("warns that a change has probably been made", function()
    local err = responses.blame(errors.new("protocol", "odd"),
      { method = "POST", url = "https://a.example/x", redact = same }, made)
    assert.is_true(err.maybe_applied)
  end)

  it("keeps secrets out of the request's id", function()
    local err = responses.blame(errors.new("protocol", "odd"),
      { method = "GET", url = "https://a.example/x", redact = function(id)
        return id:gsub("RQ", "****")
      end }, made)
    assert.equal("****1", err.request_id)
  end)
end)
