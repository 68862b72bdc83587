-- A steady load of signed events on a port, each over a connection of its own,
-- until a file appears, at most ten minutes. Prints a point for each good
-- answer, and in the end what came of it all as JSON.
--
--   lua spec/support/load.lua PORT STOPFILE FIELDS
--
-- FIELDS, as JSON, are added to the event's.
local lfs = require "lfs"
local cjson = require "cjson"
local socket = require "socket"

local d = require "spec.support.deliveries"
local wire = require "spec.support.wire"

local port, stop_file = tonumber(arg[1]), arg[2]
local more = cjson.decode(arg[3])
local counts = { answered = 0, failed = 0, unanswered = 0 }

local function send(i)
  more.N = tostring(i)
  local request = d.post { fields = d.fields(more) }
  request.headers.Connection = "close"
  local result = wire.send(port, wire.request(request.method, request.target,
    request.headers, request.body), { expect = 1, wait = 10 })
  local answer = result.answers[1]
  if answer and answer.status == 200 then
    counts.answered = counts.answered + 1
    io.write "."
    io.flush()
  else
    counts.failed = counts.failed + 1
    counts.unanswered = counts.unanswered + (answer and 0 or 1)
    io.stderr:write("no good answer: ", answer and answer.status or "none",
      "\n")
  end
end

local i, ends = 0, socket.gettime() + 600
repeat
  i = i + 1
  local ok, err = pcall(send, i)
  if not ok then
    counts.failed = counts.failed + 1
    counts.unanswered = counts.unanswered + 1
    io.stderr:write(tostring(err), "\n")
  end
  if i == 1 then
    print "began"
    io.stdout:flush()
  end
  assert(socket.gettime() < ends, "no " .. stop_file .. " within 600 s")
until lfs.attributes(stop_file)
print(cjson.encode(counts))
