-- What a server keeps is bounded: after its tables of duplicates are full, its
-- memory stays where it is.
local process = require "spec.support.process"
local servers = require "spec.support.server"
local torture = require "spec.support.torture"

local EVENTS = torture.long and 1000000 or 60000
local ENTRIES = torture.long and 100000 or 10000
local SECONDS = torture.long and 5 or 1

-- For wrk: one event, each time under another idempotency token.
local SCRIPT = [[
local count, head, tail = %d, %q, %q
function request()
  count = count + 1
  return head .. ("%%012d"):format(count) .. tail
end
]]

local function load_for(server, first)
  local head, tail = server:post(nil,
    { ["I-Twilio-Idempotency-Token"] = "@" }):match "^(.-)@(.*)$"
  local script = process.write(process.folder() .. "/load.lua",
    SCRIPT:format(first, head, tail))
  local status, out, err = process.run { "wrk", "-t1", "-c16",
    "-d" .. SECONDS .. "s", "--timeout", "30s", "-s", script,
    "http://127.0.0.1:" .. server.port .. servers.PATH }
  assert.equal(0, status, err)
  assert.not_matches("Non-2xx", out, 1, true)
  assert.not_matches("Socket errors", out, 1, true)
  return tonumber(out:match "(%d+) requests in")
end

local function resident(server)
  return tonumber(process.read("/proc/" .. server.child.pid .. "/status")
    :match "RssAnon:%s+(%d+)")
end

describe("a server that " .. EVENTS .. " events reach", function()
  it("keeps its memory", function()
    local server = servers.start {
      app = ("app.dedupe = { entries = %d }"):format(ENTRIES),
    }
    local total, before, most = 0, nil, 0
    repeat
      total = total + load_for(server, total)
      local now = resident(server)
      -- By then the tables are full and the collector has found its pace.
      before = before or total > 2 * ENTRIES and now
      most = math.max(most, now)
    until total > EVENTS
    torture.say(("%d events at a server: from %d to %d KiB"):format(total,
      before, most))
    assert.is_true(most - before < 4096, most - before .. " KiB more")
    assert.is_true(server:handled() >= total)
  end)
end)
