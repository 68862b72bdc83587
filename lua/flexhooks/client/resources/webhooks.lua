--- Interactions webhooks: where Flex delivers events, and which.
--
--     local webhook, err = client.webhooks:create {
--       type = "global",                      -- or "interaction"
--       webhook_url = "https://company.com/flex/events",
--       webhook_events = { "onChannelCreated", "onParticipantJoined" },
--     }
--
-- A `global` webhook is told of every interaction; an `interaction` one only
-- of those that carry its ttid. Event names are checked against the catalogue
-- and sent in their canonical form; `"*"` stands for all of them. An event
-- that the catalogue does not know yet can be subscribed to with
-- `client:request`.
-- @module flexhooks.client.resources.webhooks

local fields = require "flexhooks.client.resources.fields"
local ids = require "flexhooks.util.ids"
local parameters = require "flexhooks.client.resources.parameters"
local resource = require "flexhooks.client.resources.resource"

local M = {}

---@class flexhooks.Webhook
---@field ttid string
---@field account_sid string?
---@field instance_sid string?
---@field type "global"|"interaction"|nil
---@field webhook_url string?
---@field webhook_events string[]?
---@field webhook_method "POST"|"GET"|nil
---@field friendly_name string?
---@field url string?
---@field created_at number? Unix seconds, read from the ttid
---@field data table? the whole answer; nil on a ref
---@field refresh fun(self, call?): flexhooks.Webhook?, any
---@field update fun(self, params, call?): flexhooks.Webhook?, any
---@field delete fun(self, call?): true?, any

---@class flexhooks.Webhooks
---@field create fun(self, params, call?): flexhooks.Webhook?, any
---@field get fun(self, ttid, call?): flexhooks.Webhook?, any
---@field list fun(self, query?, call?): flexhooks.Webhook[]?, any
---@field each fun(self, query?, call?): fun(): flexhooks.Webhook?
---@field update fun(self, ttid, params, call?): flexhooks.Webhook?, any
---@field delete fun(self, ttid, call?): true?, any
---@field ref fun(self, ttid): flexhooks.Webhook

local TYPES = { "global", "interaction" }

local function writable()
  return {
    type = fields.one_of(TYPES),
    webhook_url = fields.delivery_url,
    webhook_events = fields.events,
    webhook_method = fields.one_of { "POST", "GET" },
    friendly_name = fields.text,
  }
end

local Webhook = resource.define {
  name = "webhook",
  plural = "client.webhooks",
  id = "ttid",
  id_check = ids.ttid,
  answer = {
    ttid = "string",
    account_sid = "string",
    instance_sid = "string",
    type = "string",
    webhook_url = "string",
    webhook_events = "array",
    webhook_method = "string",
    friendly_name = "string",
    url = "string",
  },
  create = {
    fields = writable(),
    required = { "webhook_url", "webhook_events" },
  },
  update = { fields = writable() },
  get = true,
  delete = true,
  list = {
    key = "data",
    query = { type = { type = "string", one_of = TYPES } },
  },
  computed = {
    created_at = function(webhook)
      return ids.ttid_time(webhook.ttid)
    end,
  },
  hints = {
    filters = "it is called webhook_events",
    events = "it is called webhook_events",
    method = "it is called webhook_method",
  },
}

local function base(session, call)
  local instance, err = session:instance(call)
  if not instance then
    return nil, err
  end
  return "/v1/Instances/" .. instance .. "/InteractionWebhooks"
end

--- What is wrong with a parameter table for `create`, or nil.
---@param params any
---@return string?
function M.complaint(params)
  local _, wrong = parameters.request(Webhook, Webhook.create, params, 1)
  return wrong
end

--- The webhooks of a session's instance.
---@return flexhooks.Webhooks
function M.collection(session)
  return resource.open(Webhook, session, base)
end

return M
