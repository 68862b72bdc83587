-- Processes, folders and ports for specs. What a spec file started is stopped
-- and removed when the file ends (spec/helper.lua), whatever happened in it.
--
--   local child = process.spawn({ process.lua, "a.lua" }, { env = {} })
--   child:wait_port(port)          until it listens; raises if it ended before
--   child:wait_output("ready")     until its output matches a pattern
--   child:kill "TERM"              sends a signal
--   child:wait(5) -> status        exit status; 128 + n after signal n
--   child:stop() -> status         TERM, then KILL after 20 seconds
--   child:stdout() child:stderr()  what it has written so far
--   process.run({ "ls", "-l" }, options) -> status, stdout, stderr
--   process.folder() -> path       a new, empty one
--   process.port() -> number       one that nobody listens on
local lfs = require "lfs"
local system = require "system"

local M = {}

-- The interpreter that runs this spec, by its name on PATH: children of a spec
-- use the same.
local first = 0
while arg[first - 1] do
  first = first - 1
end
M.lua = arg[first]:match "[^/]+$"

-- The checkout.
M.top = lfs.currentdir()

local function quote(text)
  return "'" .. tostring(text):gsub("'", "'\\''") .. "'"
end

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read "*a" or ""
  if file then
    file:close()
  end
  return text
end

--- Writes `text` to a file and returns the path.
function M.write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

M.read = read

-- The first line that a shell command prints.
local function shell(command)
  local pipe = assert(io.popen(command))
  local line = pipe:read "*l"
  pipe:close()
  return line
end

-- How much longer than usual everything may take.
local PATIENCE = tonumber(os.getenv "FLEXHOOKS_TEST_PATIENCE") or 1
M.PATIENCE = PATIENCE

-- Seconds that nothing takes longer than, on a slow machine that is busy.
local LONG = 30

--- Calls f until it returns something true, and returns that; raises after
-- `timeout` seconds (30 where absent), saying what was awaited. `sleep` waits
-- between two calls; without it the whole process does.
function M.eventually(f, timeout, what, sleep)
  local deadline = system.monotime() + (timeout or LONG) * PATIENCE
  repeat
    local value = f()
    if value then
      return value
    end
    (sleep or system.sleep)(0.01)
  until system.monotime() > deadline
  error(("no %s within %g s"):format(what or "result", timeout or LONG),
    2)
end

local folders, children = {}, {}

