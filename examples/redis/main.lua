-- Sends events of thirty interactions to the servers, and draws the balance.
--
--   main.lua send SECONDS LEDGER PORT…     what was acknowledged goes there
--   main.lua wait                          until the queue is empty
--   main.lua report LEDGER RECORD          the table; status 1 for a flaw
local flexhooks = require "flexhooks"
local testing = require "flexhooks.testing"

local URL = "https://company.example/flex/events"
local INTERACTIONS = 30

-- One interaction: its next event goes out when the one before was stored; one
-- that was not is sent again, as it was.
local function converse(line, ends, ports, ledger)
  local number = 0
  while flexhooks.clock() < ends do
    number = number + 1
    local request = testing.request(testing.event("onParticipantJoined", {
      InteractionSid = ("KD%032x"):format(line), Number = tostring(number) }),
      { auth_token = os.getenv "TWILIO_AUTH_TOKEN", url = URL,
        idempotency_token = line .. "-" .. number })
    local stored
    repeat
      local port = ports[math.random(#ports)]
      stored = flexhooks.http("http://127.0.0.1:" .. port .. request.target,
        { method = "POST", headers = request.headers, body = request.body,
          expect = 200 })
    until stored
    ledger:write(("KD%032x"):format(line), " ", number, "\n")
    flexhooks.sleep(0.02)
  end
end

local function send(seconds, path, ...)
  local ports, ledger = { ... }, assert(io.open(path, "w"))
  flexhooks.run(function()
    local ends = flexhooks.clock() + tonumber(seconds)
    for line = 1, INTERACTIONS do
      flexhooks.spawn(converse, line, ends, ports, ledger)
    end
  end)
  ledger:close()
  return true
end

local function wait()
  local queue = flexhooks.queue(os.getenv "FLEXHOOKS_QUEUE")
  local ends = flexhooks.clock() + 30
  repeat
    local stats = assert(queue:stats())
    local left = stats.ready + stats.running + stats.delayed
    flexhooks.sleep(0.05)
  until left == 0 or flexhooks.clock() > ends
  queue:close()
  return true
end

-- How often each event was handled and by whom, and what came out of order.
local function read_record(path)
  local handled, last, by, flaws = {}, {}, {}, 0
  for text in io.lines(path) do
    local worker, line, number = text:match "^(%S+) (%S+) (%d+)"
    local key = line .. " " .. number
    if handled[key] == nil and tonumber(number) ~= (last[line] or 0) + 1 then
      flaws = flaws + 1
    end
    handled[key] = (handled[key] or 0) + 1
    last[line] = tonumber(number)
    by[worker] = (by[worker] or 0) + 1
  end
  return handled, by, flaws
end

local function report(ledger, record)
  local handled, by, disordered = read_record(record)
  local acknowledged, lost, repeated = 0, 0, 0
  for key in io.lines(ledger) do
    acknowledged = acknowledged + 1
    lost = lost + (handled[key] and 0 or 1)
  end
  for _, times in pairs(handled) do
    repeated = repeated + times - 1
  end
  local function row(name, value, note)
    print(("  %-46s %6d  %s"):format(name, value, note or ""))
  end
  print ""
  row("events acknowledged by two servers", acknowledged)
  for worker = 1, 3 do
    row("handled by worker " .. worker, by[tostring(worker)] or 0,
      worker == 2 and "killed with -9 in the middle" or "")
  end
  row("lost", lost)
  row("out of order in their interaction", disordered)
  row("handled when the worker was killed, and again", repeated,
    "at most the 8 it was at work on")
  print ""
  return acknowledged > 0 and lost == 0 and disordered == 0 and repeated <= 8
end

local commands = { send = send, wait = wait, report = report }
os.exit(commands[arg[1]]((table.unpack or unpack)(arg, 2)) and 0 or 1)
