-- A name server for one address: localhost and what ends in ".here" are
-- 127.0.0.1, nobody answers for what ends in ".silent", and there are no other
-- names. A program: dns_server.lua PORT. It prints "ready" once it listens.
local socket = require "socket"

local function u16(number)
  return string.char(math.floor(number / 256) % 256, number % 256)
end

-- The name that a query asks for and the question's bytes.
local function question_of(query)
  local labels, at = {}, 13
  local size = query:byte(at)
  while size and size > 0 do
    labels[#labels + 1] = query:sub(at + 1, at + size)
    at = at + size + 1
    size = query:byte(at)
  end
  return table.concat(labels, "."):lower(), query:sub(13, at + 4)
end

local function answer_to(query)
  local name, question = question_of(query)
  if name:find "%.silent$" then
    return nil
  end
  local known = name == "localhost" or name:find "%.here$"
  local head = query:sub(1, 2) .. u16(known and 0x8180 or 0x8183) .. u16(1)
    .. u16(known and 1 or 0) .. u16(0) .. u16(0)
  if not known then
    return head .. question
  end
  return head .. question .. u16(0xc00c) .. u16(1) .. u16(1) .. u16(0)
    .. u16(60) .. u16(4) .. "\127\0\0\1"
end

local udp = assert(socket.udp())
assert(udp:setsockname("127.0.0.1", tonumber(arg[1])))
io.stdout:setvbuf "line"
print "ready"
while true do
  local query, host, port = udp:receivefrom()
  local answer = query and answer_to(query)
  if answer then
    udp:sendto(answer, host, port)
  end
end