function M.folder()
  local path = shell 'mktemp -d "${TMPDIR:-/tmp}/flexhooks.XXXXXX"'
  folders[#folders + 1] = path
  return path
end

-- Local ports in LISTEN (state 0A) or held otherwise, from /proc/net/tcp.
local function ports_in_use(listening)
  local used = {}
  for _, path in ipairs { "/proc/net/tcp", "/proc/net/tcp6" } do
    for port, state in read(path):gmatch ":(%x%x%x%x) %x+:%x+ (%x%x)" do
      if state == "0A" or not listening then
        used[tonumber(port, 16)] = true
      end
    end
  end
  return used
end

--- Does anybody listen on the port?
function M.listening(port)
  return ports_in_use(true)[port] or false
end

-- LuaJIT starts every process with the same sequence of random numbers.
local function seed()
  local file = assert(io.open("/dev/urandom", "rb"))
  local a, b, c = file:read(3):byte(1, 3)
  file:close()
  math.randomseed(a * 65536 + b * 256 + c)
end

seed()

local CLAIMS = (os.getenv "TMPDIR" or "/tmp") .. "/flexhooks-ports"
lfs.mkdir(CLAIMS)

--- A port below those that the kernel gives out by itself. Specs that run at
-- the same time claim theirs with a folder, so that no two get the same.
function M.port()
  for _ = 1, 1000 do
    local port = math.random(12000, 32000)
    local claim = CLAIMS .. "/" .. port
    if not ports_in_use()[port] and lfs.mkdir(claim) then
      folders[#folders + 1] = claim
      return port
    end
  end
  error "no free port"
end

local Child = { __name = "process" }
Child.__index = Child

-- The arguments of env(1), what is unset first.
local function environment(env)
  local words = {}
  for name, value in pairs(env or {}) do
    if value then
      words[#words + 1] = quote(name .. "=" .. value)
    else
      table.insert(words, 1, "-u " .. quote(name))
    end
  end
  return table.concat(words, " ")
end

-- A shell in the background that keeps the command's exit status in a file.
-- The command's process id is printed by the process itself, once it no longer
-- ignores SIGINT, as background commands of a shell do.
local SCRIPT = [[cd %s && (
  env --default-signal=INT,QUIT %s sh -c \
    'echo $$; out=$1 err=$2; shift 2; exec "$@" >"$out" 2>"$err"' \
    sh %s/out %s/err %s <%s &
  exec >/dev/null
  wait $!; echo $? >%s/status.new; mv %s/status.new %s/status ) 2>/dev/null &]]

--- Starts a program.
---@param command string[] program and arguments
---@param options { env: table?, cwd: string?, stdin: string? }? an env value
--- of false unsets the variable
function M.spawn(command, options)
  options = options or {}
  local dir = M.folder()
  local words = {}
  for i, word in ipairs(command) do
    words[i] = quote(word)
  end
  local stdin = "/dev/null"
  if options.stdin then
    stdin = M.write(dir .. "/in", options.stdin)
  end
  local d = quote(dir)
  local pid = shell(SCRIPT:format(quote(options.cwd or M.top),
    environment(options.env), d, d, table.concat(words, " "),
    quote(stdin), d, d, d))
  local child = setmetatable({ pid = assert(tonumber(pid), "not started"),
    dir = dir, name = table.concat(command, " ") }, Child)
  children[#children + 1] = child
  return child
end

function Child:stdout()
  return read(self.dir .. "/out")
end

function Child:stderr()
  return read(self.dir .. "/err")
end

--- The exit status, or nil while it runs.
function Child:status()
  return tonumber(read(self.dir .. "/status"))
end

function Child:kill(signal)
  if not self:status() then
    os.execute(("kill -%s %d 2>/dev/null"):format(signal or "TERM", self.pid))
  end
end

local function told(child, what)
  return ("%s: %s\n%s%s"):format(child.name, what, child:stdout(),
    child:stderr())
end

--- Waits for its end; raises with its output where that takes too long.
function Child:wait(timeout)
  local ok = pcall(M.eventually, function()
    return self:status()
  end, timeout)
  return ok and self:status()
    or error(told(self, "still runs after " .. (timeout or LONG) .. " s"), 2)
end

-- Waits until `ready` returns something true; raises when the child ended or
-- time is up.
local function wait_until(child, ready, timeout, what)
  local ok, value = pcall(M.eventually, function()
    local ended = child:status()
    return ready() or ended and { ended }
  end, timeout)
  if not ok then
    error(told(child, ("no %s after %g s"):format(what, timeout or LONG)), 3)
  elseif type(value) == "table" then
    error(told(child, "ended with " .. value[1] .. " before " .. what), 3)
  end
  return value
end

function Child:wait_port(port, timeout)
  return wait_until(self, function()
    return M.listening(port)
  end, timeout, "listener on " .. port)
end

--- Waits until stdout or stderr matches a pattern; returns the match.
function Child:wait_output(pattern, timeout)
  return wait_until(self, function()
    return self:stdout():match(pattern) or self:stderr():match(pattern)
  end, timeout, "output like " .. pattern)
end

function Child:stop(signal)
  self:kill(signal)
  if not pcall(Child.wait, self, 20) then
    self:kill "KILL"
  end
  return self:wait()
end

--- Runs a program to its end (`options.timeout` seconds, 60 where absent).
---@return integer status, string stdout, string stderr
function M.run(command, options)
  local child = M.spawn(command, options)
  local status = child:wait(options and options.timeout or 60)
  return status, child:stdout(), child:stderr()
end

--- Stops what runs and removes what was made since the last call.
function M.stop_all()
  for _, child in ipairs(children) do
    if not child:status() then
      child:stop()
    end
  end
  for _, path in ipairs(folders) do
    os.execute("rm -rf " .. quote(path))
  end
  children, folders = {}, {}
end

return M
