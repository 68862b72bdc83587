-- A server in a process of its own that answers with scripted bytes, whatever
-- they are, for specs of the client against servers that misbehave.
--
--   local server = scripted.start { "HTTP/1.1 200 OK\r\n…", … }
--   server.url                    "http://127.0.0.1:PORT"
--   server:requests()             list of { method, target, headers, body },
-- as
--                                 they came; `headers` in lower case
--   server:connections()          how many were accepted
--
-- An answer is text, or { bytes =, after = "close" | "reset" | "hang", eager =
-- true }: what to do once the bytes are out (the default keeps the
-- connection), and whether to send them before anything was asked. @now-5@ in
-- it is the date five seconds before it is sent. Connections are served one at
-- a time; the last answer is repeated.
local json = require "cjson"
local process = require "spec.support.process"

local M = {}

local Server = {}
Server.__index = Server

local PROGRAM = [[
local json, socket = require "cjson", require "socket"
local script = json.decode(io.read "*a")
local listener = assert(socket.bind("127.0.0.1", 0))
io.stdout:setvbuf "line"
print(json.encode { port = select(2, listener:getsockname()) })

local function read(peer)
  local lines = {}
  repeat
    local line = peer:receive "*l"
    if not line then
      return nil
    end
    lines[#lines + 1] = line
  until line == ""
  local request = { headers = {}, body = "" }
  request.method, request.target = lines[1]:match "^(%S+) (%S+)"
  for i = 2, #lines - 1 do
    local name, value = lines[i]:match "^([^:]+): ?(.*)$"
    request.headers[name:lower()] = value
  end
  local size = tonumber(request.headers["content-length"] or 0)
  request.body = size > 0 and peer:receive(size) or ""
  return request
end

local count = 0

local function date(offset)
  return os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + offset)
end

-- Answers one request; true where the connection goes on.
local function serve(peer)
  local answer = script[count + 1] or script[#script]
  if not answer.eager then
    local request = read(peer)
    if not request then
      return false
    end
    print(json.encode(request))
  end
  count = count + 1
  peer:send((answer.bytes:gsub("@now([+-]%d+)@", date)))
  if answer.after == "reset" then
    peer:setoption("linger", { on = true, timeout = 0 })
  elseif answer.after == "hang" then
    peer:receive "*l"
  end
  return not answer.after
end

while true do
  local peer = listener:accept()
  print(json.encode { connection = true })
  peer:settimeout(20)
  while serve(peer) do end
  peer:close()
end
]]

--- Starts a server.
function M.start(script)
  local answers = {}
  for i, answer in ipairs(script) do
    answers[i] = type(answer) == "table" and answer or { bytes = answer }
  end
  local child = process.spawn({ process.lua, "-e", PROGRAM },
    { stdin = json.encode(answers) })
  child:wait_output "port"
  local port = json.decode(child:stdout():match "^[^\n]+").port
  return setmetatable({ child = child, port = port,
    url = "http://127.0.0.1:" .. port }, Server)
end

local function lines(self, wanted)
  local list = {}
  for line in self.child:stdout():gmatch "[^\n]+" do
    local entry = json.decode(line)
    if entry[wanted] then
      list[#list + 1] = entry
    end
  end
  return list
end

function Server:requests()
  return lines(self, "method")
end

function Server:connections()
  return #lines(self, "connection")
end

--- A well-formed answer.
function M.answer(status, body, headers)
  local text = { "HTTP/1.1 " .. status .. " Status" }
  body = body and (type(body) == "table" and json.encode(body) or body) or ""
  text[#text + 1] = "Content-Length: " .. #body
  for name, value in pairs(headers or {}) do
    text[#text + 1] = name .. ": " .. value
  end
  return table.concat(text, "\r\n") .. "\r\n\r\n" .. body
end

return M
