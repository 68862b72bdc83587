-- A proxy before a Redis, which answers commands wrongly on demand.
--
--   local proxy = redis_proxy.start(server)     a server of spec.support.redis
--   proxy:url(query)                            of a queue behind it
--   proxy:break_answers("XREAD", "+OK\r\n")     of that command, until mended;
--                                               also "store", a script's name
--   proxy:mend()
--
-- The command is sent to Redis all the same: it happens, and its answer is
-- another. As a program: redis_proxy.lua PORT REDIS_PORT CONTROL, where the
-- file CONTROL holds what to break, in a line, and the bytes to answer with.
local socket = require "socket"

-- --- the program ------------------------------------------------------------

-- Where the element at `at` of these bytes ends: a RESP 2 value, or nil while
-- some of it is missing. Returns the texts of the strings that are in it too.
local function element(bytes, at, texts)
  local stop = bytes:find("\r\n", at, true)
  if not stop then
    return nil
  end
  local kind = bytes:sub(at, at)
  local count = tonumber(bytes:sub(at + 1, stop - 1))
  local after = stop + 2
  if kind == "*" then
    for _ = 1, count do
      after = after and element(bytes, after, texts)
    end
  elseif kind == "$" and count >= 0 then
    texts[#texts + 1] = bytes:sub(after, after + count - 1)
    after = after + count + 2
    if after > #bytes + 1 then
      return nil
    end
  end
  return after
end

-- Takes whole elements off the beginning: calls f(bytes, texts) for each.
local function each_element(bytes, f)
  local at = 1
  while true do
    local texts = {}
    local after = at <= #bytes and element(bytes, at, texts)
    if not after then
      return bytes:sub(at)
    end
    f(bytes:sub(at, after - 1), texts)
    at = after
  end
end

local function broken(control, texts)
  local file = io.open(control, "rb")
  local text = file and file:read "*a" or ""
  if file then
    file:close()
  end
  local name, answer = text:match "^([^\n]*)\n(.*)$"
  if name and (texts[1]:upper() == name or texts[2] == name) then
    return answer
  end
end

local function accept(listener, port, links)
  local client, server = listener:accept(), socket.tcp()
  assert(server:connect("127.0.0.1", port))
  client:setoption("tcp-nodelay", true)
  server:setoption("tcp-nodelay", true)
  local link = { client = client, server = server, asked = "", answered = "",
    answers = {} }
  links[client], links[server] = link, link
  client:settimeout(0)
  server:settimeout(0)
end

local function receive(from)
  local bytes, why, part = from:receive(65536)
  return bytes or part, why == "closed"
end

local function send(to, bytes)
  to:settimeout(5)
  to:send(bytes)
  to:settimeout(0)
end

local function forward(link, from, control)
  local bytes, over = receive(from)
  if from == link.client then
    link.asked = each_element(link.asked .. bytes, function(one, texts)
      link.answers[#link.answers + 1] = broken(control, texts) or false
      send(link.server, one)
    end)
  else
    link.answered = each_element(link.answered .. bytes, function(one)
      send(link.client, table.remove(link.answers, 1) or one)
    end)
  end
  return over
end

local function serve(port, redis_port, control)
  local listener, links = assert(socket.bind("127.0.0.1", port)), {}
  while true do
    local list = { listener }
    for peer in pairs(links) do
      list[#list + 1] = peer
    end
    for _, ready in ipairs(socket.select(list)) do
      local link = links[ready]
      if ready == listener then
        accept(listener, redis_port, links)
      elseif link and forward(link, ready, control) then
        links[link.client], links[link.server] = nil, nil
        link.client:close()
        link.server:close()
      end
    end
  end
end

if arg and arg[0] and arg[0]:find "redis_proxy%.lua$" then
  serve(arg[1], arg[2], arg[3])
end

-- --- the module -------------------------------------------------------------

local M = {}

local Proxy = {}
Proxy.__index = Proxy

--- What EVALSHA calls a script.
function Proxy:hash_of(name)
  local scripts = require "flexhooks.queue.redis.scripts"
  return scripts[name] and self.server:cli("SCRIPT", "LOAD", scripts[name])
    or name
end

function Proxy:break_answers(name, bytes)
  self.hashes[name] = self.hashes[name] or self:hash_of(name)
  local process = require "spec.support.process"
  process.write(self.control .. ".new", self.hashes[name] .. "\n" .. bytes)
  os.rename(self.control .. ".new", self.control)
end

function Proxy:mend()
  os.remove(self.control)
end

function Proxy:url(query)
  return ("redis://127.0.0.1:%d/0%s"):format(self.port,
    query and "?" .. query or "")
end

function M.start(server)
  local process = require "spec.support.process"
  local self = setmetatable({ server = server, port = process.port(),
    control = process.folder() .. "/control", hashes = {} }, Proxy)
  self.process = process.spawn { process.lua, "spec/support/redis_proxy.lua",
    self.port, server.port, self.control }
  self.process:wait_port(self.port)
  return self
end

return M
