--- Who may call the simulated API.
--
-- With an account configured, its credentials alone are taken. Without one,
-- the first token that an account SID shows is that account's from then on, so
-- that a simulator works for whatever credentials a test already has.
-- @module flexhooks.simulator.accounts

local fields = require "flexhooks.simulator.fields"
local form = require "flexhooks.simulator.form"

local M = {}

-- Seconds that an OAuth access token is good for.
M.TOKEN_LIFE = 3600

---@class flexhooks.simulator.Accounts
local Accounts = { __name = "flexhooks.simulator.accounts" }
Accounts.__index = Accounts

local function add(self, sid, token)
  local account = {
    sid = sid,
    token = token,
    instance_sid = self.settings.instance_sid or self.ids:sid("GO"),
  }
  self.known[sid] = account
  return account
end

---@param settings table `account_sid`, `auth_token`, `instance_sid`,
-- `api_key`, `api_secret`, `client_id`, `client_secret`, each optional
---@param ids flexhooks.simulator.Ids
---@param now fun(): number Unix seconds
function M.new(settings, ids, now)
  local self = setmetatable({
    settings = settings,
    ids = ids,
    now = now,
    known = {},
    bearers = {},
    open = settings.account_sid == nil,
  }, Accounts)
  if settings.account_sid then
    self.main = add(self, settings.account_sid, settings.auth_token)
  end
  return self
end

local function by_token(self, sid, token)
  local account = self.known[sid]
  if not account and self.open and token ~= ""
    and fields.is_sid(sid, "AC") then
    account = add(self, sid, token)
  end
  return account and account.token == token and account or nil
end

local function by_bearer(self, token)
  local bearer = self.bearers[token]
  if bearer and bearer.expires > self.now() then
    return bearer.account
  end
  self.bearers[token] = nil
end

--- The account that an Authorization value speaks for, or nil.
---@param authorization string?
---@return table? account `sid`, `token`, `instance_sid`
function Accounts:authenticate(authorization)
  local bearer = (authorization or ""):match("^[Bb]earer +(%S+)$")
  if bearer then
    return by_bearer(self, bearer)
  end
  local user, password = form.basic(authorization)
  local settings = self.settings
  if user == nil then
    return nil
  elseif user == settings.api_key and password == settings.api_secret then
    return self.main
  end
  return by_token(self, user, password)
end

--- A new OAuth access token for client credentials, or nil.
---@return string?
function Accounts:grant(client_id, client_secret)
  local settings = self.settings
  if not self.main or client_id == nil or client_id ~= settings.client_id
    or client_secret ~= settings.client_secret then
    return nil
  end
  local token = self.ids.random:hex(64)
  self.bearers[token] = {
    account = self.main,
    expires = self.now() + M.TOKEN_LIFE,
  }
  return token
end

return M
