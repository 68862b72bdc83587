-- An HTTP server that breaks the protocol on demand: the path says how. A
-- program: rude_server.lua PORT. It prints a line for each request:
--
--   <connection> <method> <target> <body bytes> <authorization or ->
--
-- Raw bytes of an answer are in RAW; what needs more than bytes is in ACTIONS.
local socket = require "socket"

local OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

local function answer(body, headers)
  return "HTTP/1.1 200 OK\r\nContent-Length: " .. #body .. "\r\n"
    .. (headers or "") .. "\r\n" .. body
end

local function gzip_of_zeros(megabytes)
  local pipe = io.popen(("head -c %dM /dev/zero | gzip -c"):format(megabytes))
  local bytes = pipe:read "*a"
  pipe:close()
  return bytes
end

local HEAD = "HTTP/1.1 200 OK\r\n"

-- Sent as they are; then the connection is closed, unless the answer is whole.
local RAW = {
  ok = OK,
  none = "",
  short = HEAD .. "Content-Length: 100\r\n\r\nonly this",
  long = HEAD .. "Content-Length: 2\r\n\r\nok and then some",
  both = HEAD .. "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    .. "2\r\nok\r\n0\r\n\r\n",
  ["two-lengths"] = HEAD .. "Content-Length: 2\r\nContent-Length: 3\r\n\r\nok",
  ["same-lengths"] = HEAD .. "Content-Length: 2\r\ncontent-length:2\r\n\r\nok",
  ["smaller-length"] = HEAD .. "Content-Length: 3\r\nContent-Length: 2\r\n"
    .. "\r\nok",
  negative = HEAD .. "Content-Length: -2\r\n\r\nok",
  ["huge-length"] = HEAD .. "Content-Length: 99999999999999999999\r\n\r\nok",
  ["declared-large"] = HEAD .. "Content-Length: 1000000000\r\n\r\nok",
  ["bad-chunk"] = HEAD .. "Transfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n",
  ["huge-chunk"] = HEAD .. "Transfer-Encoding: chunked\r\n\r\n"
    .. "fffffffffffffffff\r\nok\r\n",
  ["cut-chunk"] = HEAD .. "Transfer-Encoding: chunked\r\n\r\n8\r\nok",
  ["huge-trailer"] = HEAD .. "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
    .. "0\r\nX-Trailer: " .. ("a"):rep(100000) .. "\r\n\r\n",
  ["status-trailer"] = HEAD .. "Transfer-Encoding: chunked\r\n\r\n2\r\nok"
    .. "\r\n0\r\nHTTP/1.1 500 Oops: 1\r\n\r\n",
  trailer = HEAD .. "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
    .. "X-Trailer: 1\r\n\r\n",
  http10 = "HTTP/1.0 200 OK\r\n\r\nok",
  http09 = "ok\n",
  http3 = "HTTP/3.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
  icy = "ICY 200 OK\r\nContent-Length: 2\r\n\r\nok",
  garbage = "\0\1\2\3\r\n\r\n",
  ["http2-claimed"] = "HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\nok",
  ["status-line-only"] = "HTTP/1.1 200 OK\r\n",
  ["no-status"] = "HTTP/1.1\r\n\r\n",
  ["status-1000"] = "HTTP/1.1 1000 OK\r\nContent-Length: 0\r\n\r\n",
  ["status-099"] = "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n",
  switched = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n"
    .. "Connection: upgrade\r\n\r\n" .. OK,
  ["many-heads"] = ("HTTP/1.1 103 Early Hints\r\nX-H: "
    .. ("a"):rep(60000) .. "\r\n\r\n"):rep(5) .. OK,
  early = "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"
    .. answer("ok", "X-Real: 1\r\n"),
  ["no-content"] = "HTTP/1.1 204 No Content\r\n\r\n",
  nul = answer("ok", "X-Nul: a\0b\r\n"),
  cr = answer("ok", "X-Cr: a\rb\r\n"),
  fold = answer("ok", "X-Fold: a \r\n  b\r\n\tc\r\n"),
  ["fold-empty"] = answer("ok", "X-Fold:\r\n \r\n a\r\n \r\nX-After: 1\r\n"),
  ["fold-first"] = HEAD .. " X-Fold: a\r\nContent-Length: 2\r\n\r\nok",
  ["fold-length"] = HEAD .. "Content-Length: 2\r\n 0\r\n\r\nok",
  ["fold-length-last"] = HEAD .. "X: a\r\nContent-Length: 2\r\n\t0\r\n\r\nok",
  ["fold-encoding"] = HEAD .. "Transfer-Encoding: chunked\r\n , gzip\r\n\r\n"
    .. "2\r\nok\r\n0\r\n\r\n",
  ["fold-coding"] = answer("ok", "Content-Encoding:\r\n gzip\r\n"),
  ["name-blank"] = HEAD .. "Content-Length : 2\r\n\r\nok",
  ["no-name"] = answer("ok", ": a\r\n"),
  ["name-odd"] = answer("ok", "X A: a\r\n"),
  ["encoding-identity"] = HEAD .. "Transfer-Encoding: identity\r\n\r\nok",
  ["encoding-old"] = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    .. "2\r\nok\r\n0\r\n\r\n",
  ["encoding-twice"] = HEAD .. "Transfer-Encoding: chunked\r\n"
    .. "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
  ["encoding-none"] = HEAD .. "Transfer-Encoding:\r\n\r\nok",
  ["encoding-cased"] = HEAD .. "Transfer-Encoding: CHUNKED\r\n\r\n2\r\nok\r\n"
    .. "0\r\n\r\n",
  ["no-colon"] = answer("ok", "Nonsense\r\nX-After: 1\r\n"),
  repeated = answer("ok", "X-Two: a\r\nx-two: b\r\nX-TWO:   c  \r\nX-E:\r\n"),
  ["many-headers"] = answer("ok", ("X-H: 1\r\n"):rep(10000)),
  ["huge-header"] = answer("ok", "X-H: " .. ("a"):rep(200000) .. "\r\n"),
  ["gzip-unasked"] = answer("\31\139nonsense", "Content-Encoding: gzip\r\n"),
  ["br-unasked"] = answer("nonsense", "Content-Encoding: br\r\n"),
  identity = answer("ok", "Content-Encoding: identity\r\n"),
  cookie = answer("ok", ("Set-Cookie: a=b\r\n"):rep(50)),
  ["alt-svc"] = answer("ok", "Alt-Svc: h2=\"evil.example:443\"\r\n"
    .. "Strict-Transport-Security: max-age=9\r\n"),
  ["404"] = "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
  ["500"] = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
  busy = "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
  ["407"] = "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n",
}

