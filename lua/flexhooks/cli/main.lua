--- The command: finds the subcommand, runs it, makes a status of its outcome.
--
-- Each subcommand is a module `flexhooks.cli.NAME` with `summary`, `example`,
-- `configure(parser)` and `run(arguments, whole_parser)`, which returns true,
-- or nil and an error, or raises. Exit 0 done, 1 failed, 2 misused.
-- @module flexhooks.cli.main

local hints = require "flexhooks.cli.hints"
local argparse = require "argparse"
local errors = require "flexhooks.error"
local output = require "flexhooks.cli.output"
local webhook_url = require "flexhooks.url.webhook"

local M = {}

-- In the order that the help lists them.
local COMMANDS = { "webhooks", "plan", "apply", "export", "serve", "work",
  "queue", "trigger", "simulate", "verify", "doctor", "completion" }

local WIDTH = 79

local EPILOG = [[
Example, without an account, from nothing to a handled event:
   export TWILIO_ACCOUNT_SID=AC00000000000000000000000000000001
   export TWILIO_AUTH_TOKEN=any-token
   flexhooks simulate --port 4010 &
   export FLEXHOOKS_BASE_URL=http://127.0.0.1:4010
   export FLEXHOOKS_PUBLIC_URL=http://127.0.0.1:8080/flex/events
   flexhooks serve app.lua --port 8080 &       # serve --help shows an app.lua
   flexhooks apply --app app.lua --yes
   flexhooks doctor app.lua
   flexhooks trigger onParticipantJoined --url $FLEXHOOKS_PUBLIC_URL

Each command has its own --help, with an example. Secrets come from the
environment, from files (--auth-token-file) or, at a terminal, from you; never
from arguments. Exit status: 0 done, 1 failed, 2 misused.]]

local DONE, FAILED, MISUSED = 0, 1, 2

local function misuse(parser, message)
  io.stderr:write(parser:get_usage(), "\n\n", "flexhooks: ", message, "\n")
  os.exit(MISUSED, true)
end

--- The parser of the whole command.
---@return table
function M.parser()
  local parser = argparse("flexhooks",
    "Twilio Flex Interactions webhooks: registered, received, routed.")
    :command_target("command")
    :help_max_width(WIDTH)
    :epilog(EPILOG)
  parser.error = misuse
  parser:flag("--version", "Show the version and exit."):action(function()
    print("flexhooks " .. require("flexhooks")._VERSION)
    os.exit(DONE, true)
  end)
  for _, name in ipairs(COMMANDS) do
    local command = require("flexhooks.cli." .. name)
    local subparser = parser:command(name, command.summary)
    subparser:epilog("Example:\n   " .. command.example:gsub("\n", "\n   "))
    command.configure(subparser)
  end
  return parser
end

local FUNCTIONS = { "testing%.[%l_]+", "flexhooks%.[%l_]+", "simulator",
  "client%.[%l_]+:[%l_]+", "queue:[%l_]+" }

-- Raised messages begin with the place in the program and the function, which
-- mean nothing to whoever typed the command.
local function plain(err)
  local text = tostring(err):gsub("^(%a+: )[^%s:]+%.lua:%d+: ", "%1")
  for _, name in ipairs(FUNCTIONS) do
    text = text:gsub("^(%a+: )" .. name .. ": ", "%1")
  end
  return webhook_url.shown(text)
end

local function on_raise(err)
  if errors.is(err) then
    return err
  elseif tostring(err):find "interrupted!$" then
    -- The interpreter's own answer to Ctrl-C.
    return errors.new("cancelled", "interrupted")
  end
  return debug.traceback(tostring(err), 2)
end

-- All that is wrong with a file, where it is more than the message says.
local function list(complaints)
  for i = 2, type(complaints) == "table" and #complaints or 0 do
    local text = webhook_url.shown(tostring(complaints[i]))
    io.stderr:write("  ", (text:gsub("%c", "?")), "\n")
  end
end

local function report(err)
  io.stderr:write("flexhooks: ", plain(err), "\n")
  if errors.is(err) and err.kind == "argument" then
    list(err.details)
  end
  local what_to_do = errors.is(err) and hints.of(err)
  if what_to_do then
    io.stderr:write("  ", what_to_do, "\n")
  end
end

-- A wrong option of the program's own is what the arguments asked for.
local function is_misuse(err)
  return errors.is(err) and (err.kind == "argument" or err.kind == "config")
end

-- What was printed has to have arrived: a full disk is a failure.
local function printed()
  local ok, why = output.flush()
  if ok then
    return DONE
  end
  report(errors.new("config", "cannot write to standard output: " .. why))
  return FAILED
end

--- Runs the command.
---@param arguments string[]
---@return integer status for the shell
function M.main(arguments)
  local parser = M.parser()
  local given = parser:parse(arguments)
  local command = require("flexhooks.cli." .. given.command)
  local returned, done, err = xpcall(function()
    return command.run(given, parser)
  end, on_raise)
  if not returned then
    report(done)
    return is_misuse(done) and MISUSED or FAILED
  elseif done then
    return printed()
  end
  if err then
    report(err)
  end
  return is_misuse(err) and MISUSED or FAILED
end

return M
