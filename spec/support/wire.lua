-- Raw bytes to a port and the answers that come back, for specs that break the
-- protocol on purpose.
--
--   local result = wire.send(port, bytes, options)
--     result.answers   list of { status, headers (lower-case names), body }
--     result.closed    the peer has closed the connection
--     result.rest      bytes after the last whole answer
--     result.seconds   from the last byte sent to the end
--   options: wait (seconds to read on where the peer does not close; 1),
--     expect (answers after which to stop reading), size (bytes per segment),
--     finish (shut our side down after sending)
local socket = require "socket"

local M = {}

-- One answer at the start of `bytes` -> answer, rest | nil
local function parse(bytes)
  local head, at = bytes:match "^(HTTP/1%.1 %d%d%d.-\r\n)\r\n()"
  if not head then
    return nil
  end
  local answer = { status = tonumber(head:match "^HTTP/1%.1 (%d+)"),
    headers = {} }
  for name, value in head:gmatch "\r\n([^:\r\n]+): ?([^\r\n]*)" do
    answer.headers[name:lower()] = value
  end
  local size = tonumber(answer.headers["content-length"] or 0)
  if answer.status == 100 then
    size = 0
  end
  if #bytes - at + 1 < size then
    return nil
  end
  answer.body = bytes:sub(at, at + size - 1)
  return answer, bytes:sub(at + size)
end

function M.parse(bytes)
  local answers = {}
  while true do
    local answer, rest = parse(bytes)
    if not answer then
      return answers, bytes
    end
    answers[#answers + 1], bytes = answer, rest
  end
end

function M.connect(port)
  local peer = assert(socket.tcp())
  peer:settimeout(5)
  assert(peer:connect("127.0.0.1", port))
  peer:setoption("tcp-nodelay", true)
  return peer
end

local function write(peer, bytes, options)
  local size = options.size or #bytes
  for i = 1, #bytes, math.max(size, 1) do
    if not peer:send(bytes:sub(i, i + size - 1)) then
      return -- closed already; what came back tells why
    end
  end
end

-- Everything that arrives until the peer closes, `wait` seconds have passed,
-- or `enough` says so.
function M.read(peer, wait, enough)
  local bytes, deadline = "", socket.gettime() + wait
  while true do
    local left = deadline - socket.gettime()
    if left <= 0 or enough and enough(bytes) then
      return bytes, false
    end
    socket.select({ peer }, nil, left)
    peer:settimeout(0)
    local data, err, part = peer:receive(65536)
    bytes = bytes .. (data or part or "")
    if err and err ~= "timeout" then
      return bytes, true
    end
  end
end

function M.send(port, bytes, options)
  options = options or {}
  local peer = M.connect(port)
  write(peer, bytes, options)
  if options.finish then
    peer:shutdown "send"
  end
  local sent = socket.gettime()
  local got, closed = M.read(peer, options.wait or 1, options.expect
    and function(data)
      return #M.parse(data) >= options.expect
    end)
  peer:close()
  local answers, rest = M.parse(got)
  return { answers = answers, rest = rest, closed = closed,
    seconds = socket.gettime() - sent }
end

--- One request with a body, in HTTP/1.1.
function M.request(method, target, headers, body)
  local lines = { ("%s %s HTTP/1.1"):format(method, target) }
  local all = { Host = "h.example" }
  if body then
    all["Content-Length"] = tostring(#body)
  end
  for name, value in pairs(headers or {}) do
    all[name] = value or nil
  end
  for name, value in pairs(all) do
    lines[#lines + 1] = name .. ": " .. value
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or "")
end

return M
