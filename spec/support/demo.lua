-- A demo in a process of its own, and what it has started.
--
--   local demo = demos.spawn("examples/redis/run", folder, { DEMO_X = "1" })
--   demos.kill(folder, "serve")    kills -9 its `flexhooks serve`, all of them
--   demos.assert_gone(folder)      fails if a process or a file is left
local process = require "spec.support.process"

local M = {}

function M.spawn(script, folder, env, ...)
  local all = { LUA = process.lua, TMPDIR = folder }
  for name, value in pairs(env or {}) do
    all[name] = value
  end
  return process.spawn({ script, ... }, { env = all })
end

local function lines_of(command)
  local pipe = assert(io.popen(command))
  local list = {}
  for line in pipe:lines() do
    list[#list + 1] = line
  end
  pipe:close()
  return list
end

-- Returns the process ids of a demo, known by the folder it was given.
local function processes_of(folder)
  return lines_of("grep -lsa 'TMPDIR=" .. folder
    .. "' /proc/[0-9]*/environ | cut -d/ -f3")
end

function M.kill(folder, subcommand)
  local count = 0
  for _, id in ipairs(processes_of(folder)) do
    local command = process.read("/proc/" .. id .. "/cmdline")
    if command:find("\0" .. subcommand .. "\0", 1, true) then
      count = count + 1
      os.execute("kill -KILL " .. id)
    end
  end
  assert(count > 0, "no flexhooks " .. subcommand .. " is running")
end

function M.assert_gone(folder)
  assert(#processes_of(folder) == 0, "processes are left")
  assert(#lines_of("ls " .. folder) == 0, "files are left in " .. folder)
end

return M
