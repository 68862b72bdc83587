-- A real nginx for specs: unprivileged, in a temporary folder, on a free port.
--
--   local server = nginx.start { http = "…", server = "…", main = "…" }
--   server.port                    where it listens on 127.0.0.1
--   server:reload()                HUP to the master
--   server:workers() -> pids
--   server:launch()                starts it again where it was killed
--   server:log() -> text           its error log
--   server:stop()
--   nginx.version() -> text        that can be compared: "1.022.001"
--
-- `main`, `http` and `server` are configuration put into those blocks;
-- `workers` is their number. $PORT in a text is the port. Which nginx it is,
-- tools/nginx decides: Debian's, unless FLEXHOOKS_NGINX names another.
local process = require "spec.support.process"

local M = {}

local CONFIG = [[
daemon off;
pid nginx.pid;
error_log error.log %s;
worker_processes %d;
worker_shutdown_timeout 20s;
%s
events { worker_connections 2048; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  lua_package_path "%s/?.lua;%s/lua/?.lua;%s/lua/?/init.lua;;";
  lua_package_cpath "%s/?.so;;";
  %s
  server {
    listen 127.0.0.1:$PORT;
    %s
  }
}
]]

--- The version of nginx as text that can be compared: "1.022.001".
---@return string
function M.version()
  local _, _, told = process.run { "tools/nginx", "-v" }
  local version = assert(told:match "/(%d+%.%d+%.%d+)", told)
  return (version:gsub("%.(%d+)", function(digits)
    return (".%03d"):format(tonumber(digits))
  end))
end

-- nginx's Lua is LuaJIT, whatever runs this spec.
function M.modules()
  return process.top .. "/" .. (os.getenv "BUILD" or "build") .. "/luajit"
end

local Server = { __name = "nginx" }
Server.__index = Server

local function configuration(self, options)
  local text = CONFIG:format(options.log_level or "warn",
    options.workers or 1, options.main or "", self.dir, process.top,
    process.top, M.modules(), options.http or "", options.server or "")
  return (text:gsub("%$PORT", tostring(self.port)))
end

--- Starts nginx and waits until it listens and heeds signals, which is before
-- it has workers.
---@param options { main: string?, http: string?, server: string?,
---  workers: integer?, files: table<string, string>?, env: table? }
function M.start(options)
  local self = setmetatable({ dir = process.folder(), port = process.port() },
    Server)
  for name, text in pairs(options.files or {}) do
    process.write(self.dir .. "/" .. name, text)
  end
  process.write(self.dir .. "/nginx.conf", configuration(self, options))
  self.env = options.env
  self:launch()
  self.child:wait_port(self.port)
  process.eventually(function()
    return #self:workers() > 0
  end, nil, "workers of nginx")
  return self
end

--- Starts nginx with its files as they are; again where it was killed.
function Server:launch()
  self.child = process.spawn({ "tools/nginx", "-p", self.dir, "-e",
    "error.log", "-c", "nginx.conf" }, { env = self.env })
end

function Server:log()
  return process.read(self.dir .. "/error.log")
end

function Server:reload()
  self.child:kill "HUP"
end

--- Process ids of the workers that are alive now.
function Server:workers()
  local pids = {}
  local list = process.read(("/proc/%d/task/%d/children"):format(
    self.child.pid, self.child.pid))
  for pid in list:gmatch "%d+" do
    pids[#pids + 1] = tonumber(pid)
  end
  return pids
end

function Server:stop()
  return self.child:stop "QUIT"
end

return M
