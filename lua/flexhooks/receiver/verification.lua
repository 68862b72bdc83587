--- Verification of a request: the keys that are tried, and the answer if none
-- fits.
--
-- The settings header is not signed. A request that has it is tried with the
-- shared key that it names and with nothing else; a request without it is
-- tried with the auth tokens and with nothing else.
-- @module flexhooks.receiver.verification

local outcomes = require "flexhooks.receiver.outcomes"
local core = require "flexhooks.core"
local settings_header = require "flexhooks.signature.settings_header"

local M = {}

-- A verifier's reasons if nothing but the keys can be wrong.
local OF_KEYS = { signature_differs = true, algorithm_differs = true }

-- Characters of an auth token's signature; nothing else is looked up.
local SIGNATURE_SIZE = 28

--- Returns keys of both algorithms that no sender knows. A verifier that has
-- no other keys still finds every other fault.
---@return userdata[]
function M.dummy_keys()
  return { core.key(core.random(32), settings_header.SHA1),
    core.key(core.random(32), settings_header.SHA256) }
end

--- Tries the routes of a path. Of URLs with one path the one with the longest
-- query is tried first, since a query is signed from its start.
---@return table|boolean|nil fields true for JSON; nil if refused
---@return string? id, or the reason
---@return string? twin
---@return integer? shape
---@return table? route that verified
function M.try(list, kind, keys, signature, query, body, token, twins)
  local reason
  for i = 1, #list do
    local route = list[i]
    local fields, id, twin, shape = route.verify[kind](route.verifier, keys,
      signature, query, body, token, twins)
    if fields then
      return fields, id, twin, shape, route
    end
    reason = OF_KEYS[reason] and reason or id
  end
  return nil, reason
end

-- Returns the keys of the account that the request names.
local function account_keys(self, list, kind, query, body, signature)
  local account = signature and #signature == SIGNATURE_SIZE
    and list[1].verifier:account(kind == "query" and (query or "") or body,
      kind)
  if not account then
    return nil
  end
  local keys, err = self.lookup:get(account)
  return keys, err and err.reason, err
end

-- Asks the function for a key if nothing but the signature can be wrong.
local function look_up_shared(self, lookup, id, list, kind, query, body,
  signature)
  if not lookup:has(id) then
    local _, reason = M.try(list, kind, self.dummy_keys, signature, query,
      body)
    if reason ~= "signature_differs" then
      return nil
    end
  end
  return lookup:get(id)
end

-- Returns the shared key that the header names; or nil and the reason.
local function shared_key(self, settings, list, kind, query, body, signature)
  local shared = self.shared
  if not shared then
    return nil, "settings_unexpected"
  elseif shared.by_text[settings] then
    return shared.by_text[settings]
  end
  local id, algorithm = settings_header.read(settings)
  if not id then
    return nil, algorithm
  end
  local entry, err
  if shared.lookup then
    entry, err = look_up_shared(self, shared.lookup, id, list, kind, query,
      body, signature)
  else
    entry = shared.by_id[id]
  end
  if not entry then
    return nil, err and err.reason or "key_unknown", err
  elseif entry.algorithm ~= algorithm then
    return nil, "algorithm_differs"
  end
  return entry.key
end

--- Chooses the keys of a request that names a shared key, or whose tokens are
-- not configured once and for all. May wait for a look-up.
---@param self flexhooks.Receiver
---@param settings string? the settings header
---@return userdata|userdata[] keys dummies if there are none to try
---@return string? reason why there are none
---@return flexhooks.Error? err of a look-up that failed
function M.choose(self, settings, list, kind, query, body, signature)
  local keys, reason, err
  if settings then
    keys, reason, err = shared_key(self, settings, list, kind, query, body,
      signature)
  elseif self.lookup then
    keys, reason, err = account_keys(self, list, kind, query, body, signature)
  else
    keys, reason = self.keys, not self.keys and "settings_missing" or nil
  end
  return keys or self.dummy_keys, reason, err
end

local REASONS = { -- for which the answer is not 403
  too_large = outcomes.too_large, malformed = outcomes.malformed,
}

--- Returns the answer to a request that did not verify, and the reason. If
-- only dummy keys did not fit, the reason is why there were no others.
---@param found string the verifier's reason
---@param reason string? why there were no keys
---@param err flexhooks.Error? of a look-up that failed
---@return table answer
---@return string reason
---@return flexhooks.Error? err
function M.refusal(found, reason, err)
  if REASONS[found] or not reason or not OF_KEYS[found] then
    return REASONS[found] or outcomes.forbidden, found
  elseif err then
    return outcomes.unavailable, reason, err
  end
  return outcomes.forbidden, reason
end

return M
