-- A Redis of the spec's own: free port, append-only file in a folder that goes
-- with it. `settings` are further lines of its configuration.
--
--   local server = redis.start()
--   server.port   server.process   server:cli("GET", "x") -> first line
--   server:stop("KILL")   server:start()          with the same files
local process = require "spec.support.process"

local M = {}

local Server = { __name = "redis" }
Server.__index = Server

local CONFIG = [[
bind 127.0.0.1
port %d
dir %s
appendonly yes
appendfsync always
save ""
maxmemory-policy noeviction
enable-debug-command yes
]]

function Server:start()
  self.process = process.spawn { "redis-server", self.config }
  self.process:wait_port(self.port)
  process.eventually(function()
    return self:cli("PING") == "PONG"
  end)
end

function Server:cli(...)
  local _, out = process.run({ "redis-cli", "-p", self.port, ... })
  return (out:gsub("\n$", ""))
end

function Server:stop(signal)
  self.process:kill(signal or "TERM")
  self.process:wait()
end

function Server:url(query)
  return ("redis://127.0.0.1:%d/0%s"):format(self.port,
    query and "?" .. query or "")
end

function M.start(settings)
  local self = setmetatable({ port = process.port(),
    folder = process.folder() }, Server)
  self.config = process.write(self.folder .. "/redis.conf",
    CONFIG:format(self.port, self.folder) .. (settings or ""))
  self:start()
  return self
end

return M
