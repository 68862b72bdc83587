--- What is written down for one event: a line of JSON with a version.
--
-- Lists stay lists, also empty ones, and numbers keep all their digits. Bytes
-- that are not UTF-8 pass unchanged both ways, and what is encoded holds no
-- NUL.
-- @module flexhooks.queue.item_codec

local core = require "flexhooks.core"

local M = {}

local VERSION = 1
local KEPT_FAILURES = 10
local MAX_DEPTH = 130
local ANY_SIZE = 2 ^ 31 - 1 -- bytes of a name

local unpack = table.unpack or unpack

--- Any plain value as JSON; raises for what cannot be stored.
function M.encode_value(value)
  return core.json_text(value)
end

--- The failures of an event's attempts so far and a further one, as JSON: the
-- first of them, and as many of the last.
---@param before table[]
---@param failure table
---@return string
function M.encode_failures(before, failure)
  local list = { unpack(before) }
  list[#list + 1] = failure
  if #list > KEPT_FAILURES then
    table.remove(list, 2)
  end
  return core.json_text(list)
end

--- Returns a value from `encode_value`'s bytes, or nil if they are not JSON.
-- Raises without memory, because that says nothing of the bytes.
function M.decode_value(bytes)
  return (core.json_decode(bytes, MAX_DEPTH, ANY_SIZE, false, true))
end

--- Returns the failures of `encode_failures`; none if these bytes are not a
-- list.
---@param bytes string?
---@return table[]
function M.decode_failures(bytes)
  local list = bytes and M.decode_value(bytes)
  return type(list) == "table" and list or {}
end

local FIELDS = { "id", "received_at", "source", "wire_type", "raw", "reason",
  "query", "replay", "possible_replay", "event" }
local BEGUN = '{"v":' .. VERSION

--- The bytes of an item.
---@param item table id, event or raw with reason, source, received_at,
-- wire_type, query, replay, possible_replay
---@return string
function M.encode(item)
  return core.json_object(BEGUN, item, FIELDS)
end

--- How the bytes of an item with this id begin. An event may have a field `id`
-- of its own, further on.
---@param id string
---@return string
function M.beginning(id)
  return BEGUN .. ',"id":' .. core.json_text(id)
end

--- The item of these bytes. What cannot be read (another version's, a damaged
-- one) comes back as an item with `raw` and a `reason`, so that it ends among
-- the dead letters and not nowhere.
---@param bytes string
---@return table item
function M.decode(bytes)
  local item = M.decode_value(bytes)
  if type(item) ~= "table" or type(item.event) ~= "table"
    and type(item.raw) ~= "string" then
    return { raw = bytes, reason = "damaged" }
  end
  if item.v ~= VERSION then
    return { id = item.id, raw = bytes, reason = "unknown_version",
      received_at = tonumber(item.received_at) }
  end
  item.v = nil
  return item
end

return M
