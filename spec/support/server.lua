-- A server in a process of its own, for specs that talk to it over sockets.
--
--   local server = servers.start { app = "lines of Lua", options = {} }
--     server.port, server.admin_port, server.child
--     server:handled()          events that a handler has seen
--     server:post(event, headers)   a good request's bytes
--     server:fixture()          what spec/data/framing.lua is given
--     server:admin(path) -> status, body
-- The app's lines find its `router` and its table `app`; every event is
-- counted before it reaches a handler.
local process = require "spec.support.process"
local wire = require "spec.support.wire"

local M = {
  TOKEN = "0123456789abcdef0123456789abcdef",
  URL = "https://h.example/flex/events",
  PATH = "/flex/events",
}

local APP = [[
local flexhooks = require "flexhooks"
local router = flexhooks.router()
local count = assert(io.open(%q, "a"))
router:use(function(event, context, next)
  count:write(event.EventType, "\n")
  count:flush()
  return next()
end)
router:on("*", function() end)
local app = { router = router, auth_token = %q, public_url = %q,
  dedupe = false }
%s
return app
]]

local MAIN = [[
local flexhooks = require "flexhooks"
local options = %s
options.on_ready = function(server)
  print(("ready %%d %%d"):format(server.port, server.admin_port or 0))
  io.stdout:flush()
end
local ok, err = flexhooks.serve(options)
print(ok, err)
os.exit(ok and 0 or 1, true)
]]

local Server = {}
Server.__index = Server

-- A Lua literal of numbers, strings, booleans and tables of them.
local function literal(value)
  if type(value) ~= "table" then
    return type(value) == "string" and ("%q"):format(value) or tostring(value)
  end
  local parts = {}
  for k, v in pairs(value) do
    parts[#parts + 1] = ("[%s] = %s"):format(literal(k), literal(v))
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

--- Starts a server and waits until it listens.
---@param given { app: string?, options: table?, env: table?, shell: string? }?
--- `app`: lines of Lua; `shell`: a script that runs `"$@"`, the server
function M.start(given)
  given = given or {}
  local dir = process.folder()
  local self = setmetatable({ log = dir .. "/handled" }, Server)
  local options = { app = dir .. "/app.lua", port = 0, admin = "127.0.0.1:0",
    grace = 5 }
  for name, value in pairs(given.options or {}) do
    options[name] = value
  end
  process.write(dir .. "/app.lua", APP:format(self.log, M.TOKEN, M.URL,
    given.app or ""))
  local main = process.write(dir .. "/main.lua", MAIN:format(literal(options)))
  local command = { process.lua, main }
  if given.shell then
    command = { "sh", "-c", given.shell, "sh", process.lua, main }
  end
  self.child = process.spawn(command, { env = given.env })
  local port, admin = self.child:wait_output "ready %d+ %d+"
    :match "(%d+) (%d+)"
  self.port, self.admin_port = tonumber(port), tonumber(admin)
  return self
end

function Server:handled()
  return select(2, process.read(self.log):gsub("\n", ""))
end

--- The bytes of one signed request.
function Server:post(event, headers, body)
  local testing = require "flexhooks.testing" -- the product goes with the file
  local signed = testing.request(event or testing.event "onChannelCreated",
    { auth_token = M.TOKEN, url = M.URL })
  local all = {}
  for name, value in pairs(signed.headers) do
    all[name] = value
  end
  all["Content-Length"], all["content-length"] = nil, nil
  for name, value in pairs(headers or {}) do
    all[name] = value
  end
  return wire.request(signed.method, M.PATH, all,
    body or signed.body), signed.body
end

function Server:fixture()
  local event = require("flexhooks.testing").event "onChannelCreated"
  local f = { path = M.PATH, request = wire.request }
  f.good, f.body = self:post(event)
  function f.post(headers, body)
    return (self:post(event, headers, body))
  end
  function f.to(target, body)
    return (self:post(event, nil, body):gsub("^%S+ %S+", function()
      return "POST " .. target
    end))
  end
  return f
end

--- GET on the administrative address.
function Server:admin(path, method)
  local result = wire.send(self.admin_port,
    wire.request(method or "GET", path), { wait = 20, expect = 1 })
  local answer = assert(result.answers[1], "no answer from " .. path)
  return answer.status, answer.body, answer.headers
end

--- The value of one metric.
function Server:metric(name)
  local _, text = self:admin "/metrics"
  return tonumber(("\n" .. text):match("\n" .. name:gsub("%p", "%%%0")
    .. " (%S+)"))
end

return M
