-- Crashes under load: what was acknowledged, what was handled, in which order.
--
--   local load = crash.load(port)       load:run(seconds or function)
--   crash.verdict(load, journal)  -> { acknowledged, handled, repeated, late,
--                                      lost, disordered, wrongly_repeated,
--                                      flaws: what was found, in words }
--   crash.assert_clean(verdict)   fails with the first flaws, if there are any
--   crash.wait_empty(url)         until the queue holds nothing
--
-- Each interaction sends its next event when the one before was acknowledged,
-- and sends one that was not again, under its token, as a careful sender
-- would. So the order in which an interaction's events were stored is known.
--
-- The journal has a line for each effect of a handler ("did"), and, where the
-- worker tells, one for each event whose end the queue has taken ("done"). Of
-- the effects of one interaction this must hold:
--
--   1. What was acknowledged has one.
--   2. An effect under a lower fence than one before it is late: its worker
--      had lost its lease. Nothing more is said about it; it is counted.
--   3. The first of each event come in the order stored, none left out.
--   4. A repeat is of the last event, a later attempt, and by another owner:
--      under a higher fence, or by another process where there are no fences.
--   5. An event is done once, and has no effect after that.

local process = require "spec.support.process"

local M = {}

local URL = "https://company.example/flex/events"

local Load = { __name = "load" }
Load.__index = Load

--- Senders for `lines` interactions, to a server on one of these ports, with
-- `pause` seconds between two events of one.
function M.load(ports, lines, pause)
  return setmetatable({ ports = ports, lines = lines or 8, pause = pause,
    acknowledged = {}, count = 0, repeats = 0, numbers = {} }, Load)
end

local function request_of(line, number)
  local testing = require "flexhooks.testing"
  return testing.request(testing.event("onParticipantJoined", {
    InteractionSid = ("KD%032x"):format(line), Number = tostring(number),
  }), { auth_token = "secret", url = URL,
    idempotency_token = ("%d-%d"):format(line, number) })
end

