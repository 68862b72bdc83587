-- The simulator in a process of its own.
--
--   local simulator = simulators.start()
--   simulator.url      where it listens
--   simulator.env      what a program needs to call it
local process = require "spec.support.process"
local sids = require "spec.data.sids"

local M = { account_sid = sids.account, auth_token = "0123456789abcdef",
  client_id = "OQ1", client_secret = "fedcba9876543210" }

--- Starts one, with further arguments.
function M.start(arguments)
  local env = { TWILIO_ACCOUNT_SID = M.account_sid,
    TWILIO_AUTH_TOKEN = M.auth_token, TWILIO_CLIENT_ID = M.client_id,
    TWILIO_CLIENT_SECRET = M.client_secret }
  local words = { process.lua, "bin/flexhooks", "simulate", "--port", "0" }
  for _, word in ipairs(arguments or {}) do
    words[#words + 1] = word
  end
  local child = process.spawn(words, { env = env })
  child:wait_output "listening on http"
  local url = child:stdout():match "listening on (%S+)"
  return { child = child, url = url, env = {
    TWILIO_ACCOUNT_SID = M.account_sid, TWILIO_AUTH_TOKEN = M.auth_token,
    FLEXHOOKS_BASE_URL = url,
  } }
end

return M
