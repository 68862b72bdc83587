-- The verdicts of every host on deliveries that shared keys sign, over
-- sockets. `port()` is that of a server with `M.TEXT` as its shared keys, the
-- token and the URL of spec.support.deliveries, and both methods.
local assert = require "luassert"
local busted = require "busted"
local d = require "spec.support.deliveries"
local headers = require "spec.data.settings_headers"
local wire = require "spec.support.wire"

local it = busted.it

local M = {}

local SECOND = { id = "webhooks_sharedkey_second", secret = "second=secret",
  algorithm = "HMAC_SHA256" }
local FIRST = { id = SECOND.id:gsub("second", "first"), secret = "first",
  algorithm = "HMAC_SHA256" }
local HEADER = "X-Twilio-Webhooks-Signature-Settings"

--- FLEXHOOKS_SHARED_KEYS, or the lines of a file.
M.TEXT = FIRST.id .. "=" .. FIRST.secret .. " " .. SECOND.id .. "="
  .. SECOND.secret

local function ask(port, request, lines)
  local bytes = wire.request(request.method, request.target, request.headers,
    request.method ~= "GET" and request.body or nil)
  if lines then
    bytes = bytes:gsub("\r\n", function()
      return "\r\n" .. lines
    end, 1)
  end
  local result = wire.send(port, bytes, { expect = 1, wait = 30 })
  return assert(result.answers[1], "no answer: " .. result.rest)
end

-- Returns the parts of an answer that do not change with the time.
local function constant(answer)
  local kept = { status = answer.status, body = answer.body }
  for name, value in pairs(answer.headers) do
    kept[name] = name ~= "date" and value or nil
  end
  return kept
end

local function with_settings(text, shared)
  local request = d.post { shared = shared or FIRST }
  request.headers[HEADER] = text
  return request
end

-- Requests that are refused, some with header lines of their own.
local function refusals()
  local good = d.post { shared = FIRST }.headers[HEADER]
  local key, algorithm = good:match "^(.*),(.*)$"
  local list = {
    { d.post { signature = false } },
    { with_settings(good, SECOND) },
    { with_settings(key .. "x," .. algorithm) },
    { with_settings(key) },
    { with_settings(key .. ",algorithm=HMAC_SHA1") },
    { with_settings(key .. ",algorithm=HMAC_SHA512") },
    { with_settings(nil) },
    { d.post { headers = { [HEADER] = good } } },
    { with_settings(good), HEADER .. ": " .. good .. "\r\n" },
    { with_settings(key), HEADER .. ": " .. algorithm .. "\r\n" },
    { with_settings(""), HEADER:lower() .. ": " .. good .. "\r\n" },
  }
  for _, row in ipairs(headers.hostile) do
    -- Servers refuse these by themselves.
    if not row[2]:find "[%z\n]" and #row[2] < 4000 then
      list[#list + 1] = { with_settings(row[2]) }
    end
  end
  return list
end

--- Tests that belong to the block that is open.
function M.describe(port)
  it("takes every kind of delivery by any of the keys, and by the token",
    function()
      local body = ('{"EventType":"onNew","AccountSid":"%s"}')
        :format(d.fields().AccountSid)
      for _, o in ipairs { { shared = FIRST }, { shared = SECOND }, {} } do
        for _, request in ipairs { d.post(o), d.get(o), d.json(body, o) } do
          local answer = ask(port(), request)
          assert.same({ 200, "{}" }, { answer.status, answer.body })
        end
      end
    end)

  it("gives one answer to everything else", function()
    local first
    for i, row in ipairs(refusals()) do
      local answer = constant(ask(port(), row[1], row[2]))
      first = first or answer
      assert.equal(403, answer.status, "refusal " .. i)
      assert.same(first, answer)
    end
  end)

  it("tells first what is too large and what cannot be read", function()
    for text in pairs { ["key=x"] = 1, [","] = 1,
      ["key=" .. FIRST.id .. ",algorithm=HMAC_SHA256"] = 1 } do
      local function status(o)
        o.headers = { [HEADER] = text }
        return ask(port(), d.post(o)).status
      end
      assert.equal(400, status { body = "a=%" })
      assert.equal(413, status { body = ("n"):rep(128) })
    end
  end)
end

return M
