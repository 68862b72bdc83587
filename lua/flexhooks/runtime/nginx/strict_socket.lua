--- A socket of nginx that reads only what HTTP/1 allows.
--
-- lua-resty-http takes its peer's word: heads have no limit, a chunk may end
-- in anything, trailers are left on the connection. So it is given this in
-- place of its socket. A guard reads ahead into a buffer of its own, checks
-- heads and chunks, and hands out only the lines that tell where a body ends.
-- What it met with is kept as `failure`, since the library passes on words.
-- @module flexhooks.runtime.nginx.strict_socket

local response_head = require "flexhooks.runtime.nginx.response_head"
local socket_errors = require "flexhooks.runtime.nginx.socket_errors"

local M = {}

local PIECE = 16384 -- bytes read at once
local CHUNK_LINE = 4096 -- bytes of a chunk's size with its extensions
local CHUNK_DIGITS = 13 -- more than that no number holds exactly

---@class flexhooks.nginx.Guard
---@field stage string "connect", "tls" or "io"
---@field sent boolean bytes of the request may have left
---@field head flexhooks.nginx.Head? of the answer
---@field failure table? `kind`, `message`
local Guard = { __name = "flexhooks.runtime.nginx.strict_socket" }
Guard.__index = Guard

--- Puts a guard in front of a cosocket.
---@param socket table
---@return flexhooks.nginx.Guard
function M.new(socket)
  return setmetatable({ socket = socket, stage = "connect", buffer = "",
    sent = false, requesting = false, answered = false }, Guard)
end

-- lua-resty-core raises instead of telling why where a handshake that fails is
-- over at once.
local LOST_REASON = "the peer's certificate or its handshake was refused"

local function fail(guard, kind, message)
  guard.failure = guard.failure or { kind = kind, message = message }
  return nil, message
end

-- --- the connection ------------------------------------------------------

--- As a cosocket's.
function Guard:connect(...)
  local ok, err = self.socket:connect(...)
  if not ok then
    return fail(self, socket_errors.connecting(err))
  end
  return ok
end

--- As a cosocket's; what it raises is a failure.
function Guard:sslhandshake(...)
  if self.buffer ~= "" then
    return fail(self, "connect", "the proxy answered more than it was asked")
  end
  self.stage = "tls"
  local ok, session, err = pcall(self.socket.sslhandshake, self.socket, ...)
  if not ok then
    return fail(self, socket_errors.handshake(LOST_REASON))
  elseif not session then
    return fail(self, socket_errors.handshake(err))
  end
  return session
end

--- As a cosocket's.
function Guard:getreusedtimes()
  return self.socket:getreusedtimes()
end

--- As a cosocket's.
function Guard:close()
  return self.socket:close()
end

--- Keeps the connection, unless its peer sent more than one answer.
function Guard:setkeepalive(...)
  if self.buffer ~= "" or self.failure then
    self.socket:close()
    return nil, "unread data in the buffer"
  end
  return self.socket:setkeepalive(...)
end

--- From now on what is sent is the request itself.
function Guard:begin()
  self.stage, self.requesting, self.head = "io", true, nil
end

--- As a cosocket's. What comes next is another answer.
function Guard:send(data)
  self.sent = self.sent or self.requesting
  self.head, self.lines = nil, nil
  local bytes, err = self.socket:send(data)
  if not bytes then
    return fail(self, socket_errors.sending(err))
  end
  return bytes
end

-- --- reading -------------------------------------------------------------

-- More into the buffer; nil and "closed" where the peer has ended.
local function fill(guard)
  local bytes, err = guard.socket:receiveany(PIECE)
  if bytes then
    guard.answered = true
    guard.buffer = guard.buffer .. bytes
    return true
  elseif err ~= "closed" then
    return fail(guard, socket_errors.receiving(err))
  end
  return nil, err
end

local function ended_early(guard)
  if guard.answered then
    return fail(guard, "protocol", "the answer ended early")
  end
  return fail(guard, "reset", "the connection was closed without an answer")
end

