--- The keys that may have signed a delivery: of tokens given once, or looked
-- up by account.
--
-- Anyone can ask for any account, so what was looked up is remembered, within
-- bounds, also that an account is unknown; and many requests for one account
-- ask once.
-- @module flexhooks.receiver.keys

local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local failures = require "flexhooks.failure"
local flight = require "flexhooks.flight"
local host = require "flexhooks.host"

local M = {}

local MAX_KEYS = 16 -- what a verifier takes
local REMEMBERED = 60 -- seconds
local ACCOUNTS = 1000 -- in each of two generations

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

---@class flexhooks.receiver.Keys
local Keys = { __name = "flexhooks.receiver.keys" }
Keys.__index = Keys

--- Keys that a function knows.
---@param lookup fun(account_sid: string): string|string[]|nil, any
---@param timeout number seconds that a look-up may wait
---@return flexhooks.receiver.Keys
function M.lookup(lookup, timeout)
  return setmetatable({
    lookup = lookup, timeout = timeout,
    young = {}, old = {}, count = 0, -- account -> { keys | false, until }
    asking = {}, -- account -> the look-up that is under way
  }, Keys)
end

local function remember(self, account, keys)
  if self.count >= ACCOUNTS then
    self.old, self.young, self.count = self.young, {}, 0
  end
  self.count = self.count + 1
  self.young[account] = { keys = keys or false,
    ends = host.clock() + REMEMBERED }
end

local function remembered(self, account)
  local entry = self.young[account] or self.old[account]
  if entry and host.clock() < entry.ends then
    return entry
  end
end

local function lookup_error(cause)
  local failure = failures.returned(cause, lookup_error)
  return errors.new("queue", "the token could not be looked up: "
    .. failure.message, { reason = "token_lookup", cause = cause })
end

-- Tokens as the function returned them: one, several, or a list.
local function keys_of(first, ...)
  local tokens = type(first) == "table" and first or { first, ... }
  if #tokens == 0 then
    return nil
  end
  local keys, wrong = M.of(tokens)
  if not keys then
    return nil, lookup_error("auth_token's function: a token " .. wrong)
  end
  return keys
end

local function returned(ok, first, second, ...)
  if not ok then
    return nil, lookup_error(first.cause)
  elseif first == nil or first == false then
    return nil, second ~= nil and lookup_error(second) or nil
  end
  return keys_of(first, second, ...)
end

local function ask(self, account)
  local keys, err = returned(xpcall(self.lookup, failures.raised, account))
  if not err then
    remember(self, account, keys)
  end
  return keys, err
end

-- One task asks; the others of the same account wait for what it gets.
local function ask_together(self, account)
  local asking = self.asking[account] or flight.new()
  self.asking[account] = asking
  local token = host.enter(host.clock() + self.timeout)
  local keys, err = asking:share(function()
    return ask(self, account)
  end)
  host.leave(token)
  if not asking.pending and self.asking[account] == asking then
    self.asking[account] = nil
  end
  return keys, err and err.reason ~= "token_lookup" and lookup_error(err)
    or err
end

--- The keys of an account. May wait.
---@param account string
---@return table? keys nil where the account is unknown
---@return flexhooks.Error? err where they could not be looked up
function Keys:of_account(account)
  local entry = remembered(self, account)
  if entry then
    return entry.keys or nil
  end
  return ask_together(self, account)
end

return M
