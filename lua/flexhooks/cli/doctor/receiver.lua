--- What the doctor asks of a receiver, through its public URL: does it answer,
-- does it refuse what is not signed, and does it take what is?
--
-- The signed request is an event of a type that receivers answer and hand on
-- to nobody.
-- @module flexhooks.cli.doctor.receiver

local ascii = require "flexhooks.util.ascii"
local account = require "flexhooks.cli.doctor.account"
local runtime = require "flexhooks.runtime.current"
local http = require "flexhooks.http"
local probe = require "flexhooks.receiver.delivery"
local settings = require "flexhooks.cli.settings"
local tables = require "flexhooks.util.tables"
local testing = require "flexhooks.testing"
local url_of = require "flexhooks.url"
local webhook_url = require "flexhooks.url.webhook"

local M = {}

local TIMEOUT = 15 -- seconds; Twilio waits no longer
local SLOW = 2

local UNREACHED = {
  dns = "the name must be known to everybody: check the DNS record",
  connect = "is the server, or the proxy in front of it, running, and does a "
    .. "firewall let Twilio in?",
  tls = "Twilio needs a certificate that is valid for this name, with its "
    .. "whole chain: openssl s_client shows what is sent",
  timeout = "Twilio gives up after 15 s",
}

-- status -> what it means for a request that is not signed
local ANSWERS = {
  [401] = "something before the receiver asks for a password: Twilio has none",
  [404] = "nothing is served at this path: compare the proxy's location and "
    .. "the path of public_url",
  [405] = "the proxy or the receiver takes no POST here",
  [413] = "the proxy's limit for bodies is too small",
  [502] = "the proxy does not reach the receiver: is flexhooks serve running?",
  [503] = "the receiver cannot look the token up, or cannot store",
  [504] = "the proxy waits for the receiver in vain",
}

local function send(url, method, signer)
  local request = testing.request({ EventType = probe.PROBE,
    AccountSid = settings.env "TWILIO_ACCOUNT_SID" },
    tables.merged(signer or { auth_token = "none" },
      { url = url, method = method }))
  if not signer then
    request.headers["X-Twilio-Signature"] = nil
  end
  local target, authorization = webhook_url.target(url:match
    "^[^/]*//[^/?#]*" .. request.target)
  request.headers.Authorization = authorization
  local begun = runtime.clock()
  local response, err = http.request(target, {
    method = method, headers = request.headers,
    body = method == "POST" and request.body or nil, timeout = TIMEOUT })
  return response, err, runtime.clock() - begun
end

local function check_url(report, url)
  local parts, wrong = url_of.parse_http(url)
  if not parts then
    report:add("public URL", "fail", wrong, "set FLEXHOOKS_PUBLIC_URL, or "
      .. "public_url in the application")
    return false
  elseif ascii.lower(parts.scheme) == "https" then
    report:add("public URL", "pass", url)
  elseif account.is_loopback(url) then
    report:add("public URL", "warn", url .. " is this machine: Twilio cannot "
      .. "reach it", "good with flexhooks simulate alone")
  else
    report:add("public URL", "warn", url .. " is plain HTTP: everybody on the "
      .. "way reads the events", "use https")
  end
  return true
end

local function check_reached(report, url, method)
  local response, err, seconds = send(url, method)
  if not response then
    report:add("reachable", "fail", err.message, UNREACHED[err.kind])
    return false
  end
  local status = response.status
  if status == 403 then
    report:add("reachable", seconds > SLOW and "warn" or "pass",
      ("answers in %.0f ms and refuses what is not signed"):format(
        seconds * 1000), "find out what is slow: Twilio gives up after 15 s")
    return true
  elseif status >= 200 and status < 300 then
    report:add("reachable", "fail", "answers " .. status .. " to a request "
      .. "without a signature: anybody can send events",
      "is it the receiver that answers here?")
    return false
  end
  report:add("reachable", "fail", "answers " .. status, ANSWERS[status]
    or status >= 300 and status < 400 and "it redirects to "
      .. tostring(response.headers.location) .. ": register that URL"
    or "403 was expected: is it the receiver that answers here?")
  return false
end

local REFUSED = "it has another auth token or shared key, is configured with "
  .. "another URL than this one, or takes events of another account alone"

local function check_signed(report, url, method, signer)
  local by = signer.shared_key_id and " (" .. signer.shared_key_id .. ")"
    or ""
  local response, err = send(url, method, signer)
  if not response then
    report:add("signed event", "fail", err.message, UNREACHED[err.kind])
  elseif response.status >= 200 and response.status < 300 then
    report:add("signed event", "pass", "arrives and is believed" .. by)
  elseif response.status == 403 then
    report:add("signed event", "fail", "is refused" .. by, REFUSED)
  elseif response.status == 400 then
    report:add("signed event", "warn", "is believed, but the receiver is of "
      .. "another make or older: it answers 400 to the test", "send a whole "
      .. "event: flexhooks trigger")
  else
    report:add("signed event", "fail", "is answered " .. response.status,
      ANSWERS[response.status] or "the receiver's log says why")
  end
end

local function check_all_signed(report, url, method, signers)
  if #signers == 0 then
    report:add("signed event", "skip", "no auth token or shared key to sign "
      .. "with: set TWILIO_AUTH_TOKEN or FLEXHOOKS_SHARED_KEYS")
  end
  for _, signer in ipairs(signers) do
    check_signed(report, url, method, signer)
  end
end

local function takes_post(methods)
  for _, method in ipairs(methods or { "POST" }) do
    if method == "POST" then
      return true
    end
  end
  return false
end

--- Asks the receiver at a URL.
---@param report table
---@param url string
---@param signers table[] what signs, as `testing.request` takes it; each is
--- tried
---@param methods string[]? that the receiver takes; POST alone where absent
function M.check(report, url, signers, methods)
  local method = takes_post(methods) and "POST" or "GET"
  if not check_url(report, url) then
    return
  elseif check_reached(report, url, method) then
    check_all_signed(report, url, method, signers)
  else
    report:add("signed event", "skip", "the receiver was not reached")
  end
end

return M