local KEPT = { ok = true, ["404"] = true, ["500"] = true,
  ["no-content"] = true, repeated = true, cookie = true, early = true,
  fold = true }

local ready = {} -- socket -> coroutine that waits for it
local waiting = {} -- sockets, as socket.select wants them

local function wait_readable(peer)
  ready[peer] = coroutine.running()
  waiting[#waiting + 1] = peer
  coroutine.yield()
end

local function forget(peer)
  ready[peer] = nil
  for i, other in ipairs(waiting) do
    if other == peer then
      table.remove(waiting, i)
      return
    end
  end
end

local timers = {} -- { due, coroutine }

local function pause(seconds)
  timers[#timers + 1] = { socket.gettime() + seconds, coroutine.running() }
  coroutine.yield()
end

-- What has come, "" at the end.
local function receive(peer)
  wait_readable(peer)
  local bytes, reason, partial = peer:receive(65536)
  bytes = bytes or partial
  if #bytes == 0 and reason == "closed" then
    return nil
  end
  return bytes
end

local function reset(peer)
  peer:setoption("linger", { on = true, timeout = 0 })
end

local function send(peer, bytes)
  local at = 1
  while at <= #bytes do
    local last, reason, part = peer:send(bytes, at)
    at = (last or part) + 1
    if reason == "closed" then
      return false
    elseif not last then
      pause(0.001)
    end
  end
  return true
end

local function hang(peer)
  repeat
    local bytes = receive(peer)
  until not bytes
end

local permits = 0

-- Each returns true to keep the connection.
local ACTIONS = {
  echo = function(peer, request)
    return send(peer, answer(request.head .. request.body))
  end,
  hang = hang,
  slow = function(peer, request)
    pause(tonumber(request.target:match "seconds=([%d.]+)"))
    return send(peer, OK)
  end,
  -- The answer comes when somebody has asked for "let-go".
  held = function(peer)
    while permits == 0 do
      pause(0.01)
    end
    permits = permits - 1
    return send(peer, OK)
  end,
  ["let-go"] = function(peer)
    permits = permits + 1
    return send(peer, OK)
  end,
  stall = function(peer)
    send(peer, HEAD .. "Content-Length: 100\r\n\r\nbegun")
    hang(peer)
  end,
  drip = function(peer)
    send(peer, HEAD .. "\r\n")
    while send(peer, "x") do
      pause(0.05)
    end
  end,
  endless = function(peer)
    send(peer, HEAD .. "\r\n")
    while send(peer, ("x"):rep(65536)) do
    end
  end,
  ["endless-headers"] = function(peer)
    send(peer, HEAD)
    while send(peer, ("X-H: 1\r\n"):rep(100)) do
    end
  end,
  ["endless-continue"] = function(peer)
    while send(peer, ("HTTP/1.1 100 Continue\r\n\r\n"):rep(100)) do
    end
  end,
  ["gzip-transfer"] = function(peer)
    local bomb = gzip_of_zeros(16)
    send(peer, HEAD .. "Transfer-Encoding: gzip, chunked\r\n\r\n"
      .. ("%x\r\n"):format(#bomb) .. bomb .. "\r\n0\r\n\r\n")
  end,
  stacked = function(peer)
    send(peer, HEAD .. "Transfer-Encoding: " .. ("gzip, "):rep(50)
      .. "chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
  end,
  ["gzip-asked"] = function(peer)
    return send(peer, answer(gzip_of_zeros(1), "Content-Encoding: gzip\r\n"))
  end,
  reset = reset,
  ["reset-head"] = function(peer)
    send(peer, "HTTP/1.1 200 OK\r\nContent-")
    pause(0.05)
    reset(peer)
  end,
  ["reset-body"] = function(peer)
    send(peer, HEAD .. "Content-Length: 100\r\n\r\nonly")
    pause(0.05)
    reset(peer)
  end,
  ["reset-chunk"] = function(peer)
    send(peer, HEAD .. "Transfer-Encoding: chunked\r\n\r\n8\r\nonly")
    pause(0.05)
    reset(peer)
  end,
  -- The first request of a connection is answered, the second one is not.
  ["die-second"] = function(peer, request)
    if request.count == 1 then
      return send(peer, OK)
    end
    reset(peer)
  end,
  -- An idle connection is ended, after bytes that are no answer.
  late = function(peer)
    send(peer, OK)
    pause(0.05)
    send(peer, "x")
    peer:close()
    print "ended"
  end,
  redirect = function(peer, request)
    local status, to = request.target:match "^/redirect/(%d+)/(.*)$"
    return send(peer, ("HTTP/1.1 %s Moved\r\nLocation: %s\r\n"
      .. "Content-Length: 0\r\n\r\n"):format(status, to))
  end,
}

local function parse(bytes)
  local head, rest = bytes:match "^(.-\r\n\r\n)(.*)$"
  if not head then
    return nil
  end
  local size = tonumber(head:lower():match "\r\ncontent%-length: *(%d+)") or 0
  if #rest < size then
    return nil
  end
  local method, target = head:match "^(%S+) (%S+)"
  return { head = head, body = rest:sub(1, size), method = method,
    target = target or "/none",
    authorization = head:match "\r\nAuthorization: ([^\r]*)" },
    rest:sub(size + 1)
end

local function read_request(peer, bytes)
  while true do
    local request, rest = parse(bytes)
    if request then
      return request, rest
    end
    local more = receive(peer)
    if not more then
      return nil
    end
    bytes = bytes .. more
    if bytes:find "^[^%u]" then
      send(peer, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
      return nil
    end
  end
end

local function serve(peer, number)
  local count, bytes = 0, ""
  while true do
    local request
    request, bytes = read_request(peer, bytes)
    if not request then
      break
    end
    count = count + 1
    request.count = count
    print(number, request.method, request.target, #request.body,
      request.authorization or "-")
    local name = request.target:match "^[^/]*/?/?[^/]*/([%w-]*)"
    if request.target:sub(1, 1) == "/" then
      name = request.target:match "^/([%w-]*)"
    end
    local kept
    if ACTIONS[name] then
      kept = ACTIONS[name](peer, request)
    else
      kept = send(peer, RAW[name] or RAW["404"]) and KEPT[name]
    end
    if not kept then
      break
    end
  end
  peer:close()
end

local function run(co, ...)
  local ok, err = coroutine.resume(co, ...)
  if not ok then
    io.stderr:write(debug.traceback(co, err), "\n")
  end
end

local function next_timer()
  local now, left = socket.gettime(), 10
  for _, timer in ipairs(timers) do
    left = math.min(left, math.max(0, timer[1] - now))
  end
  return left
end

local function fire()
  local now, due = socket.gettime(), {}
  for i = #timers, 1, -1 do
    if timers[i][1] <= now then
      table.insert(due, 1, table.remove(timers, i)[2])
    end
  end
  for _, co in ipairs(due) do
    run(co)
  end
end

io.stdout:setvbuf "line"
local listener = assert(socket.bind("127.0.0.1", tonumber(arg[1]), 512))
listener:settimeout(0)
waiting[1] = listener
local connections = 0
while true do
  for _, peer in ipairs((socket.select(waiting, nil, next_timer()))) do
    if peer == listener then
      local client = listener:accept()
      if client then
        client:settimeout(0)
        client:setoption("tcp-nodelay", true)
        connections = connections + 1
        run(coroutine.create(serve), client, connections)
      end
    else
      local co = ready[peer]
      forget(peer)
      run(co)
    end
  end
  fire()
end
