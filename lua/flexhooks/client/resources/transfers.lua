--- Transfers of a channel from one participant to another.
--
-- Twilio takes these as JSON and documents no fields of the request, so what
-- is given is sent under the names given; fields that only answers have are
-- left out.
-- @module flexhooks.client.resources.transfers

local ids = require "flexhooks.util.ids"
local resource = require "flexhooks.client.resources.resource"

local M = {}

---@class flexhooks.Transfer
---@field sid string
---@field account_sid string?
---@field instance_sid string?
---@field interaction_sid string?
---@field channel_sid string?
---@field execution_sid string?
---@field type "warm"|"cold"|"external"|nil
---@field status "active"|"failed"|"completed"|nil
---@field from string? participant
---@field to string?
---@field note_sid string?
---@field summary_sid string?
---@field date_created string?
---@field date_updated string?
---@field url string?
---@field data table? the whole answer; nil on a ref
---@field refresh fun(self, call?): flexhooks.Transfer?, any
---@field update fun(self, params, call?): flexhooks.Transfer?, any

---@class flexhooks.Transfers
---@field create fun(self, params, call?): flexhooks.Transfer?, any
---@field get fun(self, sid, call?): flexhooks.Transfer?, any
---@field update fun(self, sid, params, call?): flexhooks.Transfer?, any
---@field ref fun(self, sid): flexhooks.Transfer

local WRITABLE = { type = true, status = true, from = true, to = true,
  note_sid = true, summary_sid = true }

local Transfer = resource.define {
  name = "transfer",
  plural = "channel.transfers",
  id = "sid",
  id_check = ids.sid "UX",
  answer = {
    sid = "string",
    account_sid = "string",
    instance_sid = "string",
    interaction_sid = "string",
    channel_sid = "string",
    execution_sid = "string",
    type = "string",
    status = "string",
    from = "string",
    to = "string",
    note_sid = "string",
    summary_sid = "string",
    date_created = "string",
    date_updated = "string",
    url = "string",
  },
  create = { json = true, writable = WRITABLE },
  update = { json = true, writable = WRITABLE },
  get = true,
}

--- The transfers of a channel.
---@param session table
---@param channel string the channel's path
---@return flexhooks.Transfers
function M.collection(session, channel)
  return resource.open(Transfer, session, channel .. "/Transfers")
end

return M
