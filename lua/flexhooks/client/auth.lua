--- Proofs of who is calling: Basic, and OAuth client credentials.
--
-- Both have `authorization()` → a secret that holds a whole Authorization
-- value, or nil, err; `rejected(secret)`, told of a 401, says whether another
-- try may help; `redact(value)` takes secrets out of what will be shown;
-- `close()`. Secrets live in the core's wiped memory.
-- @module flexhooks.client.auth

local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local single_flight = require "flexhooks.runtime.single_flight"
local runtime = require "flexhooks.runtime.current"
local json = require "flexhooks.json"
local webhook_url = require "flexhooks.url.webhook"

local M = {}

-- Tables deeper than this hold nothing that a reader of an error needs.
local MAX_DEPTH = 8

-- A copy of `value` without any of the secrets in it.
local function redacted(value, secrets, depth)
  if type(value) == "string" then
    for _, secret in ipairs(secrets) do
      value = secret:hide(value)
    end
    return webhook_url.shown(value)
  elseif type(value) == "table" then
    if depth == 0 then
      return nil
    end
    local copy = setmetatable({}, getmetatable(value))
    for name, element in pairs(value) do
      name = redacted(name, secrets, depth - 1)
      copy[name] = redacted(element, secrets, depth - 1)
    end
    return copy
  end
  return value
end

-- A server may echo what it was sent: the secret, the value of a header or
-- form, or a webhook's URL. What is shown after closing was never near a
-- server.
local function redact(self, value, ...)
  if value == nil or self.closed then
    return value
  end
  return redacted(value, { self.secret, ... }, MAX_DEPTH)
end

local Basic = { __name = "flexhooks.basic" }
Basic.__index = Basic

--- HTTP Basic with an account SID and token, or an API key and secret.
---@param credential table user, secret
---@return table? auth
---@return string? wrong
function M.basic(credential)
  local header, _, message = core.basic(credential.user, credential.secret)
  if not header then
    return nil, message
  end
  return setmetatable({ header = header, secret = credential.secret }, Basic)
end

function Basic:authorization()
  return self.header
end

function Basic.rejected()
  return false
end

function Basic:redact(value)
  return redact(self, value, self.header)
end

function Basic:close()
  self.closed = true
  self.header:close()
  self.secret:close()
end

local OAuth = { __name = "flexhooks.oauth" }
OAuth.__index = OAuth

-- Seconds that a token counts on where the answer does not tell, and the most
-- of its life that it is renewed ahead of its end.
local DEFAULT_LIFE = 300
local MARGIN = 60

--- OAuth client credentials. The token is kept, renewed before it ends, and by
-- one of the tasks that need it.
---@param credential table user, secret
---@param fetch fun(form: table): table?, any posts the token request
---@return table auth
function M.oauth(credential, fetch)
  return setmetatable({
    user = credential.user,
    secret = credential.secret,
    fetch = fetch,
    renewal = single_flight.new(),
  }, OAuth)
end

-- Bytes: what a header can carry.
local MAX_TOKEN = 8192

-- What is wrong with a token answer, or its token and life.
local function read_token(answer)
  local body = json.decode(answer.body)
  if type(body) ~= "table" then
    return nil, "the token answer is not a JSON object"
  end
  local token = body.access_token
  if type(token) ~= "string" or token:find "[^\33-\126]"
    or token == "" or #token > MAX_TOKEN then
    return nil, "access_token in the token answer is not a token"
  end
  local life = tonumber(body.expires_in)
  if not life or life ~= life then
    life = DEFAULT_LIFE
  end
  return token, math.max(life, 0)
end

local function renew(self)
  local answer, err = self.fetch {
    grant_type = "client_credentials",
    client_id = self.user,
    client_secret = self.secret:reveal(),
  }
  if not answer then
    return nil, err
  end
  local token, life = read_token(answer)
  if not token then
    return nil, errors.new("protocol", life)
  end
  local now = runtime.clock()
  local header = core.bearer(core.secret(token))
  return {
    header = header,
    ends = now + life,
    renew_at = now + life - math.min(MARGIN, life / 10),
  }
end

-- The kept token, forgotten once it should be renewed.
local function current(self)
  local token = self.token
  if token and runtime.clock() >= token.renew_at then
    self.renewal:forget()
    return nil, token
  end
  return token
end

function OAuth:authorization()
  local token, ending = current(self)
  if token then
    return token.header
  end
  local fresh, err = self.renewal:keep(function()
    local renewed, failure = renew(self)
    if renewed then
      self.token = renewed
    end
    return renewed, failure
  end)
  if fresh then
    return fresh.header
  end
  if ending and runtime.clock() < ending.ends then
    return ending.header
  end
  return nil, err
end

function OAuth:rejected(header)
  if self.token and self.token.header == header then
    self.token = nil
    self.renewal:forget()
  end
  return true
end

function OAuth:redact(value)
  if value == nil or self.closed then
    return value
  end
  local form = core.encode_form { { "", self.secret:reveal() } }
  local posted = core.secret(form:sub(2)) -- behind the = of an empty name
  local safe = redact(self, value, posted, self.token and self.token.header)
  posted:close()
  return safe
end

function OAuth:close()
  self.closed = true
  self.secret:close()
  if self.token then
    self.token.header:close()
    self.token = nil
  end
end

return M
