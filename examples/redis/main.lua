-- Sends events of thirty interactions to the servers, and draws the balance.
--
--   main.lua send SECONDS LEDGER PORT…     what was acknowledged goes there
--   main.lua wait                          until the queue is empty
--                                          (at most DEMO_PATIENCE seconds)
--   main.lua report LEDGER RECORD          the table; status 1 for a flaw
local flexhooks = require "flexhooks"
local testing = require "flexhooks.testing"

local URL = "https://company.example/flex/events"
local INTERACTIONS = 30

-- Seconds that the demo waits for a server to store one event, and for the
-- workers to empty the queue.
local PATIENCE = tonumber(os.getenv "DEMO_PATIENCE" or 30)

-- Sends a request to one server after another until one answers 200. Returns
-- nil and the last failure if none did in time.
local function deliver(request, ports)
  local ends = flexhooks.clock() + PATIENCE
  while true do
    local port = ports[math.random(#ports)]
    local stored, err = flexhooks.http("http://127.0.0.1:" .. port
      .. request.target, { method = "POST", headers = request.headers,
        body = request.body, expect = 200 })
    if stored then
      return true
    elseif flexhooks.clock() > ends then
      return nil, ("no server stored an event within %g s: %s"):format(
        PATIENCE, err.message)
    end
    flexhooks.sleep(0.05)
  end
end

-- Sends the events of one interaction, each after the one before was stored.
local function converse(line, ends, ports, ledger)
  local number = 0
  while flexhooks.clock() < ends do
    number = number + 1
    local request = testing.request(testing.event("onParticipantJoined", {
      InteractionSid = ("KD%032x"):format(line), Number = tostring(number) }),
      { auth_token = os.getenv "TWILIO_AUTH_TOKEN", url = URL,
        idempotency_token = line .. "-" .. number })
    local stored, problem = deliver(request, ports)
    if not stored then
      return nil, problem
    end
    ledger:write(("KD%032x"):format(line), " ", number, "\n")
    flexhooks.sleep(0.02)
  end
  return true
end

local function send(seconds, path, ...)
  local ports, ledger = { ... }, assert(io.open(path, "w"))
  local senders = {}
  return flexhooks.run(function()
    local ends = flexhooks.clock() + tonumber(seconds)
    for line = 1, INTERACTIONS do
      senders[line] = flexhooks.spawn(converse, line, ends, ports, ledger)
    end
    local sent, problem = true, nil
    for _, sender in ipairs(senders) do
      local ok, err = sender:wait()
      sent, problem = sent and ok, problem or err
    end
    ledger:close()
    return sent, problem
  end)
end

-- Returns how many events wait or are being handled; nil and a message if the
-- queue cannot be read.
local function count_left(queue)
  local stats, err = queue:stats()
  if not stats then
    return nil, "the queue cannot be read: " .. err.message
  end
  return stats.ready + stats.running + stats.delayed
end

local function wait()
  local queue = flexhooks.queue(os.getenv "FLEXHOOKS_QUEUE")
  local ends = flexhooks.clock() + PATIENCE
  local left, problem = count_left(queue)
  while left and left > 0 and flexhooks.clock() < ends do
    flexhooks.sleep(0.05)
    left, problem = count_left(queue)
  end
  queue:close()
  if left and left > 0 then
    problem = ("%d events are not handled after %g s"):format(left, PATIENCE)
  end
  return problem == nil, problem
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
local good, message = commands[arg[1]]((table.unpack or unpack)(arg, 2))
if message then
  io.stderr:write("demo-redis: ", tostring(message), "\n")
end
os.exit(good and 0 or 1)
