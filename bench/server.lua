-- The server that bench/server.sh measures, and the delivery that it gets.
--
--   server.lua serve [PORT]   a server with a route for the event; any port
--   server.lua store QUEUE    one that stores it, and answers then
--   server.lua wrk FILE       writes a script that makes wrk send it
local flexhooks = require "flexhooks"

local URL = "https://company.example/flex/events"
local TOKEN = "0123456789abcdef0123456789abcdef"
local id = ("0123456789abcdef"):rep(2)
local EVENT = {
  EventType = "onParticipantJoined",
  AccountSid = "AC" .. id, InstanceSid = "GO" .. id,
  InteractionSid = "KD" .. id, ChannelSid = "UO" .. id,
  ParticipantSid = "UT" .. id, ParticipantType = "agent",
  MediaChannelType = "whatsapp", MediaChannelSid = "CH" .. id,
  TaskSid = "WT" .. id,
}

local function run(app)
  app.auth_token, app.public_url = TOKEN, URL
  app.on_ready = function(server)
    print("ready " .. server.port)
    io.stdout:flush()
  end
  assert(flexhooks.serve(app))
end

local function serve(port)
  local router = flexhooks.router()
  router:on("onParticipantJoined", { ParticipantType = "agent" },
    function(event)
      return event.TaskSid
    end)
  run { router = router, port = tonumber(port or 0) }
end

local function store(queue)
  run { queue = queue, worker = false, port = 0 }
end

-- The idempotency token differs each time, as it does for new events.
local function write_script(path)
  local request = require("flexhooks.testing").request(EVENT,
    { auth_token = TOKEN, url = URL })
  local lines = { "wrk.method = 'POST'", "local count, run = 0, os.time()",
    ("wrk.body = %q"):format(request.body) }
  for name, value in pairs(request.headers) do
    lines[#lines + 1] = ("wrk.headers[%q] = %q"):format(name, value)
  end
  lines[#lines + 1] = [[
function request()
  count = count + 1
  wrk.headers["I-Twilio-Idempotency-Token"] = run .. "-" .. count
  return wrk.format()
end
function done(summary)
  local errors = summary.errors
  io.write(summary.requests / summary.duration * 1e6, " ",
    errors.connect + errors.read + errors.write + errors.status
      + errors.timeout, "\n")
end]]
  local file = assert(io.open(path, "w"))
  file:write(table.concat(lines, "\n"), "\n")
  file:close()
end

local command = { serve = serve, store = store, wrk = write_script }
command[arg[1]](arg[2])
