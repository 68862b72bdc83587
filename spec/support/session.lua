-- A page's ```sh blocks as one session of a shell, run as they are printed.
--
--   local status, out, err = session.run("docs/command.md", { env = {} })
--
-- Lua blocks that begin with "-- name.lua" are files in its folder. Ports are
-- exchanged for free ones; what goes to the background with --port is waited
-- for, and ends with the session.
local command = require "spec.support.command"
local process = require "spec.support.process"

local M = {}

-- Waits until a background command listens on its port, at most 30 seconds.
local AWAIT = [[
await() {
  for _ in {1..%d}; do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
    sleep 0.05
  done
  echo "nothing listens on port $1 after 30 s" >&2
  exit 1
}]]

local function blocks(text, language)
  local list = {}
  for block in text:gmatch("```" .. language .. "\n(.-)```") do
    list[#list + 1] = block
  end
  return list
end

local function write_files(text, folder)
  for _, block in ipairs(blocks(text, "lua")) do
    local name = block:match "^%-%- ([%w_]+%.lua)\n"
    if name then
      process.write(folder .. "/" .. name, block)
    end
  end
end

local function script_of(text, wanted)
  local ports, lines = {}, { "set -eo pipefail",
    "trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT",
    AWAIT:format(600 * process.PATIENCE) }
  local chosen = {}
  for _, block in ipairs(blocks(text, "sh")) do
    if not wanted or block:find(wanted) then
      chosen[#chosen + 1] = block
    end
  end
  local whole = table.concat(chosen, "\n"):gsub("%f[%w]lua5%.4%f[^%w]",
    process.lua)
  whole = whole:gsub("%f[%d][48]0[18]0%f[%D]", function(port)
    ports[port] = ports[port] or tostring(process.port())
    return ports[port]
  end)
  for line in (whole .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
    local port = (line .. " "):match "%-%-port (%d+).* & *#?"
    if port then
      lines[#lines + 1] = "await " .. port
    end
  end
  return table.concat(lines, "\n")
end

--- Runs a page.
---@param path string
---@param given { env: table?, match: string? }? `match`: a pattern of the
--- blocks to run
---@return integer status, string stdout, string stderr, string folder
function M.run(path, given)
  given = given or {}
  local text, folder = process.read(path), process.folder()
  write_files(text, folder)
  local env = command.environment(given.env)
  env.PATH = process.top .. "/bin:" .. os.getenv "PATH"
  for _, name in ipairs { "FLEXHOOKS_BASE_URL", "FLEXHOOKS_PUBLIC_URL",
    "FLEXHOOKS_QUEUE", "FLEX_INSTANCE_SID" } do
    env[name] = env[name] or false
  end
  local script = script_of(text, given.match)
  local status, out, err = process.run({ "bash", "-c", script },
    { env = env, cwd = folder, timeout = 300 })
  return status, out, err, folder
end

return M
