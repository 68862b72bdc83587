-- The server that bench/server.sh measures, and the delivery that it gets.
--
--   server.lua serve [PORT]   a server with a route for the event; any port
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

local function serve(port)
  local router = flexhooks.router()
  router:on("onParticipantJoined", { ParticipantType = "agent" },
    function(event)
      return event.TaskSid
    end)
  assert(flexhooks.serve { router = router, auth_token = TOKEN,
    public_url = URL, port = tonumber(port or 0),
    on_ready = function(server)
      print("ready " .. server.port)
      io.stdout:flush()
    end })
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

local command = { serve = serve, wrk = write_script }
command[arg[1]](arg[2])
