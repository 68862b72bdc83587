-- Starts rude_server.lua and tells what it was asked.
--
--   local server = rude.start()
--   server.url .. "/hang"       the path says how it misbehaves
--   server:requests()           list of { connection, method, target, size,
--                               authorization } since the last `forget`
--   server:ended()              how many connections "late" has ended
--   server:forget()
local process = require "spec.support.process"

local M = {}

local Server = { __name = "rude.server" }
Server.__index = Server

function M.start()
  local port = process.port()
  local child = process.spawn { process.lua, "spec/support/rude_server.lua",
    port }
  child:wait_port(port)
  return setmetatable({ child = child, port = port, seen = 0,
    url = "http://127.0.0.1:" .. port }, Server)
end

local function read(server)
  local list = {}
  for line in server.child:stdout():gmatch "([^\n]*)\n" do
    local connection, method, target, size, authorization =
      line:match "^(%d+)\t(%S+)\t(%S+)\t(%d+)\t(.*)$"
    list[#list + 1] = method and { connection = tonumber(connection),
      method = method, target = target, size = tonumber(size),
      authorization = authorization }
  end
  return list
end

function Server:requests()
  local list = read(self)
  for _ = 1, self.seen do
    table.remove(list, 1)
  end
  return list
end

function Server:ended()
  local _, count = self.child:stdout():gsub("ended\n", "")
  return count
end

function Server:forget()
  self.seen = #read(self)
end

return M
