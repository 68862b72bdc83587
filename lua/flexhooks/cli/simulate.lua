--- flexhooks simulate: a stand-in for the Flex API.
-- @module flexhooks.cli.simulate

local log = require "flexhooks.cli.log"
local settings = require "flexhooks.cli.settings"
local tables = require "flexhooks.util.tables"

local M = {}

M.summary = "Stand in for the Flex API and play interactions."
M.example = [[
flexhooks simulate --port 4010 --speed 10 &
export FLEXHOOKS_BASE_URL=http://127.0.0.1:4010]]

-- option, argument, default as shown, description
local NUMBERS = {
  { "port", "N", 4010, "Port to listen on; 0: any free one." },
  { "speed", "N", 1, "How many times faster than life." },
  { "rate-limit", "N", nil, "Requests a second before an endpoint answers "
    .. "429." },
  { "drop", "P", 0, "Chance that a delivery is not made." },
  { "missign", "P", 0, "Chance that a delivery is signed wrongly." },
  { "duplicate", "P", 0, "Chance that a delivery is made twice." },
  { "reorder", "P", 0, "Chance that a delivery lets the next one pass." },
  { "delay", "P", 0, "Chance that a delivery is late." },
  { "longest-delay", "SECONDS", 5, "How late it may be." },
  { "throttle", "P", 0, "Chance that a request is answered 429." },
  { "outage", "P", 0, "Chance that a request is answered 503, in HTML." },
  { "fail", "P", 0, "Chance that an interaction's channel fails." },
}

local function add_number(parser, option, argname, default, description)
  if default then
    description = description .. " Default: " .. default .. "."
  end
  parser:option("--" .. option, description):argname(argname)
    :convert(settings.number("--" .. option))
end

--- Adds the command's arguments to its parser.
function M.configure(parser)
  parser:option("--host", "Address to listen on. Default: 127.0.0.1.")
    :argname("ADDRESS")
  for _, row in ipairs(NUMBERS) do
    add_number(parser, row[1], row[2], row[3], row[4])
  end
  parser:option("--seed", "Decides what goes wrong, the same every time.")
    :argname("TEXT")
  parser:option("--scenario", "The life that interactions have.")
    :choices(require("flexhooks.simulator.lifecycle").names())
  parser:option("--error-shape", "How errors are written.")
    :choices(require("flexhooks.simulator.api_error").SHAPES)
  parser:flag("--older-names", "Send onChannelUpdated and FlexInstanceSid.")
  settings.configure_token(parser)
  settings.configure_shared_keys(parser)
  parser:option("--shared-key", "Id of the shared key that signs deliveries. "
    .. "Default: the account's auth token signs."):argname("ID")
  settings.configure_algorithm(parser)
  log.configure(parser)
end

local function credentials(given, wanted)
  wanted.account_sid = settings.env("TWILIO_ACCOUNT_SID")
  wanted.instance_sid = settings.env("FLEX_INSTANCE_SID")
  wanted.api_key = settings.env("TWILIO_API_KEY")
  wanted.api_secret = settings.env("TWILIO_API_SECRET")
  wanted.client_id = settings.env("TWILIO_CLIENT_ID")
  wanted.client_secret = settings.env("TWILIO_CLIENT_SECRET")
  if not wanted.account_sid then
    return wanted
  end
  local err
  wanted.auth_token, err = settings.auth_token(given)
  return wanted.auth_token and wanted, err
end

-- The shared key that was asked for.
local function add_shared_key(given, wanted)
  if not given.shared_key then
    return wanted
  end
  local signer, err = settings.signer(given)
  if not signer then
    return nil, err
  end
  return tables.merged(wanted, signer)
end

--- Runs the command.
---@param given table the parsed arguments
---@return true? done
---@return flexhooks.Error? err
function M.run(given)
  local wanted, err = credentials(given, {
    host = given.host,
    port = given.port or 4010,
    seed = given.seed,
    scenario = given.scenario,
    error_shape = given.error_shape,
    older_names = given.older_names,
    logger = log.new(given),
  })
  if wanted then
    wanted, err = add_shared_key(given, wanted)
  end
  if not wanted then
    return nil, err
  end
  for _, row in ipairs(NUMBERS) do
    local name = row[1]:gsub("-", "_")
    wanted[name] = wanted[name] or given[name]
  end
  return require("flexhooks.simulator").serve(wanted, function(simulator)
    io.stdout:write("listening on ", simulator.url, "\n")
    io.stdout:flush()
  end)
end

return M
