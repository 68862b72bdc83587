-- Simulated traffic: lives of interactions, and the reports of their events
-- that reach a receiver, in the order in which they do.
--
--   local reports, events = traffic.make(scenario, seed, interactions)
--     report  { at, source, url, event (its number), form, token, request }
--     events  how many happened, those included of which no report arrived
--
-- Two webhooks report events: a global one, and one that interactions carry,
-- which is not told of changes of a channel's status. The simulator's world
-- makes the events and its chaos the trouble; the clock is virtual. Lives have
-- equal events: one in six has an agent whose data change several times within
-- seconds, one in six is parked and taken up, and one in ten is a thread that
-- is taken up or parked every two minutes or so until the hour is over.
--
-- A scenario says, beside chances as the simulator takes them:
--   outages   { { source, from, until }, … }   connecting fails meanwhile
--   longest   the longest delay (seconds)
--   changes   { { at, what }, … }   "replace": the global webhook gets another
--             URL; "carry": interactions carry another webhook from then on;
--             "add": there is another global one
local faults = require "flexhooks.simulator.faults"
local core = require "flexhooks.core"
local delivery = require "flexhooks.simulator.delivery"
local events = require "flexhooks.events"
local ids = require "flexhooks.simulator.ids"
local lifecycle = require "flexhooks.simulator.lifecycle"
local random = require "flexhooks.simulator.random"
local heaps = require "flexhooks.util.heap"
local states = require "flexhooks.simulator.state"

local M = {}

M.AUTH_TOKEN = "a token of the simulated account"
M.HOUR = 3600 -- seconds in which the interactions begin

-- label -> the URL that is registered for it
M.URLS = {}
for _, label in ipairs { "global", "interaction", "other" } do
  M.URLS[label] = "https://company.example/flex/" .. label
end

local TIMEOUT = 15 -- seconds until a failed attempt is made again, once
local ACCOUNT = { sid = "AC" .. ("0"):rep(31) .. "1",
  instance_sid = "GO" .. ("0"):rep(31) .. "1" }
local CHANNEL = { channel = { type = "web" } }

local Traffic = { __name = "traffic" }
Traffic.__index = Traffic

local function later(self, seconds, f)
  self.timers:push { due = self.now + seconds, run = f }
end

local SUBSCRIBED = { global = events.names(), interaction = {} }
for _, name in ipairs(events.names()) do
  if name ~= "onChannelStatusUpdated" then
    table.insert(SUBSCRIBED.interaction, name)
  end
end

local function register(self, label, kind)
  local webhook = self.world:add_webhook(ACCOUNT, {
    type = kind, webhook_url = M.URLS[label], webhook_method = "POST",
    webhook_events = SUBSCRIBED[kind], friendly_name = label,
  })
  self.webhooks[label] = webhook
end

-- --- what happens -----------------------------------------------------------

-- The agent's data change once or twice more, within seconds.
local function repeat_update(self, channel)
  local agent = states.find(channel.participants, "type", "agent")
  if agent and not states.ended(channel) then
    for _ = 1, self.random:integer(1, 2) do
      later(self, self.random:next() * 5, function()
        if states.find(channel.participants, "sid", agent.sid) then
          self.world:update_participant(agent)
        end
      end)
    end
  end
end

local function live(self, life, pace, restless)
  local wait = life:wait()
  if wait then
    later(self, wait * pace, function()
      life:step()
      if restless and life.at == 7 then
        repeat_update(self, life.channel)
      end
      live(self, life, pace, restless)
    end)
  end
end

-- Half of the pauses of a thread are shorter than a minute and a half.
-- Whenever it goes on, the customer's data change too.
local function go_on(self, channel)
  later(self, 2 - 120 * math.log(1 - self.random:next()), function()
    if self.now < M.HOUR then
      self.world:set_status(channel,
        channel.status == "active" and "inactive" or "active")
      local customer = states.find(channel.participants, "type", "customer")
      if customer then
        self.world:update_participant(customer)
      end
      go_on(self, channel)
    end
  end)
end

local NAMES = { "conversation", "conversation", "conversation", "parked",
  "abandoned", "failed" }

