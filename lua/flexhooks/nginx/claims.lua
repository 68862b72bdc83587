--- Claims that all workers of nginx share: `flexhooks.dedupe` over a shared
-- dictionary.
--
-- A token's entry, under the token itself, says `wait` while a worker handles
-- the event and `done` afterwards. A form's entry lists its instances: which
-- sources reported each, and whether it is handled; it is changed under a lock
-- of its own. What a killed worker had pending expires, so that a re-delivery
-- is handled.
-- @module flexhooks.nginx.claims

local ascii = require "flexhooks.ascii"
local errors = require "flexhooks.error"
local host = require "flexhooks.nginx.host"

local M = {}

-- Of one length: one takes the other's place in the dictionary's memory.
local PENDING, DONE = "wait", "done"

-- Seconds: of a lock that nobody released, and what a pending entry outlives
-- its handlers' deadline by.
local LOCK_EXPIRES, PENDING_SLACK = 2, 5
local SHORTEST_NAP, LONGEST_NAP = 0.002, 0.05

---@class flexhooks.SharedClaims
local Claims = { __name = "flexhooks.nginx.claims" }
Claims.__index = Claims

-- Calls `look` until it returns something other than nil. Returns that, or nil
-- and an error when `ends` has come.
local function poll(look, ends)
  local nap = SHORTEST_NAP
  while true do
    local found = look()
    if found ~= nil then
      return found
    elseif ends and host.clock() >= ends then
      return nil, errors.new("timeout",
        "another delivery of this event is still being handled")
    end
    local slept, err = host.sleep(nap)
    if not slept then
      return nil, err
    end
    nap = math.min(2 * nap, LONGEST_NAP)
  end
end

-- An instance is kept as "number opened state source,source,…", one a line,
-- until its window ends: those who wait for it read there how it ended. A
-- label's own bytes are kept apart from these marks.
local function escape(label)
  return (label:gsub("[%% ,\n]", function(c)
    return ("%%%02x"):format(c:byte())
  end))
end

local function parse(text, oldest)
  local instances = {}
  for number, opened, state, sources in (text or ""):gmatch
    "(%d+) (%S+) (%a+) ([^\n]*)\n" do
    if tonumber(opened) >= oldest then
      local reports = {}
      for source in sources:gmatch "[^,]+" do
        reports[source] = true
      end
      instances[#instances + 1] = { number = tonumber(number),
        opened = tonumber(opened), state = state, reports = reports }
    end
  end
  return instances
end

local function spell(instances)
  local lines = {}
  for _, instance in ipairs(instances) do
    local sources = {}
    for source in pairs(instance.reports) do
      sources[#sources + 1] = source
    end
    table.sort(sources)
    lines[#lines + 1] = ("%d %s %s %s\n"):format(instance.number,
      ascii.number(instance.opened, "%.3f"), instance.state,
      table.concat(sources, ","))
  end
  return table.concat(lines)
end

-- Runs `change(instances)` on a form's instances while no other worker does,
-- and writes back what it left.
local function with_form(self, twin, change)
  local lock, key = "lock:" .. twin, "twin:" .. twin
  poll(function()
    return self.dict:add(lock, true, LOCK_EXPIRES) or nil
  end)
  local instances = parse(self.dict:get(key), host.now() - self.twin_window)
  local found = change(instances)
  if #instances > 0 then
    self.dict:set(key, spell(instances), self.twin_window + PENDING_SLACK)
  else
    self.dict:delete(key)
  end
  self.dict:delete(lock)
  return found
end

local function find(instances, number)
  for i, instance in ipairs(instances) do
    if instance.number == number then
      return instance, i
    end
  end
end

-- Joins the oldest instance that lacks the source, or opens one. Returns its
-- number, which is never used again, and its state where it was there.
local function report(self, twin, source)
  local state
  local number = with_form(self, twin, function(instances)
    for _, instance in ipairs(instances) do
      if not instance.reports[source] then
        instance.reports[source] = true
        state = instance.state
        return instance.number
      end
    end
    local new = self.dict:incr("instances", 1, 0)
    instances[#instances + 1] = { number = new, opened = host.now(),
      state = PENDING, reports = { [source] = true } }
    return new
  end)
  return number, state
end

-- Waits until an instance is handled (true) or was given up (false).
local function await_instance(self, twin, number, ends)
  return poll(function()
    local instance = find(parse(self.dict:get("twin:" .. twin), 0), number)
    if not instance then
      return false
    elseif instance.state == DONE then
      return true
    end
  end, ends)
end

local function end_of(timeout)
  return timeout and host.clock() + timeout
end

-- Takes the token. Returns "claimed", or "duplicate", or nil and an error.
-- LuaJIT compiles no code that makes a function: `poll` is for those who wait.
local function take_token(self, token, timeout)
  if self.dict:add(token, PENDING, self.pending) then
    return "claimed"
  end
  return poll(function()
    if self.dict:get(token) == DONE then
      return "duplicate"
    elseif self.dict:add(token, PENDING, self.pending) then
      return "claimed"
    end
  end, end_of(timeout))
end

local function end_token(self, token, handled)
  if not token then
    return
  elseif handled then
    self.dict:set(token, DONE, self.window)
  else
    self.dict:delete(token)
  end
end

-- Joins or opens an instance until one is ours or is known to be handled.
local function claim_twin(self, twin, source, ends)
  while true do
    local number, state = report(self, twin, source)
    if not state then
      return number
    elseif state == DONE then
      return nil
    end
    local handled, err = await_instance(self, twin, number, ends)
    if handled == nil then
      return nil, err
    elseif handled then
      return nil
    end
  end
end

--- Claims an event; see `flexhooks.dedupe`.
---@param token string?
---@param twin string?
---@param source string?
---@param timeout number? seconds
---@return table? claim
---@return flexhooks.Error? err
---@return "token"|"twin"|nil kind
function Claims:claim(token, twin, source, timeout)
  if token then
    local verdict, err = take_token(self, token, timeout)
    if verdict ~= "claimed" then
      return nil, err, verdict and "token"
    end
  end
  if not twin then
    return { token = token }
  end
  twin = ngx.encode_base64(twin, true)
  local number, err = claim_twin(self, twin, escape(source), end_of(timeout))
  if number then
    return { token = token, twin = twin, number = number }
  end
  end_token(self, token, not err)
  return nil, err, not err and "twin" or nil
end

--- Ends a claim, once.
---@param claim table
---@param handled boolean
function Claims:settle(claim, handled)
  if claim.twin then
    with_form(self, claim.twin, function(instances)
      local instance, i = find(instances, claim.number)
      if not instance then
        return
      elseif handled then
        instance.state = DONE
      else
        table.remove(instances, i)
      end
    end)
  end
  end_token(self, claim.token, handled)
end

--- Makes the claims of a shared dictionary.
---@param dict table ngx.shared.NAME
---@param rule table as `flexhooks.dedupe.new` takes
---@param handler_timeout number seconds
---@return flexhooks.SharedClaims
function M.new(dict, rule, handler_timeout)
  return setmetatable({
    dict = dict, window = rule.window, twin_window = rule.twin_window,
    pending = handler_timeout + PENDING_SLACK,
  }, Claims)
end

return M
