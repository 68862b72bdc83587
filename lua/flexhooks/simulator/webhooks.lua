--- The five InteractionWebhooks operations.
-- @module flexhooks.simulator.webhooks

local events = require "flexhooks.events"
local api_error = require "flexhooks.simulator.api_error"
local fields = require "flexhooks.simulator.fields"
local paging = require "flexhooks.simulator.paging"
local serializers = require "flexhooks.simulator.serializers"

local M = {}

local TYPES = { "global", "interaction" }
local METHODS = { "POST", "GET" }

local function check_instance(call, instance_sid)
  if instance_sid ~= call.account.instance_sid then
    api_error.not_found(call.path)
  end
end

local function check_events(names)
  for _, name in ipairs(names or {}) do
    if not events.canonical(name) then
      api_error.bad("WebhookEvents: '" .. name .. "' is not an event")
    end
  end
  return names
end

-- The documentation's table calls two of the parameters by other names.
local function given(form)
  return {
    type = fields.one_of("Type", form:get("Type"), TYPES),
    webhook_url = fields.url("WebhookUrl", form:get("WebhookUrl")),
    webhook_events = check_events(form:all("WebhookEvents", "Filters")),
    webhook_method = fields.one_of("WebhookMethod",
      form:get("WebhookMethod", "Method"), METHODS),
    friendly_name = form:get("FriendlyName"),
  }
end

local function shown(call, webhook)
  return serializers.webhook(call.base, webhook)
end

local function create(call, instance_sid)
  check_instance(call, instance_sid)
  fields.required(call.form, "WebhookUrl")
  fields.required(call.form, "WebhookEvents", "Filters")
  local wanted = given(call.form)
  wanted.type = wanted.type or "global"
  wanted.webhook_method = wanted.webhook_method or "POST"
  return 201, shown(call, call.world:add_webhook(call.account, wanted))
end

local function list(call, instance_sid)
  check_instance(call, instance_sid)
  local wanted = fields.one_of("Type", call.query:get("Type"), TYPES)
  local found = {}
  for _, webhook in ipairs(call.world.webhooks) do
    if webhook.account_sid == call.account.sid
      and (wanted == nil or webhook.type == wanted) then
      found[#found + 1] = webhook
    end
  end
  local page, meta = paging.cut(found, call.query, call.base .. call.path,
    wanted and "Type=" .. wanted .. "&")
  for index, webhook in ipairs(page) do
    page[index] = shown(call, webhook)
  end
  return 200, serializers.page("data", page, meta)
end

local function fetch(call, instance_sid, ttid)
  check_instance(call, instance_sid)
  return call.world:webhook(call.account, ttid)
    or api_error.not_found(call.path)
end

local function get(call, instance_sid, ttid)
  return 200, shown(call, fetch(call, instance_sid, ttid))
end

local function update(call, instance_sid, ttid)
  local webhook = fetch(call, instance_sid, ttid)
  for name, value in pairs(given(call.form)) do
    webhook[name] = value
  end
  return 200, shown(call, webhook)
end

local function delete(call, instance_sid, ttid)
  call.world:remove_webhook(fetch(call, instance_sid, ttid))
  return 204
end

local PATH = "/v1/Instances/([^/]+)/InteractionWebhooks"

--- Path pattern, and the operation of each method.
M.routes = {
  { PATH, GET = list, POST = create },
  { PATH .. "/([^/]+)", GET = get, POST = update, DELETE = delete },
}

return M
