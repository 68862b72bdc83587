--- Carries events to webhooks, with whatever trouble the seed has in store.
--
-- Each interaction's events to one webhook form a lane: sent one after
-- another, in order, unless the plan says otherwise. Lanes do not wait for
-- each other.
-- @module flexhooks.simulator.deliverer

local delivery = require "flexhooks.simulator.delivery"
local runtime = require "flexhooks.runtime.current"

local M = {}

-- Seconds for which a delivery to be reordered waits for the next one.
local HOLD = 3

---@class flexhooks.simulator.Courier
local Courier = { __name = "flexhooks.simulator.deliverer" }
Courier.__index = Courier

---@param parts table `transport`, `chaos`, `ids`, `journal`, `speed`, `spawn`
-- (starts a task that ends with the simulator), `shared_key` (`id`, `secret`,
-- `algorithm`, if one signs)
function M.new(parts)
  return setmetatable({ parts = parts, lanes = {}, in_flight = 0 }, Courier)
end

-- Sends until the delivery rules are content.
local function attempt(self, item, request)
  local _, overrides = delivery.split(item.webhook.webhook_url)
  local attempts = 0
  repeat
    attempts = attempts + 1
    local response, err = self.parts.transport:send(request)
    if not delivery.again(overrides, attempts, response, err) then
      return response, err, attempts
    end
  until false
end

local function note(self, item, outcome)
  self.parts.journal:delivered {
    account_sid = item.account.sid,
    number = item.number,
    interaction_sid = item.event.InteractionSid,
    event_type = item.event.EventType,
    ttid = item.webhook.ttid,
    type = item.webhook.type,
    idempotency_token = item.token,
    trouble = next(item.plan) and item.plan or nil,
    status = outcome.status,
    error = outcome.error,
    attempts = outcome.attempts or 0,
  }
end

-- What signs a delivery: the account's token, or the simulator's shared key.
local function keys_of(self, item)
  local wrong = item.plan.missign and "?" or ""
  local shared = self.parts.shared_key
  if not shared then
    return { auth_token = item.account.token .. wrong,
      idempotency_token = item.token }
  end
  return { shared_key = shared.secret .. wrong, shared_key_id = shared.id,
    algorithm = shared.algorithm, idempotency_token = item.token }
end

local function send_once(self, item)
  local response, err, attempts = attempt(self, item,
    delivery.request(item.webhook, item.event, keys_of(self, item)))
  note(self, item, {
    status = response and response.status,
    error = err and err.kind,
    attempts = attempts,
  })
end

local function send(self, item)
  self.in_flight = self.in_flight + 1
  send_once(self, item)
  if item.plan.duplicate then
    send_once(self, item)
  end
  self.in_flight = self.in_flight - 1
end

-- The delivery behind this one goes first, where one comes in time.
local function let_pass(self, lane, item)
  if not lane[1] then
    lane.more = runtime.event()
    lane.more:wait(HOLD / self.parts.speed)
    lane.more = nil
  end
  local overtaking = table.remove(lane, 1)
  if overtaking then
    send(self, overtaking)
  end
  send(self, item)
end

local function run_item(self, lane, item)
  local plan = item.plan
  if plan.drop then
    note(self, item, { error = "dropped" })
  elseif plan.delay then
    self.in_flight = self.in_flight + 1
    self.parts.spawn(function()
      local waited = runtime.sleep(plan.delay / self.parts.speed)
      self.in_flight = self.in_flight - 1
      if waited then
        send(self, item)
      end
    end)
  elseif plan.reorder then
    let_pass(self, lane, item)
  else
    send(self, item)
  end
end

local function run_lane(self, key, lane)
  while lane[1] do
    run_item(self, lane, table.remove(lane, 1))
  end
  self.lanes[key] = nil
end

--- Takes an event for one webhook; returns at once.
---@param item table `account`, `webhook`, `event`, `number` of the event in
-- its interaction, `key` that identifies the delivery to the chaos
function Courier:take(item)
  item.plan = self.parts.chaos:delivery(item.key)
  item.token = self.parts.ids:uuid()
  local key = item.webhook.ttid .. item.event.InteractionSid
  local lane = self.lanes[key]
  if lane then
    lane[#lane + 1] = item
    if lane.more then
      lane.more:set()
    end
    return
  end
  lane = { item }
  self.lanes[key] = lane
  self.parts.spawn(run_lane, self, key, lane)
end

--- Forgets what was not sent yet.
function Courier:close()
  for _, lane in pairs(self.lanes) do
    for index = #lane, 1, -1 do
      lane[index] = nil
    end
  end
end

--- Is nothing under way?
---@return boolean
function Courier:idle()
  return next(self.lanes) == nil and self.in_flight == 0
end

return M
