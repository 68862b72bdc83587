--- Channels of an interaction: the conversation or call, and who takes part.
--
--     for channel in interaction.channels:each() do
--       channel:update { status = "closed" }
--     end
-- @module flexhooks.client.resources.channels

local fields = require "flexhooks.client.resources.fields"
local ids = require "flexhooks.util.ids"
local invites = require "flexhooks.client.resources.invites"
local participants = require "flexhooks.client.resources.participants"
local resource = require "flexhooks.client.resources.resource"
local transfers = require "flexhooks.client.resources.transfers"

local M = {}

---@class flexhooks.Channel
---@field sid string
---@field interaction_sid string?
---@field type string? sms, whatsapp, web, chat, voice, email, …
---@field status string? setup, active, failed, closed, inactive, …
---@field error_code integer?
---@field error_message string?
---@field url string?
---@field links table?
---@field data table? the whole answer; nil on a ref
---@field participants flexhooks.Participants
---@field invites flexhooks.Invites
---@field transfers flexhooks.Transfers
---@field refresh fun(self, call?): flexhooks.Channel?, any
---@field update fun(self, params, call?): flexhooks.Channel?, any

---@class flexhooks.Channels
---@field list fun(self, query?, call?): flexhooks.Channel[]?, any
---@field each fun(self, query?, call?): fun(): flexhooks.Channel?
---@field get fun(self, sid, call?): flexhooks.Channel?, any
---@field update fun(self, sid, params, call?): flexhooks.Channel?, any
---@field ref fun(self, sid): flexhooks.Channel

local Channel = resource.define {
  name = "channel",
  plural = "interaction.channels",
  id = "sid",
  id_check = ids.sid "UO",
  answer = {
    sid = "string",
    interaction_sid = "string",
    type = "string",
    status = "string",
    error_code = "number",
    error_message = "string",
    url = "string",
    links = "object",
  },
  update = {
    fields = { status = fields.word, routing = fields.json },
    required = { "status" },
  },
  get = true,
  list = { key = "channels" },
  members = {
    participants = participants.collection,
    invites = invites.collection,
    transfers = transfers.collection,
  },
}

--- The channels of an interaction.
---@param session table
---@param interaction string the interaction's path
---@return flexhooks.Channels
function M.collection(session, interaction)
  return resource.open(Channel, session, interaction .. "/Channels")
end

return M
