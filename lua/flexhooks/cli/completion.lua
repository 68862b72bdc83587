--- flexhooks completion: what a shell needs to complete the command.
-- @module flexhooks.cli.completion

local events = require "flexhooks.events"
local output = require "flexhooks.cli.output"

local M = {}

M.summary = "Print what bash or zsh needs to complete this command."
M.example = [[
source <(flexhooks completion bash)
flexhooks completion zsh >~/.zsh/completions/_flexhooks]]

--- Adds the command's arguments to its parser.
function M.configure(parser)
  parser:argument("shell", "The shell."):choices({ "bash", "zsh" })
end

-- Names of events are offered wherever one is taken; others are taken too, so
-- only here they are choices.
local function offer_events(parser)
  for _, list in ipairs { parser._arguments, parser._options } do
    for _, element in ipairs(list) do
      local name = element._name or ""
      if name == "event" or name == "--event" or name == "--type"
        and not element._choices then
        element:choices(events.names())
      end
    end
  end
  for _, command in ipairs(parser._commands) do
    offer_events(command)
  end
end

-- argparse's text for bash knows the choices of options alone; these lines add
-- those of a command's first argument.
local FIRST_ARGUMENT = [=[
        %s)
            if [[ "$prev" = "%s" ]]; then
                COMPREPLY=($(compgen -W "%s" -- "$cur"))
            fi
            ;;
]=]

local DASHES = '    if [[ "$cur" = -* ]]; then'

local function bash_text(parser)
  local cases = {}
  for _, command in ipairs(parser._commands) do
    local first = command._arguments[1]
    if first and first._choices then
      cases[#cases + 1] = FIRST_ARGUMENT:format(command._name, command._name,
        table.concat(first._choices, " "))
    end
  end
  local lines = '    case "$cmd" in\n' .. table.concat(cases) .. "    esac\n\n"
  local text = parser:get_bash_complete()
  local place = assert(text:find(DASHES, 1, true))
  return text:sub(1, place - 1) .. lines .. text:sub(place)
end

--- The text for a shell.
---@param parser table of the whole command
---@param shell "bash"|"zsh"
---@return string
function M.text(parser, shell)
  offer_events(parser)
  return shell == "bash" and bash_text(parser) or parser:get_zsh_complete()
end

--- Runs the command.
---@param given table the parsed arguments
---@param parser table of the whole command
---@return true done
function M.run(given, parser)
  output.write(M.text(parser, given.shell))
  return true
end

return M
