-- Crashes under load: what was acknowledged, what was handled, in which order.
--
--   local load = crash.load(port)       load:run(seconds or function)
--   crash.verdict(load, journal)  -> { acknowledged, handled, lost, repeated,
--                                      disordered, invented }
--
-- Each interaction sends its next event when the one before was acknowledged,
-- and sends one that was not again, under its token, as a careful sender
-- would. So the order in which an interaction's events were stored is known.
local process = require "spec.support.process"

local M = {}

local URL = "https://company.example/flex/events"

local Load = { __name = "load" }
Load.__index = Load

--- Senders for `lines` interactions, to a server on one of these ports.
function M.load(ports, lines)
  return setmetatable({ ports = ports, lines = lines or 8,
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

-- The journal's lines: { mark, line, number, id, attempt, fence }.
local function entries(path)
  local list = {}
  for text in process.read(path):gmatch "([^\n]+)\n" do
    local mark, line, number, id, attempt, fence =
      text:match "^(%S+) (%S+) (%d+) (%S+) (%d+) (%S+)$"
    assert(mark, "a torn line: " .. text)
    list[#list + 1] = { mark = mark, line = line, number = tonumber(number),
      id = id, attempt = tonumber(attempt), fence = fence }
  end
  return list
end

-- An effect of a worker that had lost its lease before: a higher fence was
-- seen.
local function is_late(highest, entry)
  local fence = tonumber(entry.fence)
  local known = highest[entry.line]
  if fence then
    highest[entry.line] = math.max(fence, known or fence)
  end
  return fence and known and fence < known
end

-- Nothing but a crash between handling and finishing repeats an event, or a
-- lease that was lost there. So its second handling is a later attempt, by
-- another process or under another fence, and of its interaction's last event.
local function judge(verdict, seen, last, entry)
  local key = entry.line .. " " .. entry.number
  local before = seen[key]
  if not before then
    verdict.handled = verdict.handled + 1
    if entry.number ~= (last[entry.line] or 0) + 1 then
      verdict.disordered = verdict.disordered + 1
    end
  else
    verdict.repeated = verdict.repeated + 1
    if entry.attempt <= before.attempt
      or before.mark == entry.mark and before.fence == entry.fence then
      verdict.wrongly_repeated = verdict.wrongly_repeated + 1
    end
    if last[entry.line] ~= entry.number then
      verdict.disordered = verdict.disordered + 1
    end
  end
  seen[key], last[entry.line] = entry, entry.number
end

--- Compares what was acknowledged with what was handled.
function M.verdict(load, path)
  local verdict = { acknowledged = #load.acknowledged, handled = 0, lost = 0,
    repeated = 0, disordered = 0, wrongly_repeated = 0, late = 0 }
  local seen, last, highest = {}, {}, {}
  for _, entry in ipairs(entries(path)) do
    if is_late(highest, entry) then
      verdict.late = verdict.late + 1
    else
      judge(verdict, seen, last, entry)
    end
  end
  for _, key in ipairs(load.acknowledged) do
    verdict.lost = verdict.lost + (seen[key] and 0 or 1)
  end
  return verdict
end

--- How many kills: the short number, or TORTURE's.
function M.kills(short)
  return tonumber(os.getenv "TORTURE") or short
end

return M
