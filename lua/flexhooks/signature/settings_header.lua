--- The header that names the shared key and the algorithm of a signature:
-- `X-Twilio-Webhooks-Signature-Settings: key=<id>,algorithm=<name>`.
--
-- It is not signed, so a receiver may only choose by it among keys of its own.
-- @module flexhooks.signature.settings_header

local ascii = require "flexhooks.util.ascii"

local M = {}

--- The header's name.
M.NAME = "X-Twilio-Webhooks-Signature-Settings"

--- The value that a host hands on for a header that came more than once. It
-- names no key.
M.REPEATED = ","

--- The algorithm of a header that names none, and of auth tokens.
M.SHA1 = "HMAC_SHA1"
--- The algorithm of a shared key unless it is configured otherwise.
M.SHA256 = "HMAC_SHA256"

local ALGORITHMS = { [M.SHA1] = true, [M.SHA256] = true }

local MAX_SIZE = 512
local PREFIX = "webhooks_sharedkey_"
local MAX_REST = 64

--- Returns true if `text` has the shape of a shared key's id.
---@param text any
---@return boolean
function M.is_id(text)
  if type(text) ~= "string" or #text > #PREFIX + MAX_REST then
    return false
  end
  return text:find("^" .. PREFIX .. "[A-Za-z0-9_]+$") ~= nil
end

--- Returns the algorithm of this name in any case, or nil.
---@param name string
---@return string?
function M.algorithm(name)
  local upper = ascii.upper(name)
  return ALGORITHMS[upper] and upper or nil
end

-- Returns the values of `key` and `algorithm`, the only parts that count; nil
-- if either stands there twice.
local function parts_of(text)
  local parts = {}
  for piece in text:gmatch "[^,]+" do
    local name, value = piece:match "^([^=]*)=(.*)$"
    name = name and ascii.trimmed(name)
    if name == "key" or name == "algorithm" then
      if parts[name] then
        return nil
      end
      parts[name] = ascii.trimmed(value)
    end
  end
  return parts
end

--- Reads a header.
---@param text string
---@return string? id of the shared key
---@return string algorithm as Twilio names it; if there is no id, the reason:
--- "settings_malformed" or "algorithm_unknown"
---@return string? named the id beside an algorithm that is unknown
function M.read(text)
  local parts = #text <= MAX_SIZE and parts_of(text)
  if not parts or not M.is_id(parts.key) then
    return nil, "settings_malformed"
  end
  local name = parts.algorithm or ""
  local algorithm = name == "" and M.SHA1 or M.algorithm(name)
  if not algorithm then
    return nil, "algorithm_unknown", parts.key
  end
  return parts.key, algorithm
end

--- Writes a header.
---@param id string
---@param algorithm string
---@return string
function M.write(id, algorithm)
  return "key=" .. id .. ",algorithm=" .. algorithm
end

return M
