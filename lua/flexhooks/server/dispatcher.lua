--- From a listener's requests to tasks that answer them.
--
-- A task takes request after request, since starting one costs as much as
-- many an answer. One that has to wait keeps its request; the next turn of the
-- loop starts others for what is left, twice as many while that goes on. So
-- requests that wait hold up no other, and those that do not share one task.
-- Nor need a task wait for an answer that comes by a callback.
--
-- What is answered within a turn leaves with the listener's next run, before
-- which the listener need not set the request aside.
-- @module flexhooks.server.dispatcher

local loop = require "flexhooks.runtime.loop"

local M = {}

-- Tasks started in one turn at most.
local WIDEST = 64

---@class flexhooks.server.Intake
---@field in_flight integer requests that were taken and have no answer yet
local Intake = { __name = "flexhooks.server.dispatcher" }
Intake.__index = Intake

-- The request is over, whether or not its answer can be sent.
local function finish(self, request)
  local used = self.used
  self.in_flight = self.in_flight - 1
  used[#used + 1] = request
end

-- An answer that cannot be sent becomes 500, and the failure of a task.
local function reply(self, request, status, headers, body)
  if headers or status ~= 200 then
    local ok, raised = pcall(request.reply, request, status, headers, body)
    if not ok then
      request:close()
      loop.spawn(error, raised, 0)
    end
  else
    request:reply()
  end
  finish(self, request)
end

-- Up to five headers are handed on, each in a place of its own: variable
-- arguments would be copied for every request.
local function answer(self, request, method, target, body, a, b, c, d, e)
  if not method then
    request:close() -- its time was over; the listener has told the peer
    finish(self, request)
  elseif self.accept then
    self.accept(self.whom, self.reply, request, method, target, body, a, b, c,
      d, e)
  else
    reply(self, request,
      self.answer(self.whom, method, target, body, a, b, c, d, e))
  end
end

local function answer_all(self, job)
  local waiting = self.waiting
  while self.first <= self.last do
    local first = self.first
    local request = waiting[first]
    waiting[first], self.first = nil, first + 1
    self.in_flight = self.in_flight + 1
    job.request = request
    answer(self, request, request:read())
  end
end

-- A task's body. Where it fails, its request gets 500, and what it leaves is
-- for the next turn.
local function work(self, job)
  local ok, raised = pcall(answer_all, self, job)
  self.tasks[job] = nil
  if not ok then
    job.request:close()
    finish(self, job.request)
    error(raised, 0)
  end
end

-- Appends what has come, in handles that were used before where there are any;
-- tells whether something was left from before.
local function collect(self)
  local listener, waiting, used = self.listener, self.waiting, self.used
  local left = self.first <= self.last
  listener:run(self.rounds)
  local last, n = self.last, #used
  local request = listener:next(used[n])
  while request do
    if n > 0 then
      used[n], n = nil, n - 1
    end
    last = last + 1
    waiting[last] = request
    request = listener:next(used[n])
  end
  self.last = last
  return left
end

local function start(self, count)
  for _ = 1, count do
    local job = {}
    self.tasks[job] = loop.spawn(work, self, job)
  end
end

--- Sends what was answered, and takes what has come.
function Intake:run()
  if collect(self) then
    self.width = math.min(2 * self.width, WIDEST)
  else
    self.width = math.max(1, self.width - 1)
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
---@param given table `listener`; `answer` (function of `whom` and a request's
-- parts, returns status, headers and body, or 200 alone), or `accept`
-- (function of `whom`, reply, request and its parts, sees to it that
-- reply(request, status, headers, body) is called once); `rounds` of the
-- listener in one turn (1); `concurrency`, requests at once (no limit)
---@return flexhooks.server.Intake
function M.new(given)
  local self = setmetatable({
    listener = given.listener, whom = given.whom, answer = given.answer,
    accept = given.accept,
    rounds = given.rounds or 1,
    concurrency = given.concurrency or math.huge,
    in_flight = 0, tasks = {}, width = 1,
    waiting = {}, first = 1, last = 0,
    used = {}, -- closed requests
  }, Intake)
  self.reply = function(...)
    reply(self, ...)
  end
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
