-- A load of signed events over kept connections, each busy all the time, until
-- a file appears. Prints a point for each round, and JSON in the end: how many
-- were answered with 200, and the numbers (field N) of the others: `lost` are
-- those without an answer on a connection that had carried others.
--
--   lua spec/support/kept_load.lua PORT STOPFILE CONNECTIONS
local lfs = require "lfs"
local cjson = require "cjson"

local d = require "spec.support.deliveries"
local wire = require "spec.support.wire"

local port, stop_file, width = tonumber(arg[1]), arg[2], tonumber(arg[3])
local peers = {} -- the connections that are open
local result = { answered = 0, lost = {}, failed = {} }
local n = 0

-- Sends an event on a connection; returns its number, and whether the
-- connection is a kept one.
local function send(i)
  n = n + 1
  local request = d.post { fields = d.fields { N = tostring(n) } }
  local kept = peers[i] ~= nil
  peers[i] = peers[i] or wire.connect(port)
  peers[i]:send(wire.request(request.method, request.target, request.headers,
    request.body))
  return n, kept
end

local function drop(i)
  peers[i]:close()
  peers[i] = nil
end

local function note(answer, number, kept)
  if answer and answer.status == 200 then
    result.answered = result.answered + 1
  else
    local list = not answer and kept and result.lost or result.failed
    list[#list + 1] = number
  end
end

local function receive(i, number, kept)
  local answer = wire.parse(wire.read(peers[i], 30, function(bytes)
    return #wire.parse(bytes) > 0
  end))[1]
  note(answer, number, kept)
  if not answer or answer.headers.connection == "close" then
    drop(i)
  end
end

local function round()
  local numbers, kept = {}, {}
  for i = 1, width do
    numbers[i], kept[i] = send(i)
  end
  for i = 1, width do
    receive(i, numbers[i], kept[i])
  end
  io.write "."
  io.flush()
end

repeat
  round()
until lfs.attributes(stop_file)
print(cjson.encode(result))
