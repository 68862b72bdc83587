local api = require "spec.support.canned"
local fields = require "flexhooks.client.resources.fields"
local parameters = require "flexhooks.client.resources.parameters"

local ACTION = {
  fields = {
    webhook_url = fields.text,
    type = fields.word,
    events = { texts = fields.events, wire = "WebhookEvents" },
  },
  required = { "webhook_url" },
  check = function(params)
    return rawget(params, "type") == "odd" and "type is odd" or nil
  end,
}
parameters.complete(ACTION)
local CLASS = { known = { sid = true, url = true, status = true, data = true },
  hints = { filters = "it is called events" } }

local function wrong_of(params, action)
  local request, wrong = parameters.request(CLASS, action or ACTION, params, 2)
  assert.is_nil(request)
  return wrong
end

describe("parameters.wire_name", function()
  it("is in Pascal case", function()
    assert.equal("Type", parameters.wire_name "type")
    assert.equal("InteractionContextSid",
      parameters.wire_name "interaction_context_sid")
  end)
end)

describe("parameters.request", function()
  it("makes a form, in one order", function()
    local request = parameters.request(CLASS, ACTION, { webhook_url = "a b",
      events = { "onChannelCreated", "onParticipantLeft" }, type = "x" }, 1)
    assert.equal("POST", request.method)
    assert.equal("application/x-www-form-urlencoded", request.content_type)
    assert.matches("^WebhookEvents=onChannelCreated&WebhookEvents="
      .. "onParticipantLeft&Type=x&WebhookUrl=a", request.body)
    assert.same({ Type = "x", WebhookUrl = "a b",
      WebhookEvents = { "onChannelCreated", "onParticipantLeft" } },
      api.form(request.body))
  end)

  it("drops what only answers have", function()
    local request = parameters.request(CLASS, ACTION, { webhook_url = "a",
      sid = "x", url = "y", data = {} }, 1)
    assert.same({ WebhookUrl = "a" }, api.form(request.body))
  end)

  it("says what is wrong", function()
    for what, params in pairs {
      ["argument 2 must be a table of parameters, got string"] = "x",
      ["parameter 'webhook_url' is missing"] = {},
      ["unknown parameter 'webhok_url' (did you mean 'webhook_url'?)"] =
        { webhok_url = "a" },
      ["unknown parameter 'WebhookUrl' (did you mean 'webhook_url'?)"] =
        { WebhookUrl = "a" },
      ["unknown parameter 'colour'"] = { colour = "a" },
      ["unknown parameter 'filters' (it is called events)"] = { filters = {} },
      ["unknown parameter 'timeout' (options of the call go in a table of "
        .. "their own, after this one)"] = { timeout = 5 },
      ["parameter names must be strings, got number"] = { "a" },
      ["parameter 'webhook_url' must be a string, got table"] =
        { webhook_url = {} },
      ["type is odd"] = { webhook_url = "a", type = "odd" },
    } do
      assert.equal(what, wrong_of(params))
    end
  end)

  it("refuses to send nothing", function()
    local action = { fields = { type = fields.word } }
    parameters.complete(action)
    assert.equal("no parameter to send was given", wrong_of({ sid = "x" },
      action))
  end)

  it("cuts a name that it repeats", function()
    assert.is_true(#wrong_of { [("x"):rep(1e6)] = 1 } < 200)
  end)

  it("ends early in a table with a million names", function()
    local params = { webhook_url = "a" }
    for i = 1, 1e5 do
      params["n" .. i] = 1
    end
    assert.matches("unknown parameter 'n", wrong_of(params))
  end)

  it("asks no metatable", function()
    local function hostile()
      error "asked"
    end
    local params = setmetatable({ webhook_url = "a" },
      { __index = hostile, __pairs = hostile, __len = hostile })
    assert.same({ WebhookUrl = "a" },
      api.form(parameters.request(CLASS, ACTION, params, 1).body))
  end)
end)

describe("parameters.request for JSON", function()
  local JSON = { json = true, writable = { status = true } }

  it("sends what is given but for what only answers have", function()
    local request = parameters.request(CLASS, JSON, { sid = "x",
      status = "done",
      anything = { 1, 2 } }, 1)
    assert.equal('{"anything":[1,2],"status":"done"}', request.body)
    assert.equal("application/json", request.content_type)
    assert.equal("{}", parameters.request(CLASS, JSON, {}, 1).body)
  end)

  it("says what is wrong", function()
    local cycle = {}
    cycle.a = cycle
    assert.matches("it contains itself", wrong_of(cycle, JSON))
    assert.matches("must be strings, got number", wrong_of({ 1 }, JSON))
    local many = {}
    for i = 1, 1e5 do
      many["n" .. i] = 1
    end
    assert.matches("more than 20000 values", wrong_of(many, JSON))
  end)
end)