local function begin(self)
  local interaction = self.world:add_interaction(ACCOUNT, {
    channel = CHANNEL.channel, webhook_ttid = self.carried })
  local name = NAMES[self.random:integer(1, #NAMES)]
  local restless, thread = self.random:chance(1 / 6), self.random:chance(0.1)
  local life = lifecycle.new(thread and "open" or name, self.world,
    interaction)
  -- A life takes from six seconds to two minutes.
  live(self, life, 1 + 19 * self.random:next() ^ 2, restless)
  if thread then
    go_on(self, life.channel)
  end
end

local CHANGES = {
  add = function(self)
    register(self, "other", "global")
  end,
  replace = function(self)
    self.world:remove_webhook(self.webhooks.global)
    register(self, "other", "global")
  end,
  carry = function(self)
    register(self, "other", "interaction")
    self.carried = self.webhooks.other.ttid
  end,
}

-- --- what is reported -------------------------------------------------------

local function is_out(self, label, at)
  for _, outage in ipairs(self.scenario.outages or {}) do
    if outage[1] == label and at >= outage[2] and at < outage[3] then
      return true
    end
  end
  return false
end

local function add_report(self, at, webhook, what)
  self.reports[#self.reports + 1] = { at = at, serial = #self.reports,
    source = webhook.friendly_name, event = what.number, form = what.form,
    token = what.token, request = what.request }
end

-- An interaction's deliveries to one webhook do not pass each other, unless
-- the plan says so.
local function arrival(self, webhook, interaction, plan)
  local lane = webhook.ttid .. interaction.sid
  local at = self.now + 0.05 + 0.3 * self.ways:next() ^ 3
  if plan.delay then
    return at + plan.delay
  elseif plan.reorder then
    return at + 3 * self.ways:next()
  end
  at = math.max(at, (self.lanes[lane] or 0) + 0.001)
  self.lanes[lane] = at
  return at
end

local function deliver(self, webhook, interaction, event, form)
  self.deliveries = self.deliveries + 1
  local plan = self.chaos:delivery(tostring(self.deliveries))
  local at = arrival(self, webhook, interaction, plan)
  if is_out(self, webhook.friendly_name, at) then
    at = at + TIMEOUT
  end
  if plan.drop or is_out(self, webhook.friendly_name, at) then
    return
  end
  local what = { number = self.events, form = form, token = self.ids:uuid() }
  what.request = delivery.request(webhook, event,
    { auth_token = M.AUTH_TOKEN, idempotency_token = what.token })
  add_report(self, at, webhook, what)
  if plan.duplicate then
    add_report(self, at + 1 + TIMEOUT * self.ways:next(), webhook, what)
  end
end

local function form_of(event)
  local list = {}
  for name, value in pairs(event) do
    list[#list + 1] = name .. "=" .. value
  end
  table.sort(list)
  return core.sha256(table.concat(list, "\n"))
end

local function report(self, interaction, event)
  self.events = self.events + 1
  local form = form_of(event)
  for _, webhook in ipairs(self.world:recipients(interaction,
    event.EventType)) do
    deliver(self, webhook, interaction, event, form)
  end
end

-- --- all of it --------------------------------------------------------------

local function run(self)
  local first = self.timers:first()
  while first do
    self.timers:remove(first)
    self.now = first.due
    first.run()
    first = self.timers:first()
  end
end

local function new(scenario, seed)
  local self = setmetatable({ scenario = scenario, now = 0, events = 0,
    deliveries = 0, reports = {}, lanes = {}, webhooks = {},
    timers = heaps.new(), random = random.new(seed),
    -- What happens does not depend on how it is reported.
    ways = random.new(seed .. "/ways"),
    chaos = faults.new(seed, scenario, scenario.longest) }, Traffic)
  self.ids = ids.new(random.new(seed .. "/ids"), function()
    return self.now
  end)
  self.world = states.new(self.ids, function(...)
    report(self, ...)
  end)
  register(self, "global", "global")
  register(self, "interaction", "interaction")
  self.carried = self.webhooks.interaction.ttid
  return self
end

--- The reports of an hour.
---@param scenario table
---@param seed string|number
---@param interactions integer
---@return table[] reports in the order in which they arrive
---@return integer events
function M.make(scenario, seed, interactions)
  local self = new(scenario, tostring(seed))
  for _ = 1, interactions do
    later(self, M.HOUR * self.random:next(), function()
      begin(self)
    end)
  end
  for _, entry in ipairs(scenario.changes or {}) do
    later(self, entry[1], function()
      CHANGES[entry[2]](self)
    end)
  end
  run(self)
  table.sort(self.reports, function(a, b)
    if a.at ~= b.at then
      return a.at < b.at
    end
    return a.serial < b.serial
  end)
  return self.reports, self.events
end

return M
