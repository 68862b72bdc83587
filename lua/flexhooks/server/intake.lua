--- From a listener's requests to tasks that answer them.
--
-- Each request gets a task of its own, so one that waits holds up no other.
-- Most do not wait: they are answered within the turn of the loop in which
-- they came, and the listener never has to set them aside.
-- @module flexhooks.server.intake

local loop = require "flexhooks.loop"

local unpack = table.unpack or unpack

local M = {}

-- Batches taken in one turn, so that other sources get theirs.
local BATCHES = 16

---@class flexhooks.server.Intake
---@field in_flight integer tasks that are answering
local Intake = { __name = "flexhooks.server.intake" }
Intake.__index = Intake

local function answer(self, request, method, ...)
  if not method then
    return -- it ended before it was read
  end
  local status, headers, body = self.answer(method, ...)
  if headers or status ~= 200 then
    request:reply(status, headers, body)
  else
    request:reply()
  end
end

local function next_waiting(self)
  local first = self.first
  local waiting = self.waiting[first]
  if waiting then
    self.waiting[first] = nil
    self.first = first + 1
  end
  return waiting
end

-- A task's body: its own request, then those that found no task free.
local function work(self, job, request, ...)
  answer(self, request, ...)
  local waiting = next_waiting(self)
  while waiting do
    answer(self, unpack(waiting, 1, waiting.n))
    waiting = next_waiting(self)
  end
  job.done = true
  self.tasks[job] = nil
  self.in_flight = self.in_flight - 1
end

-- Reads a request while its bytes are there: its time may be over before a
-- task is free, and an event that came is handled even then.
local function set_aside(self, request, ...)
  self.last = self.last + 1
  self.waiting[self.last] = { n = select("#", ...) + 1, request, ... }
end

local function take(self, request)
  if self.in_flight >= self.concurrency then
    return set_aside(self, request, request:read())
  end
  local job = { done = false }
  self.in_flight = self.in_flight + 1
  local task = loop.spawn(work, self, job, request, request:read())
  if not job.done then
    self.tasks[job] = task
  end
end

--- Takes what has come, and sends what was answered at once.
function Intake:run()
  local listener, rounds = self.listener, self.rounds
  for _ = 1, BATCHES do
    listener:run(rounds)
    local request = listener:next()
    if not request then
      return
    end
    repeat
      take(self, request)
      request = listener:next()
    until not request
  end
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
-- returns status, headers and body, or 200 alone); `rounds` of the listener in
-- one batch (1); `concurrency`, tasks at once (no limit)
---@return flexhooks.server.Intake
function M.new(given)
  local self = setmetatable({
    listener = given.listener, answer = given.answer,
    rounds = given.rounds or 1,
    concurrency = given.concurrency or math.huge,
    in_flight = 0, tasks = {}, waiting = {}, first = 1, last = 0,
  }, Intake)
  self.source = loop.add_source {
    fd = self.listener:fd(), interest = "r",
    run = function()
      self:run()
    end,
    timeout = function()
      return self.listener:timeout()
    end,
  }
  return self
end

return M
