--- The keys that may have signed a delivery: auth tokens and shared keys,
-- given once or looked up by account and by id.
--
-- Anyone can ask for any account or id. So each answer is remembered, within
-- bounds, also that a name is unknown; and concurrent requests for one name
-- share one call.
-- @module flexhooks.receiver.keys

local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local handler_errors = require "flexhooks.router.handler_error"
local single_flight = require "flexhooks.runtime.single_flight"
local runtime = require "flexhooks.runtime.current"
local settings_header = require "flexhooks.signature.settings_header"
local shared_keys = require "flexhooks.signature.shared_keys"

local M = {}

local MAX_KEYS = 16 -- what a verifier takes
local REMEMBERED = 60 -- seconds
local ACCOUNTS = 2000
local IDS = 1000

--- What is wrong with an auth token, or nil. Never shows it.
---@param token any
---@return string?
function M.complaint(token)
  if type(token) ~= "string" then
    return "must be string, got " .. type(token)
  elseif token == "" then
    return "must not be empty"
  elseif #token > 1024 or token:find "[^\32-\126]" then
    return "must be up to 1024 printable ASCII characters"
  end
end

--- Keys of a list of tokens.
---@param tokens string[]
---@return table? keys
---@return string? wrong
function M.of(tokens)
  local keys = {}
  if #tokens == 0 or #tokens > MAX_KEYS then
    return nil, "must be 1 to " .. MAX_KEYS .. " tokens"
  end
  for i, token in ipairs(tokens) do
    local wrong = M.complaint(token)
    if wrong then
      return nil, wrong
    end
    keys[i] = core.key(token)
  end
  return keys
end

-- Returns the keys of a function's tokens: one, several, or a list.
local function keys_of(first, ...)
  local tokens = type(first) == "table" and first or { first, ... }
  if #tokens == 0 then
    return nil
  end
  local keys, wrong = M.of(tokens)
  return keys, wrong and "auth_token's function: a token " .. wrong
end

---@class flexhooks.receiver.SharedKey
---@field key userdata
---@field algorithm string the only one that it verifies

local function usable(key)
  return { key = core.key(key.secret, key.algorithm),
    algorithm = key.algorithm }
end

local function shared_key_of(given)
  local key, wrong = shared_keys.key(given)
  if not key then
    return nil, "shared_keys' function: a key " .. wrong
  end
  return usable(key)
end

---@class flexhooks.receiver.Lookup
local Lookup = { __name = "flexhooks.receiver.lookup" }
Lookup.__index = Lookup

local function new_lookup(ask, timeout, kind)
  return setmetatable({
    ask = ask, timeout = timeout, kind = kind,
    young = {}, old = {}, count = 0, -- name -> { value | false, ends }
    asking = {}, -- name -> the call that is under way
  }, Lookup)
end

local TOKENS = { read = keys_of, most = ACCOUNTS, reason = "token_lookup",
  what = "token" }
local SHARED = { read = shared_key_of, most = IDS, reason = "key_lookup",
  what = "shared key" }

--- Returns the auth tokens that a function knows, by account.
---@param ask fun(account_sid: string): string|string[]|nil, any
---@param timeout number seconds that a call may wait
---@return flexhooks.receiver.Lookup
function M.lookup(ask, timeout)
  return new_lookup(ask, timeout, TOKENS)
end

-- One half of the memory is for young entries, the other for old ones.
local function remember(self, name, entry)
  if self.count >= self.kind.most / 2 then
    self.old, self.young, self.count = self.young, {}, 0
  end
  self.count = self.count + 1
  self.young[name] = entry
end

-- Returns the entry of a name. An entry in use stays young: a flood of other
-- names does not displace it.
local function remembered(self, name)
  local entry = self.young[name]
  local old = not entry and self.old[name]
  entry = entry or old
  if not entry or runtime.clock() >= entry.ends then
    return nil
  elseif old then
    self.old[name] = nil
    remember(self, name, entry)
  end
  return entry
end

local function lookup_error(kind, cause)
  local failure = handler_errors.returned(cause, lookup_error)
  return errors.new("queue", ("the %s could not be looked up: %s")
    :format(kind.what, failure.message), { reason = kind.reason,
      cause = cause })
end

local function returned(kind, ok, first, second, ...)
  if not ok then
    return nil, lookup_error(kind, first.cause)
  elseif first == nil or first == false then
    return nil, second ~= nil and lookup_error(kind, second) or nil
  end
  local value, wrong = kind.read(first, second, ...)
  return value, wrong and lookup_error(kind, wrong)
end

local function ask(self, name)
  local value, err = returned(self.kind,
    xpcall(self.ask, handler_errors.raised, name))
  if not err then
    remember(self, name, { value = value or false,
      ends = runtime.clock() + REMEMBERED })
  end
  return value, err
end

-- One task asks; the others of the same name wait for its result.
local function ask_together(self, name)
  local asking = self.asking[name] or single_flight.new()
  self.asking[name] = asking
  local token = runtime.enter(runtime.clock() + self.timeout)
  local value, err = asking:share(function()
    return ask(self, name)
  end)
  runtime.leave(token)
  if not asking.pending and self.asking[name] == asking then
    self.asking[name] = nil
  end
  return value, err and err.reason ~= self.kind.reason
    and lookup_error(self.kind, err) or err
end

--- Returns true if the function need not be asked for this name.
---@param name string
---@return boolean
function Lookup:has(name)
  return remembered(self, name) ~= nil
end

--- Returns the value of a name. May wait.
---@param name string
---@return any value nil if the name is unknown
---@return flexhooks.Error? err if it could not be looked up
function Lookup:get(name)
  local entry = remembered(self, name)
  if entry then
    return entry.value or nil
  end
  return ask_together(self, name)
end

---@class flexhooks.receiver.SharedKeys
---@field by_text table<string, userdata> the keys by the usual spelling of the
--- header that names them
---@field by_id table<string, flexhooks.receiver.SharedKey>?
---@field lookup flexhooks.receiver.Lookup? in place of `by_id`

--- Returns the shared keys of a table or a function.
---@param configured table<string, flexhooks.SharedKey>|function
---@param timeout number seconds that a call of the function may wait
---@return flexhooks.receiver.SharedKeys? nil for a table without keys
function M.shared(configured, timeout)
  if type(configured) == "function" then
    return { by_text = {}, lookup = new_lookup(configured, timeout, SHARED) }
  elseif next(configured) == nil then
    return nil
  end
  local by_text, by_id = {}, {}
  for id, key in pairs(configured) do
    by_id[id] = usable(key)
    by_text[settings_header.write(id, key.algorithm)] = by_id[id].key
  end
  return { by_text = by_text, by_id = by_id }
end

return M
