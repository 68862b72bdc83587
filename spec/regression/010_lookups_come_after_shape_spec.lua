-- A token look-up that failed answered 503 to requests that are refused
-- whatever the token is; and requests without a signature caused look-ups.
local flexhooks = require "flexhooks"
local testing = require "flexhooks.testing"

local URL = "https://company.com/flex/events"

local function request(changes)
  local made = testing.request(testing.event "onChannelCreated",
    { auth_token = "token", url = URL })
  for name, value in pairs(changes or {}) do
    made[name] = value
  end
  return made
end

local function without_signature(value)
  local made = request()
  made.headers["X-Twilio-Signature"] = value
  return made
end

describe("a receiver whose look-up fails", function()
  local asked = 0
  local receiver = flexhooks.receiver {
    public_url = URL, router = flexhooks.router(),
    limits = { params = 20 },
    auth_token = function()
      asked = asked + 1
      return nil, "the database is down"
    end,
  }

  it("answers 503 where the token decides", function()
    assert.equal(503, receiver:handle(request()).status)
  end)

  it("refuses first what no token would change", function()
    local body = request().body
    assert.equal(413, receiver:handle(request {
      body = body .. ("&x=1"):rep(20) }).status)
    assert.equal(400, receiver:handle(request { body = body .. "&x=%zz" })
      .status)
    local json = request { body = "{}" }
    json.headers["Content-Type"] = "application/json"
    assert.equal(403, receiver:handle(json).status)
  end)

  it("does not look anything up for what is not signed", function()
    asked = 0
    for _, value in ipairs { false, "", " ", "short", ("x"):rep(8192) } do
      assert.equal(403, receiver:handle(without_signature(value or nil))
        .status)
    end
    assert.equal(0, asked)
  end)
end)
