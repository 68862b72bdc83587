-- Blanks were taken away with a pattern that looks at each blank within a text
-- once for every other one. A header of 8 KiB cost half a second that way,
-- before anybody's signature was asked for. As many as here would take hours.
local d = require "spec.support.deliveries"
local flexhooks = require "flexhooks"
local response_head = require "flexhooks.runtime.nginx.response_head"
local retry_after = require "flexhooks.util.retry_after"
local signature = require "flexhooks.signature"

local BLANKS = (" "):rep(2000000)

describe("blanks without end", function()
  for name, values in pairs {
    ["Content-Encoding"] = { ["a" .. BLANKS .. "b"] = 415,
      [BLANKS .. "identity" .. BLANKS] = 200 },
    ["Content-Type"] = { ["application/x-www-form-urlencoded" .. BLANKS .. ";"
      .. BLANKS .. "x=a" .. BLANKS .. "b" .. BLANKS] = 200,
      ["application/json;x" .. BLANKS .. "b"] = 415 },
  } do
    it("hold nobody up in " .. name, function()
      local receiver = flexhooks.receiver { router = flexhooks.router(),
        auth_token = d.token, public_url = d.url }
      for value, status in pairs(values) do
        assert.equal(status,
          receiver:handle(d.post { headers = { [name] = value } }).status)
      end
    end)
  end

  it("hold no client up", function()
    assert.is_nil(retry_after.seconds("1" .. BLANKS .. "2", 0))
    assert.equal(1, retry_after.seconds(BLANKS .. "1" .. BLANKS, 0))
    local head, line = response_head.new(), "X: a" .. (" "):rep(60000) .. "b "
    assert.is_false(head:add "HTTP/1.1 200 OK")
    assert.is_false(head:add(line))
    assert.equal(60002, #head.headers.x)
  end)

  it("are explained like others", function()
    local report = signature.explain { auth_token = d.token,
      signature = "a" .. BLANKS .. "b", url = d.url,
      body = "a=a" .. BLANKS .. "b" }
    assert.is_falsy(report.matched)
  end)
end)
