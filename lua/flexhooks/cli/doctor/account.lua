--- What the doctor looks at on the account's side: credentials, instance,
-- clock, TLS.
-- @module flexhooks.cli.doctor.account

local ascii = require "flexhooks.util.ascii"
local runtime = require "flexhooks.runtime.current"
local errors = require "flexhooks.error"
local retry_after = require "flexhooks.util.retry_after"
local settings = require "flexhooks.cli.settings"
local url_of = require "flexhooks.url"

local M = {}

-- Seconds that clocks may differ.
local WARN_SKEW, MAX_SKEW = 5, 60

-- The client, and the error that kept it from being made.
local function new_client(given)
  local ok, client, err = pcall(settings.client, given)
  if not ok then
    return nil, client
  end
  return client, err
end

local function check_clock(report, response)
  local date = response.headers.date
  local theirs = type(date) == "string" and retry_after.date(date)
  if not theirs then
    report:add("clock", "warn", "the API sent no date to compare with")
    return
  end
  local skew = runtime.now() - theirs
  local status = math.abs(skew) <= WARN_SKEW and "pass"
    or math.abs(skew) <= MAX_SKEW and "warn" or "fail"
  report:add("clock", status, status == "pass"
    and "within " .. WARN_SKEW .. " s of the API's"
    or ("%.0f s %s the API's"):format(math.abs(skew), skew > 0 and "ahead of"
      or "behind"), "set it, and keep it: timedatectl set-ntp true")
end

--- Is it plain HTTP that never leaves this machine?
---@param url string
---@return boolean
function M.is_loopback(url)
  local parts = url_of.parse(url)
  local host = parts and ascii.lower(parts.host) or ""
  return parts ~= nil and ascii.lower(parts.scheme) == "http"
    and (host == "localhost" or host:find "^%[?::1%]?$" ~= nil
      or host:find "^127%.%d+%.%d+%.%d+$" ~= nil)
end

local function check_tls(report, url)
  if url:find "^https:" then
    report:add("API over TLS", "pass", url .. ", its certificate is good")
  elseif M.is_loopback(url) then
    report:add("API over TLS", "warn", url .. " is a stand-in on this machine",
      "unset FLEXHOOKS_BASE_URL to reach Twilio")
  else
    report:add("API over TLS", "fail", url .. " is plain HTTP: it shows the "
      .. "credentials to everybody on the way", "use https, or unset "
      .. "FLEXHOOKS_BASE_URL")
  end
end

local function check_instance(report, client, configuration)
  local own = configuration.flex_instance_sid
  local configured, err = client:instance()
  if not configured then
    report:add("instance", "fail", errors.is(err) and err.message
      or tostring(err), "does the account have Flex?")
  elseif own and own ~= configured then
    report:add("instance", "fail", configured .. " is configured, but the "
      .. "account's is " .. own, "correct or unset FLEX_INSTANCE_SID")
  else
    report:add("instance", "pass", configured)
  end
end

local ADVICE = "set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, of one account: "
  .. "they are on the first page of Twilio's console"

--- Looks at them all.
---@param report table takes what was found
---@param given table the parsed arguments
---@return flexhooks.Client? client that the API knows
function M.check(report, given)
  local client, err = new_client(given)
  if not client then
    report:add("credentials", "fail",
      (err.message:gsub("^flexhooks%.client: ", "")), ADVICE)
    return nil
  end
  local configuration, response = client:request("GET", "/v1/Configuration",
    { max_retries = 1 })
  if not configuration then
    local unknown = response.kind == "auth"
    report:add(unknown and "credentials" or "API", "fail", tostring(response),
      unknown and ADVICE or "can this machine reach " .. client.base_url
        .. "? A proxy is not taken from the environment")
    client:close()
    return nil
  end
  report:add("credentials", "pass", client.credential:gsub(" %*+$", "")
    .. " of " .. tostring(configuration.account_sid))
  check_instance(report, client, configuration)
  check_clock(report, response)
  check_tls(report, client.base_url)
  return client
end

return M
