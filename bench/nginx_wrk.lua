-- For wrk: one signed event, for the path that is asked. Each request has an
-- idempotency token of its own, as deliveries do. The next run repeats them,
-- unless it is told where to begin.
package.path = os.getenv "LUA_PATH" .. ";" .. package.path
package.cpath = os.getenv "LUA_CPATH" .. ";" .. package.cpath
local testing = require "flexhooks.testing"

local count, head, tail

function init()
  local event = testing.event("onParticipantJoined", {
    ParticipantType = "agent",
    AccountSid = os.getenv "FLEXHOOKS_BENCH_ACCOUNT",
  })
  local request = testing.request(event, {
    auth_token = os.getenv "FLEXHOOKS_BENCH_TOKEN" or "12345",
    url = "https://h.example" .. wrk.path, method = "POST" })
  local lines = { "POST " .. wrk.path .. " HTTP/1.1", "Host: h.example",
    "Content-Length: " .. #request.body }
  for name, value in pairs(request.headers) do
    if name:lower() ~= "i-twilio-idempotency-token" then
      lines[#lines + 1] = name .. ": " .. value
    end
  end
  lines[#lines + 1] = os.getenv "FLEXHOOKS_BENCH_HEADER"
  count = tonumber(os.getenv "FLEXHOOKS_BENCH_FIRST" or 0)
  head = table.concat(lines, "\r\n") .. "\r\nI-Twilio-Idempotency-Token: "
    .. "00000000-0000-4000-8000-"
  tail = "\r\n\r\n" .. request.body
end

function request()
  count = count + 1
  return head .. ("%012d"):format(count) .. tail
end
