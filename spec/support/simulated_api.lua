-- The simulated API without its sockets, for the specs of its parts.
--
--   local service = simulated_api.new{ rate_limit = 2 }
--   local status, body, response = service:post("/v1/Interactions", form)
--   service.told       the events raised
--   service.begun      { interaction, scenario } of each creation
--   service.time       seconds, what the API takes for now
local accounts = require "flexhooks.simulator.accounts"
local api = require "flexhooks.simulator.api"
local faults = require "flexhooks.simulator.faults"
local ids = require "flexhooks.simulator.ids"
local json = require "flexhooks.json"
local limiter = require "flexhooks.simulator.limiter"
local random = require "flexhooks.simulator.random"
local states = require "flexhooks.simulator.state"

local M = {
  account_sid = "AC" .. ("a"):rep(32),
  instance_sid = "GO" .. ("b"):rep(32),
  -- "AC…:token"
  authorization = "Basic QUNhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYTp0b2"
    .. "tlbg==",
}
M.webhooks_path = "/v1/Instances/" .. M.instance_sid .. "/InteractionWebhooks"

local Service = {}
Service.__index = Service

local function build(self, settings)
  local function now()
    return self.time
  end
  local identifiers = ids.new(random.new(1), now)
  settings.account_sid = settings.account_sid or M.account_sid
  settings.auth_token = settings.auth_token or "token"
  settings.instance_sid = settings.instance_sid or M.instance_sid
  self.world = states.new(identifiers, function(_, event)
    self.told[#self.told + 1] = event
  end)
  return api.new {
    world = self.world,
    accounts = accounts.new(settings, identifiers, now),
    chaos = faults.new(1, settings),
    ids = identifiers,
    limiter = limiter.new(settings.rate_limit, now),
    now = now,
    shape = settings.shape,
    shared_key = settings.shared_key,
    begin = function(interaction, scenario)
      self.begun[#self.begun + 1] = { interaction, scenario }
    end,
    invited = function(invite)
      self.invites[#self.invites + 1] = invite
    end,
    journal = function(account_sid)
      return { { account_sid = account_sid } }, {}, true
    end,
  }
end

function M.new(settings)
  local self = setmetatable({ told = {}, begun = {}, invites = {},
    time = 1e9 }, Service)
  self.api = build(self, settings or {})
  return self
end

local function escape(text)
  return (tostring(text):gsub("[^%w]", function(c)
    return string.format("%%%02X", c:byte())
  end))
end

local function encode(form)
  local words = {}
  for name, value in pairs(form or {}) do
    for _, one in ipairs(type(value) == "table" and value or { value }) do
      words[#words + 1] = escape(name) .. "=" .. escape(one)
    end
  end
  return table.concat(words, "&")
end

local function decoded(response)
  if response.headers["content-type"] == "text/html"
    or response.body == "" then
    return response.body
  end
  return assert(json.decode(response.body))
end

--- Sends a request; `extra` overrides its parts.
---@return integer status, any body, table response
function Service:send(method, target, extra)
  local path, query = target:match "^([^?]*)%??(.*)$"
  local request = { method = method, path = path, query = query, body = "",
    authorization = M.authorization, origin = "http://127.0.0.1:4010" }
  for name, value in pairs(extra or {}) do
    request[name] = value
  end
  local response = self.api:handle(request)
  return response.status, decoded(response), response
end

function Service:get(target)
  return self:send("GET", target)
end

function Service:post(target, form)
  return self:send("POST", target, { body = encode(form),
    content_type = "application/x-www-form-urlencoded" })
end

function Service:post_json(target, value)
  return self:send("POST", target, { body = json.encode(value),
    content_type = "application/json" })
end

--- An interaction's path and its channel's, after creating it.
function Service:interaction(form)
  form = form or { Channel = '{"type":"sms"}' }
  local status, body = self:post("/v1/Interactions", form)
  assert(status == 200, body.message)
  local path = "/v1/Interactions/" .. body.sid
  return path, path .. "/Channels/" .. body.channel.sid, body
end

return M
