-- The command at a terminal, as a person sits at one.
--
--   local session = terminal.spawn({ "apply", file }, env, { columns = 40 })
--   session.child:wait_output "yes' is accepted"
--   session:type "yes\n"          "\3" is Ctrl-C
--   local status, screen = session:wait()
local command = require "spec.support.command"
local process = require "spec.support.process"

local M = {}

local Session = {}
Session.__index = Session

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local SCRIPT = [[
stty cols "$1" </dev/tty; shift
exec "$@"]]

--- Starts the command, or with `options.words` any program.
function M.spawn(arguments, env, options)
  options = options or {}
  local words = { "sh", "-c", SCRIPT, "sh", tostring(options.columns or 80) }
  for _, word in ipairs(options.words
    or { process.top .. "/bin/flexhooks" }) do
    words[#words + 1] = word
  end
  for _, word in ipairs(arguments) do
    words[#words + 1] = word
  end
  for i, word in ipairs(words) do
    words[i] = quote(word)
  end
  local keyboard = process.folder() .. "/keys"
  os.execute("mkfifo " .. quote(keyboard))
  local child = process.spawn({ "sh", "-c",
    'exec script -qefc "exec $1" /dev/null <"$2"', "sh",
    table.concat(words, " "),
    keyboard }, { env = command.environment(env) })
  local keys = assert(io.open(keyboard, "w"))
  keys:setvbuf "no"
  return setmetatable({ child = child, keys = keys }, Session)
end

function Session:type(text)
  assert(self.keys:write(text))
end

---@return integer status, string screen without carriage returns
function Session:wait(timeout)
  local status = self.child:wait(timeout)
  self.keys:close()
  return status, (self.child:stdout():gsub("\r", ""))
end

return M
