--- Participants of a channel: customers, agents, supervisors.
--
--     channel.participants:create {
--       type = "customer",
--       media_properties = { type = "email", address = "a@b.example", … },
--     }
-- @module flexhooks.client.resources.participants

local fields = require "flexhooks.client.resources.fields"
local ids = require "flexhooks.util.ids"
local resource = require "flexhooks.client.resources.resource"

local M = {}

---@class flexhooks.Participant
---@field sid string
---@field interaction_sid string?
---@field channel_sid string?
---@field type string? customer, agent, supervisor, external, unknown
---@field routing_properties table?
---@field url string?
---@field data table? the whole answer; nil on a ref
---@field update fun(self, params, call?): flexhooks.Participant?, any

---@class flexhooks.Participants
---@field create fun(self, params, call?): flexhooks.Participant?, any
---@field list fun(self, query?, call?): flexhooks.Participant[]?, any
---@field each fun(self, query?, call?): fun(): flexhooks.Participant?
---@field update fun(self, sid, params, call?): flexhooks.Participant?, any
---@field ref fun(self, sid): flexhooks.Participant

local Participant = resource.define {
  name = "participant",
  plural = "channel.participants",
  id = "sid",
  id_check = ids.sid "UT",
  answer = {
    sid = "string",
    interaction_sid = "string",
    channel_sid = "string",
    type = "string",
    routing_properties = "any",
    url = "string",
  },
  create = {
    fields = {
      type = fields.word,
      media_properties = fields.json,
      routing_properties = fields.json,
    },
    required = { "type", "media_properties" },
  },
  update = {
    fields = { status = fields.word },
    required = { "status" },
  },
  list = { key = "participants" },
}

--- The participants of a channel.
---@param session table
---@param channel string the channel's path
---@return flexhooks.Participants
function M.collection(session, channel)
  return resource.open(Participant, session, channel .. "/Participants")
end

return M