local function read_line(guard, most)
  while true do
    local at = guard.buffer:find("\n", 1, true)
    if at and at <= most then
      local line = guard.buffer:sub(1, at - 1)
      guard.buffer = guard.buffer:sub(at + 1)
      return line
    elseif #guard.buffer > most then
      return fail(guard, "too_large", "the answer is larger than allowed")
    end
    local ok, err = fill(guard)
    if not ok then
      return nil, err == "closed" and select(2, ended_early(guard)) or err
    end
  end
end

-- A head is read whole before the library sees its first line.
local function read_head(guard)
  local head = response_head.new()
  repeat
    local line, err = read_line(guard, response_head.MAX_BYTES)
    if not line then
      return nil, err
    end
    local whole, kind, message = head:add(line)
    if whole == nil then
      return fail(guard, kind, message)
    end
  until whole
  guard.head, guard.left, guard.size = head, 0, nil
  guard.lines = { "HTTP/" .. head.version .. " " .. head.status .. " -" }
  for _, name in ipairs { "connection", "content-length",
    "transfer-encoding" } do
    if head.headers[name] then
      table.insert(guard.lines, name .. ": " .. (name == "content-length"
        and head.length or head.headers[name]))
    end
  end
  table.insert(guard.lines, "")
  return true
end

local function chunk_size(guard)
  local line, err = read_line(guard, CHUNK_LINE)
  if not line then
    return nil, err
  end
  local digits = line:match "^0*(%x*)[ \t]*\r?$"
    or line:match "^0*(%x*)[ \t]*;[^%c]*\r?$"
  if not digits or not line:find "^%x" or #digits > CHUNK_DIGITS then
    return fail(guard, "protocol", "a chunk of the answer has no right size")
  end
  guard.size = tonumber(digits, 16) or 0
  guard.left = guard.size
  return digits == "" and "0" or digits
end

local function next_line(guard)
  if guard.head and not guard.lines then
    return chunk_size(guard)
  elseif not guard.head then
    local ok, err = read_head(guard)
    if not ok then
      return nil, err
    end
  end
  local line = table.remove(guard.lines, 1)
  if line == "" then
    guard.lines = nil
  end
  return line
end

-- `size` bytes; at the end of a body that only its connection ends, what is
-- left of them.
local function take(guard, size)
  while #guard.buffer < size do
    local ok, err = fill(guard)
    if not ok then
      if err == "closed" and not guard.head.length
        and not guard.head.encoded then
        local rest = guard.buffer
        guard.buffer = ""
        return nil, "closed", rest
      end
      return nil, err == "closed" and select(2, ended_early(guard)) or err
    end
  end
  local bytes = guard.buffer:sub(1, size)
  guard.buffer = guard.buffer:sub(size + 1)
  return bytes
end

-- The lines after the last chunk are read, checked for their size and dropped.
local function read_trailers(guard)
  local bytes, count = 0, 0
  repeat
    local line, err = read_line(guard, response_head.MAX_BYTES)
    if not line then
      return nil, err
    end
    bytes, count = bytes + #line, count + 1
    if bytes > response_head.MAX_BYTES or count > response_head.MAX_LINES then
      return fail(guard, "too_large", "the answer is larger than allowed")
    end
  until line:find "^\r?$"
  return "\r\n"
end

local function end_of_chunk(guard)
  if guard.size == 0 then
    return read_trailers(guard)
  end
  local bytes, err = take(guard, 2)
  if bytes and bytes ~= "\r\n" then
    return fail(guard, "protocol", "a chunk of the answer has no end")
  end
  return bytes, err
end

--- As a cosocket's, for what lua-resty-http asks: "*l" or a number of bytes.
---@param what string|integer
function Guard:receive(what)
  if self.failure then
    return nil, self.failure.message
  elseif what == "*l" then
    return next_line(self)
  elseif not self.head.encoded then
    return take(self, what)
  elseif self.left == 0 then
    return end_of_chunk(self)
  end
  local bytes, err = take(self, what)
  self.left = self.left - (bytes and #bytes or 0)
  return bytes, err
end

return M
