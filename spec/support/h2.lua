-- A server of HTTP/2 over TLS that does as it is told, request by request, to
-- one peer after the other:
--
--   local server = h2.start(tls, { "goaway", "answer" })
--   server.url                 tls.ca is to be trusted
--   server:requests()          list of { connection, stream }
--
-- answer   200
-- goaway   no stream was processed, and none will be
-- refuse   this stream was not processed
-- fail     this stream failed
-- die      the connection ends, and the server with it
local process = require "spec.support.process"

local unpack = table.unpack or _G.unpack

local M = {}

local Server = { __name = "h2.server" }
Server.__index = Server

local TLS = "exec openssl s_server -quiet -accept 127.0.0.1:%d -alpn h2 "
  .. "-cert %s/good.pem -key %s/good.key <%s/in >%s/out"

---@param tls table from spec.support.tls
---@param behaviours string[]
function M.start(tls, behaviours)
  local folder, port = process.folder(), process.port()
  os.execute(("mkfifo %s/in %s/out"):format(folder, folder))
  local ending = process.spawn { "sh", "-c",
    TLS:format(port, tls.dir, tls.dir, folder, folder) }
  local child = process.spawn { process.lua, "spec/support/h2_server.lua",
    folder, tostring(ending.pid), unpack(behaviours) }
  ending:wait_port(port)
  return setmetatable({ url = "https://127.0.0.1:" .. port .. "/",
    child = child }, Server)
end

function Server:requests()
  local list = {}
  for connection, stream in self.child:stdout():gmatch "(%d+)\t(%d+)\n" do
    list[#list + 1] = { tonumber(connection), tonumber(stream) }
  end
  return list
end

return M
