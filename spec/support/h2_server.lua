-- The far side of spec/support/h2: speaks HTTP/2 in plain text through two
-- named pipes, which `openssl s_server` connects to one peer after the other.
-- A program: h2_server.lua FOLDER PID BEHAVIOUR …. Each behaviour is for one
-- request; those that follow get "answer". It prints a line for each request:
--
--   <connection> <stream>
local folder, pid = arg[1], arg[2]

local to = assert(io.open(folder .. "/in", "wb"))
local from = assert(io.open(folder .. "/out", "rb"))

local HEADERS, RST_STREAM, SETTINGS, GOAWAY = 1, 3, 4, 7
local END_STREAM, ACK, END_HEADERS = 1, 1, 4
local REFUSED_STREAM, INTERNAL_ERROR = 7, 2

local function number(value, size)
  local bytes = {}
  for i = size, 1, -1 do
    bytes[i] = string.char(value % 256)
    value = math.floor(value / 256)
  end
  return table.concat(bytes)
end

local function send(kind, flags, stream, payload)
  to:write(number(#payload, 3), number(kind, 1), number(flags, 1),
    number(stream, 4), payload)
  to:flush()
end

-- Each gets the stream of the request.
local BEHAVIOURS = {
  answer = function(stream)
    -- The one byte is ":status: 200" of HPACK's static table.
    send(HEADERS, END_STREAM + END_HEADERS, stream, "\136")
  end,
  goaway = function()
    send(GOAWAY, 0, 0, number(0, 4) .. number(0, 4))
  end,
  refuse = function(stream)
    send(RST_STREAM, 0, stream, number(REFUSED_STREAM, 4))
  end,
  fail = function(stream)
    send(RST_STREAM, 0, stream, number(INTERNAL_ERROR, 4))
  end,
  die = function()
    os.execute("kill -KILL " .. pid)
  end,
}

local connections = 0

-- The next frame's kind, flags and stream. A connection begins with a text
-- that ends after a frame's head.
local function next_frame()
  local head = from:read(9)
  if not head then
    os.exit(0)
  end
  if head:sub(1, 4) == "PRI " then
    from:read(15)
    connections = connections + 1
    send(SETTINGS, 0, 0, "")
    return next_frame()
  end
  local a, b, c, kind, flags, d, e, f, g = head:byte(1, 9)
  local size = (a * 256 + b) * 256 + c
  if size > 0 then
    from:read(size)
  end
  return kind, flags, ((d % 128 * 256 + e) * 256 + f) * 256 + g
end

-- The stream of the next request, once it is whole.
local function next_request()
  while true do
    local kind, flags, stream = next_frame()
    if kind == SETTINGS and flags % 2 ~= ACK then
      send(SETTINGS, ACK, 0, "")
    elseif kind <= HEADERS and flags % 2 == END_STREAM then
      return stream
    end
  end
end

io.stdout:setvbuf "line"
local count = 0
while true do
  local stream = next_request()
  count = count + 1
  print(connections, stream)
  BEHAVIOURS[arg[count + 2] or "answer"](stream)
end
