-- Webhooks as code against a simulator of its own, for specs.
--
--   local bench = provisioned.start()
--   bench.client, bench.base_url
--   bench:new_client(changes)      another client of the same account
--   bench:plan(hooks, options)     a plan, or the spec fails
--   bench:apply(hooks, options)
--   bench:settled(hooks, options)  fails unless nothing is to be done
--   bench:registered()             what is there, one line each, sorted
--   bench:stop()
--   provisioned.hook(changes)      an entry of a file
local simulator = require "spec.support.simulator"

-- The module under test is loaded anew for each file, so nothing here keeps
-- it.
local M = { url = "https://company.example/flex/events" }

M.own = { friendly_name = "own", type = "interaction",
  webhook_url = M.url .. "/own" }

function M.hook(changes)
  local entry = { friendly_name = "all", type = "global", webhook_url = M.url,
    webhook_events = { "onChannelCreated", "onParticipantJoined" } }
  for name, value in pairs(changes or {}) do
    entry[name] = value
  end
  return entry
end

local Bench = {}
Bench.__index = Bench

function M.start()
  local service = simulator.start()
  local bench = setmetatable({ service = service, base_url = service.url,
    clients = {} }, Bench)
  bench.client = bench:new_client()
  return bench
end

function Bench:new_client(changes)
  local options = { base_url = self.base_url, rate_limit = 1000,
    max_retries = 0, account_sid = simulator.account_sid,
    auth_token = simulator.auth_token }
  for name, value in pairs(changes or {}) do
    options[name] = value
  end
  local client = require("flexhooks").client(options)
  table.insert(self.clients, client)
  return client
end

function Bench:stop()
  for _, client in ipairs(self.clients) do
    client:close()
  end
  self.service.child:stop()
end

function Bench:plan(hooks, given)
  return assert(require("flexhooks").plan(self.client, hooks, given))
end

function Bench:apply(hooks, given)
  return assert(self:plan(hooks, given):apply())
end

function Bench:settled(hooks, given)
  local plan = self:plan(hooks, given)
  assert(plan.empty, tostring(plan))
end

function Bench:registered()
  local list = {}
  for _, webhook in ipairs(assert(self.client.webhooks:list())) do
    table.sort(webhook.webhook_events)
    list[#list + 1] = table.concat({ webhook.friendly_name or "-",
      webhook.type, webhook.webhook_url,
      table.concat(webhook.webhook_events, ",") }, " ")
  end
  table.sort(list)
  return list
end

return M
