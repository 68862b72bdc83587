--- One delivery: the request the service would send, and when it tries again.
--
-- Connection overrides ride in the fragment of a webhook's URL: `rc` retries,
-- `rp` what to retry on (4xx, 5xx, ct: connecting failed, rt: no answer, all),
-- `ct`, `rt`, `tt` time-outs in milliseconds. The fragment is never signed and
-- never sent. User name and password go into an Authorization header.
-- @module flexhooks.simulator.delivery

local core = require "flexhooks.core"
local settings_header = require "flexhooks.signature.settings_header"
local signature = require "flexhooks.signature"
local tables = require "flexhooks.util.tables"
local webhook_url = require "flexhooks.url.webhook"

local M = {}

-- name -> default, least, most
local LIMITS = {
  rc = { 1, 0, 5 },
  ct = { 5000, 100, 10000 },
  rt = { 15000, 100, 15000 },
  tt = { 15000, 100, 15000 },
}

local function number(text, limits)
  local value = text and text:match("^%d+$") and tonumber(text) or limits[1]
  return math.max(limits[2], math.min(limits[3], value))
end

--- Splits a webhook's URL into what is signed and how it is delivered.
---@param text string
---@return string url without its fragment
---@return table overrides `retries`, `retry_on` (a set), `connect_timeout`,
-- `timeout` in seconds
function M.split(text)
  local url, fragment = text:match("^([^#]*)#?(.*)$")
  local given = {}
  for name, value in fragment:gmatch("(%w+)=([^&]*)") do
    given[name] = value
  end
  local retry_on = {}
  for what in (given.rp or "ct"):gmatch("[^,]+") do
    retry_on[what] = true
  end
  return url, {
    retries = number(given.rc, LIMITS.rc),
    retry_on = retry_on,
    connect_timeout = number(given.ct, LIMITS.ct) / 1000,
    timeout = math.min(number(given.rt, LIMITS.rt),
      number(given.tt, LIMITS.tt)) / 1000,
  }
end

local function encode(event)
  local list = {}
  for i, name in ipairs(tables.sorted_keys(event)) do
    list[i] = { name, event[name] }
  end
  return core.encode_form(list)
end

--- The signed request for one event.
---@param webhook table `webhook_url`, `webhook_method`
---@param event table<string, string>
---@param keys table `auth_token` that signs, or `shared_key`,
-- `shared_key_id` and `algorithm`; `idempotency_token`
---@return table request for a transport
function M.request(webhook, event, keys)
  local url, overrides = M.split(webhook.webhook_url)
  local form = encode(event)
  local request = {
    method = webhook.webhook_method,
    timeout = overrides.timeout,
    connect_timeout = overrides.connect_timeout,
    headers = {
      ["Accept"] = "*/*",
      ["I-Twilio-Idempotency-Token"] = keys.idempotency_token,
      ["User-Agent"] = "TwilioProxy/1.1",
      ["X-Home-Region"] = "us1",
    },
  }
  if request.method == "GET" then
    url = url .. (url:find("?", 1, true) and "&" or "?") .. form
  else
    request.body = form
    request.headers["Content-Type"] =
      "application/x-www-form-urlencoded; charset=UTF-8"
  end
  request.url, request.headers.Authorization = webhook_url.target(url)
  local text, _, settings = signature.sign {
    auth_token = keys.auth_token,
    shared_key = keys.shared_key,
    shared_key_id = keys.shared_key_id,
    algorithm = keys.algorithm,
    method = request.method,
    url = url,
    params = request.body and event or nil,
  }
  request.headers["X-Twilio-Signature"] = text
  request.headers[settings_header.NAME] = settings
  return request
end

-- Which of the override's words an outcome goes by; nil for success.
local function failure(response, err)
  if err then
    local connecting = err.kind == "connect" or err.kind == "dns"
      or err.kind == "tls"
    return connecting and "ct" or "rt"
  elseif response.status >= 500 then
    return "5xx"
  elseif response.status >= 400 then
    return "4xx"
  end
end

--- Is another attempt due after this outcome?
---@param overrides table from `split`
---@param attempt integer attempts made so far
---@return boolean
function M.again(overrides, attempt, response, err)
  local why = failure(response, err)
  return why ~= nil and attempt <= overrides.retries
    and (overrides.retry_on[why] or overrides.retry_on.all or false)
end

return M
