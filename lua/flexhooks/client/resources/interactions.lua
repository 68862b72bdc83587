--- Interactions: a customer's contact, with its channels.
--
--     local interaction, err = client.interactions:create {
--       channel = { type = "sms", initiated_by = "api", … },
--       routing = { properties = { workspace_sid = "WS…", … } },
--       webhook = webhook,          -- or webhook_ttid = "flex_interaction…"
--     }
--
-- Creating is asynchronous at Twilio: an answer means accepted.
-- @module flexhooks.client.resources.interactions

local channels = require "flexhooks.client.resources.channels"
local fields = require "flexhooks.client.resources.fields"
local ids = require "flexhooks.util.ids"
local resource = require "flexhooks.client.resources.resource"

local M = {}

---@class flexhooks.Interaction
---@field sid string
---@field channel table?
---@field routing table?
---@field webhook_ttid string?
---@field interaction_context_sid string?
---@field url string?
---@field links table?
---@field data table? the whole answer; nil on a ref
---@field channels flexhooks.Channels
---@field refresh fun(self, call?): flexhooks.Interaction?, any
---@field update fun(self, params, call?): flexhooks.Interaction?, any

---@class flexhooks.Interactions
---@field create fun(self, params, call?): flexhooks.Interaction?, any
---@field get fun(self, sid, call?): flexhooks.Interaction?, any
---@field update fun(self, sid, params, call?): flexhooks.Interaction?, any
---@field ref fun(self, sid): flexhooks.Interaction

-- One ttid travels, whichever way it was given.
local function one_webhook(params)
  local webhook = rawget(params, "webhook")
  local ttid = rawget(params, "webhook_ttid")
  if webhook ~= nil and ttid ~= nil then
    return "give 'webhook' or 'webhook_ttid', not both"
  end
end

local function webhook_required(params)
  if rawget(params, "webhook") == nil
    and rawget(params, "webhook_ttid") == nil then
    return "parameter 'webhook' or 'webhook_ttid' is missing"
  end
  return one_webhook(params)
end

local Interaction = resource.define {
  name = "interaction",
  plural = "client.interactions",
  id = "sid",
  id_check = ids.sid "KD",
  answer = {
    sid = "string",
    channel = "any",
    routing = "any",
    interaction_context_sid = "string",
    webhook_ttid = "string",
    url = "string",
    links = "object",
  },
  create = {
    fields = {
      channel = fields.json,
      routing = fields.json,
      interaction_context_sid = fields.id(ids.sid "HQ"),
      webhook = { texts = fields.webhook, wire = "WebhookTtid" },
      webhook_ttid = fields.id(ids.ttid),
    },
    required = { "channel" },
    check = one_webhook,
  },
  update = {
    fields = {
      webhook = { texts = fields.webhook, wire = "WebhookTtid" },
      webhook_ttid = fields.id(ids.ttid),
    },
    check = webhook_required,
  },
  get = true,
  members = { channels = channels.collection },
}

--- The interactions of a session's account.
---@return flexhooks.Interactions
function M.collection(session)
  return resource.open(Interaction, session, "/v1/Interactions")
end

return M
