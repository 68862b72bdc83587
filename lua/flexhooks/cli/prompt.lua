--- Questions to a person at the terminal.
--
-- A shell does the reading: Ctrl-C ends it at once, where a read of Lua's own
-- would go on to the end of the line, and its trap gives the terminal back as
-- it was.
-- @module flexhooks.cli.prompt

local errors = require "flexhooks.error"
local output = require "flexhooks.cli.output"

local M = {}

local LINE = [[
printf '%%s' %s >/dev/tty
IFS= read -r answer </dev/tty && printf '%%s' "$answer"]]

local SECRET = [[
state=$(stty -g </dev/tty) || exit
trap 'stty "$state" </dev/tty; echo >/dev/tty' EXIT
trap 'exit 130' HUP INT TERM
stty -echo </dev/tty
]] .. LINE

--- Text as one word of a shell's command.
---@param text string
---@return string
function M.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- Can somebody be asked?
---@return boolean
function M.possible()
  return output.is_terminal(io.stdin)
end

local function run(script, question)
  local pipe = io.popen(script:format(M.quote(question)))
  local answer = pipe and pipe:read("*a") or ""
  if pipe then
    pipe:close()
  end
  if answer == "" then
    return nil, errors.new("cancelled", "no answer was given")
  end
  return answer
end

--- Asks for a line.
---@param question string
---@return string? answer never empty
---@return flexhooks.Error? err kind `cancelled`
function M.line(question)
  return run(LINE, question)
end

--- Asks for a line that is not shown.
---@param question string
---@return string? answer never empty
---@return flexhooks.Error? err kind `cancelled`
function M.secret(question)
  return run(SECRET, question)
end

return M
