--- From a listener's requests to tasks that answer them.
--
-- A task takes request after request, since starting one costs as much as
-- many an answer. One that has to wait keeps its request; the next turn of the
-- loop starts others for what is left, twice as many while that goes on. So
-- requests that wait hold up no other, and those that do not share one task.
--
-- What is answered within a turn leaves with the listener's next run, before
-- which the listener need not set the request aside.
-- @module flexhooks.server.intake

local loop = require "flexhooks.loop"

local M = {}

-- Tasks started in one turn at most, where not every request waits.
local WIDEST = 64

---@class flexhooks.server.Intake
---@field in_flight integer tasks that are answering
local Intake = { __name = "flexhooks.server.intake" }
Intake.__index = Intake

local function answer(self, request, method, ...)
  if not method then
    request:close() -- its time was over; the listener has told the peer
    return
  end
  local status, headers, body = self.answer(method, ...)
  if headers or status ~= 200 then
    request:reply(status, headers, body)
  else
    request:reply()
  end
end

local function answer_all(self, job)
  while self.first <= self.last do
    local first = self.first
    local request = self.waiting[first]
    self.waiting[first], self.first = nil, first + 1
    job.request = request
    answer(self, request, request:read())
    self.used[#self.used + 1] = request
  end
end

-- A task's body. Where it fails, its request gets 500, and what it leaves is
-- for the next turn.
local function work(self, job)
  local ok, raised = pcall(answer_all, self, job)
  self.tasks[job] = nil
  self.in_flight = self.in_flight - 1
  if not ok then
    job.request:close()
    error(raised, 0)
  end
end

local function start(self, count)
  for _ = 1, count do
    local job = {}
    self.in_flight = self.in_flight + 1
    self.tasks[job] = loop.spawn(work, self, job)
  end
end

-- The next request that has come, in a handle that was used before where there
-- is one.
local function next_request(self)
  local used = self.used
  local n = #used
  local request = self.listener:next(used[n])
  if request then
    used[n] = nil
  end
  return request
end

-- Appends what has come; tells whether something was left from before.
local function collect(self)
  local waiting = self.waiting
  local left = self.first <= self.last
  self.listener:run(self.rounds)
  local last, request = self.last, next_request(self)
  while request do
    last = last + 1
    waiting[last] = request
    request = next_request(self)
  end
  self.last = last
  return left
end

--- Sends what was answered, and takes what has come.
function Intake:run()
  if collect(self) then
    self.width = math.max(self.least, math.min(2 * self.width, WIDEST))
  else
    self.width = math.max(self.least, self.width - 1)
  end
  start(self, math.min(self:backlog(), self.width,
    self.concurrency - self.in_flight))
end

--- Seconds until it has to run in any case.
---@return number?
function Intake:timeout()
  if self.first <= self.last and self.in_flight < self.concurrency then
    return 0
  end
  return self.listener:timeout()
end

--- Requests that wait for a task.
---@return integer
function Intake:backlog()
  return self.last - self.first + 1
end

--- Has everything been answered and every connection ended?
---@return boolean
function Intake:idle()
  return self.in_flight == 0 and self.listener:active() == 0
end

--- Cancels what runs and closes the listener.
---@return integer unfinished requests that had no answer yet
function Intake:close()
  local unfinished = self.in_flight + self:backlog()
  self.waiting, self.first, self.last = {}, 1, 0
  for _, task in pairs(self.tasks) do
    task:cancel()
  end
  if self.source then
    self.source:remove()
    self.source = nil
  end
  self.listener:close()
  return unfinished
end

--- Watches a listener.
---@param given table `listener`; `answer` (function of a request's parts,
-- returns status, headers and body, or 200 alone); `waits`, where every
-- request will, so that each gets a task at once; `rounds` of the listener in
-- one turn (1); `concurrency`, tasks at once (no limit)
---@return flexhooks.server.Intake
function M.new(given)
  local least = given.waits and math.huge or 1
  local self = setmetatable({
    listener = given.listener, answer = given.answer,
    rounds = given.rounds or 1,
    concurrency = given.concurrency or math.huge,
    in_flight = 0, tasks = {}, least = least, width = least,
    waiting = {}, first = 1, last = 0,
    used = {}, -- closed requests
  }, Intake)
  self.source = loop.add_source {
    fd = self.listener:fd(), interest = "r",
    run = function()
      self:run()
    end,
    timeout = function()
      return self:timeout()
    end,
  }
  return self
end

return M
