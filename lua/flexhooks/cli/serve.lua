--- flexhooks serve: receives events and runs an application's handlers.
-- @module flexhooks.cli.serve

local log = require "flexhooks.cli.log"
local settings = require "flexhooks.cli.settings"

local M = {}

M.summary = "Receive events and run an application's handlers."
M.example = [[
-- app.lua
local router = require("flexhooks").router()
router:on("onParticipantJoined", function(event, context)
  context.log("info", "joined", { who = event.ParticipantType })
end)
return router

export TWILIO_AUTH_TOKEN=…
export FLEXHOOKS_PUBLIC_URL=https://company.com/flex/events
flexhooks serve app.lua --port 8080]]

--- Adds the command's arguments to its parser.
function M.configure(parser)
  parser:argument("app", "The application file: it returns a router or a "
    .. "table of settings.")
  parser:option("--host", "Address to listen on."):argname("ADDRESS")
  parser:option("--port", "Port to listen on; 0: any free one.")
    :argname("N"):convert(settings.number "--port")
  parser:option("--admin", "Address of /healthz and /metrics.")
    :argname("HOST:PORT")
  parser:option("--public-url", "The URL that Twilio signs. Default: the "
    .. "application's, or $FLEXHOOKS_PUBLIC_URL."):argname("URL")
  parser:option("--grace", "Seconds to finish what runs when stopped.")
    :argname("SECONDS"):convert(settings.number "--grace")
  settings.configure_token(parser)
  settings.configure_shared_keys(parser)
  log.configure(parser)
end

local function ready(server)
  io.stdout:write("listening on http://", server.settings.host or "127.0.0.1",
    ":", server.port, "\n")
  io.stdout:flush()
end

--- Runs the command.
---@param given table the parsed arguments
---@return true? done
---@return flexhooks.Error? err
function M.run(given)
  local token, err
  if given.auth_token_file then
    token, err = settings.auth_token(given)
  end
  if err then
    return nil, err
  end
  return require("flexhooks.server").command(given.app, {
    auth_token = token,
    shared_keys_file = given.shared_keys_file,
    host = given.host,
    port = given.port,
    admin = given.admin,
    public_url = given.public_url,
    grace = given.grace,
    signals = true,
    on_ready = ready,
  }, log.new(given))
end

return M