function Load:send(request)
  local port = self.ports[math.random(#self.ports)]
  return require("flexhooks").http(("http://127.0.0.1:%d%s"):format(port,
    request.target), { method = "POST", headers = request.headers,
    body = request.body, timeout = 3 })
end

function Load:sender(line)
  local flexhooks = require "flexhooks"
  local number = self.numbers[line] or 1
  local request = request_of(line, number)
  while not self.ended do
    local answer = self:send(request)
    if answer and answer.status == 200 then
      self.acknowledged[#self.acknowledged + 1] = ("KD%032x %d"):format(line,
        number)
      number = number + 1
      self.numbers[line] = number
      request = request_of(line, number)
      if self.pause then
        flexhooks.sleep(self.pause)
      end
    else
      self.repeats = self.repeats + 1
      flexhooks.sleep(0.01)
    end
  end
end

--- Sends while f runs; f may wait.
function Load:run(f)
  local flexhooks = require "flexhooks"
  self.ended = false
  flexhooks.run(function()
    for line = 1, self.lines do
      flexhooks.spawn(self.sender, self, line)
    end
    local ok, err = pcall(f)
    self.ended = true
    assert(ok, err)
  end)
end

--- Waits with the load running until f returns something true; raises after a
--- minute, naming `what` was awaited.
function M.await(what, f)
  return process.eventually(f, 60, what, require("flexhooks").sleep)
end

--- How far it is, for a line of progress.
function Load:told()
  return (", %d acknowledged"):format(#self.acknowledged)
end

-- A process that is killed may have written the first part of its line, where
-- a page of the file ends; the next line follows at once. Nil where there is
-- none.
local function entry_of(text)
  local what, mark, line, number, id, attempt, fence =
    text:match "(d%l+) (%S+) (%S+) (%d+) (%S+) (%d+) (%S+)$"
  return what and { done = what == "done", mark = mark, line = line,
    number = tonumber(number), id = id, attempt = tonumber(attempt),
    fence = tonumber(fence), key = line .. " " .. number, text = text }
end

local function is_late(highest, entry)
  local fence, known = entry.fence, highest[entry.line]
  if fence then
    highest[entry.line] = math.max(fence, known or fence)
  end
  return fence and known and fence < known
end

local function same_owner(before, entry)
  if entry.fence and before.fence then
    return entry.fence <= before.fence
  end
  return entry.mark == before.mark
end

local Judge = {}
Judge.__index = Judge

function Judge:count(name)
  self.verdict[name] = self.verdict[name] + 1
end

-- What is wrong, with the lines that show it.
function Judge:fault(name, before, entry)
  self:count(name)
  local flaws = self.verdict.flaws
  flaws[#flaws + 1] = ("%s: %s / after: %s"):format(name, entry.text or entry,
    before and before.text or "nothing")
end

function Judge:first(entry)
  self:count "handled"
  if entry.number ~= (self.last[entry.line] or 0) + 1 then
    self:fault("disordered", self.latest[entry.line], entry)
  end
end

function Judge:again(before, entry)
  self:count "repeated"
  if entry.attempt <= before.attempt or same_owner(before, entry)
    or self.done[entry.key] then
    self:fault("wrongly_repeated", self.done[entry.key] or before, entry)
  end
  if self.last[entry.line] ~= entry.number then
    self:fault("disordered", self.latest[entry.line], entry)
  end
end

function Judge:hear(entry)
  if entry.done then
    if self.done[entry.key] then
      self:fault("wrongly_repeated", self.done[entry.key], entry)
    end
    self.done[entry.key] = entry
  elseif is_late(self.highest, entry) then
    self:count "late"
  else
    local before = self.seen[entry.key]
    if before then
      self:again(before, entry)
    else
      self:first(entry)
    end
    self.seen[entry.key] = entry
    self.last[entry.line], self.latest[entry.line] = entry.number, entry
  end
end

--- Compares what was acknowledged with what was handled.
function M.verdict(load, path)
  local verdict = { acknowledged = #load.acknowledged, handled = 0, lost = 0,
    repeated = 0, disordered = 0, wrongly_repeated = 0, late = 0, flaws = {} }
  local judge = setmetatable({ verdict = verdict, seen = {}, last = {},
    latest = {}, highest = {}, done = {} }, Judge)
  for text in io.lines(path) do
    local entry = entry_of(text)
    if entry then
      judge:hear(entry)
    end
  end
  for _, key in ipairs(load.acknowledged) do
    if not judge.seen[key] then
      judge:fault("lost", nil, key)
    end
  end
  return verdict
end

local function told(stats, err)
  return err and err.message or ("%d ready, %d running, %d delayed, %d dead, "
    .. "the oldest of %.3f s"):format(stats.ready, stats.running,
    stats.delayed, stats.dead, stats.oldest_age or 0)
end

--- Waits until a queue holds nothing, as long as it holds less and less;
-- `meanwhile` is called before each look.
function M.wait_empty(url, meanwhile)
  local queue = require("flexhooks").queue(url)
  local least = math.huge
  repeat
    local stats, err, size
    local ok = pcall(process.eventually, function()
      if meanwhile then
        meanwhile()
      end
      stats, err = queue:stats()
      size = stats and stats.ready + stats.running + stats.delayed
      return stats and (size == 0 or size < least)
    end, 60)
    if not ok then
      error("the queue is not worked off: " .. told(stats, err), 2)
    end
    least = size
  until size == 0
  assert(queue:stats().dead == 0, "dead letters")
  queue:close()
end

--- Fails where the verdict has flaws.
function M.assert_clean(verdict)
  local flaws = verdict.flaws
  if #flaws > 0 then
    error(("%d flaws, such as:\n%s"):format(#flaws,
      table.concat(flaws, "\n", 1, math.min(#flaws, 20))), 2)
  end
end

return M
