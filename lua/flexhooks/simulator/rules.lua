--- The rules by which the service signs, as far as a reader needs them: one
-- for every URL if a shared key signs, else none.
-- @module flexhooks.simulator.rules

local api_error = require "flexhooks.simulator.api_error"
local json = require "flexhooks.json"

local M = {}

local SETTING = "webhooks_setting_00000000000000000000000001"

local function list(call)
  local rules = {}
  if call.shared_key then
    rules[1] = {
      id = "webhooks_rule_00000000000000000000000001",
      friendlyName = "every URL", matchType = "DEFAULT",
      settings = { { settingId = SETTING, percentage = 100 } },
    }
  end
  return 200, { meta = { key = "rules", pageSize = 50 },
    rules = json.array(rules) }
end

local function setting(call, id)
  if not call.shared_key or id ~= SETTING then
    api_error.not_found(call.path)
  end
  return 200, {
    id = SETTING, type = "CUSTOMER", friendlyName = "shared key",
    signature = { type = "SHARED_KEY", sharedKeyId = call.shared_key.id,
      algorithm = call.shared_key.algorithm },
  }
end

--- Path pattern, and the operation of each method.
M.routes = {
  { "/v1/Webhooks/Rules", GET = list },
  { "/v1/Webhooks/Settings/([^/]+)", GET = setting },
}

return M
