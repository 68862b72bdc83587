-- Clients whose transport answers from a list, and what such answers hold.
--
-- What it needs is required when it is called: a module that stayed here would
-- outlive the spec file, and with it what the module holds.
local sids = require "spec.data.sids"

local M = {}

M.ttid = "flex_interactionwebhook_01jke8z8vte4ette30t5w9h081"
M.token = "the-secret-token-0123456789abcdef"
M.webhooks = "/v1/Instances/" .. sids.instance .. "/InteractionWebhooks"

--- A client and its transport. `options` override the credentials.
function M.client(answers, options)
  local transport = require("flexhooks.testing.canned_transport")
    .new(answers or {})
  local given = { account_sid = sids.account, auth_token = M.token,
    instance_sid = sids.instance, transport = transport }
  for name, value in pairs(options or {}) do
    given[name] = value or nil
  end
  return require("flexhooks").client(given), transport
end

--- A webhook as the API would send it.
function M.webhook(fields)
  local webhook = {
    ttid = M.ttid,
    account_sid = sids.account,
    instance_sid = sids.instance,
    type = "global",
    webhook_url = "https://company.example/flex/events",
    webhook_events = { "onChannelCreated" },
    webhook_method = "POST",
    url = "https://flex-api.twilio.com" .. M.webhooks .. "/" .. M.ttid,
  }
  for name, value in pairs(fields or {}) do
    webhook[name] = value
  end
  return webhook
end

--- A form body as a table: a name that is repeated has a list.
function M.form(body)
  local form = {}
  for name, value in (body or ""):gmatch "([^&=]+)=([^&]*)" do
    value = value:gsub("+", " "):gsub("%%(%x%x)", function(digits)
      return string.char(tonumber(digits, 16))
    end)
    if form[name] == nil then
      form[name] = value
    elseif type(form[name]) == "table" then
      table.insert(form[name], value)
    else
      form[name] = { form[name], value }
    end
  end
  return form
end

--- The method, path and form of a transport's last request.
function M.sent(transport)
  local request = transport.requests[#transport.requests]
  local path = request.url:match "^https://flex%-api.twilio.com(.*)$"
  return request.method, path, M.form(request.body)
end

--- The error that `f` raises.
function M.raised(f, ...)
  local ok, err = pcall(f, ...)
  assert(not ok, "nothing was raised")
  return err
end

return M
