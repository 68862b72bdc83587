--- Invites to a channel: an agent or a queue is asked to take part.
--
--     channel.invites:create {
--       routing = { properties = { queue_sid = "WQ…", … } },
--     }
-- @module flexhooks.client.resources.invites

local fields = require "flexhooks.client.resources.fields"
local ids = require "flexhooks.util.ids"
local resource = require "flexhooks.client.resources.resource"

local M = {}

---@class flexhooks.Invite
---@field sid string
---@field interaction_sid string?
---@field channel_sid string?
---@field routing table?
---@field url string?
---@field data table the whole answer

---@class flexhooks.Invites
---@field create fun(self, params, call?): flexhooks.Invite?, any
---@field list fun(self, query?, call?): flexhooks.Invite[]?, any
---@field each fun(self, query?, call?): fun(): flexhooks.Invite?

local Invite = resource.define {
  name = "invite",
  plural = "channel.invites",
  id = "sid",
  id_check = ids.sid "KG",
  answer = {
    sid = "string",
    interaction_sid = "string",
    channel_sid = "string",
    routing = "any",
    url = "string",
  },
  create = {
    fields = { routing = fields.json },
    required = { "routing" },
  },
  list = { key = "invites" },
}

--- The invites to a channel.
---@param session table
---@param channel string the channel's path
---@return flexhooks.Invites
function M.collection(session, channel)
  return resource.open(Invite, session, channel .. "/Invites")
end

return M
