-- Decoding: ours, lua-cjson alone, and lua-cjson behind our check, which is
-- what it takes to get as strict with it. Megabytes per second of processor
-- time.
local cjson = require("cjson").new()
local core = require "flexhooks.core"
local json = require "flexhooks.json"
local testing = require "flexhooks.testing"

local name, seconds = arg[1], tonumber(arg[2])

local function measure(what, variant, text, f)
  collectgarbage()
  local bytes, begun = 0, os.clock()
  local took
  repeat
    for _ = 1, 100 do
      f(text)
    end
    bytes = bytes + 100 * #text
    took = os.clock() - begun
  until took >= seconds
  print(("json, %s, %s\t%s\t%.1f\tMB/s"):format(what, name, variant,
    bytes / took / 1e6))
end

local function checked(text)
  assert(core.json_check(text, 64, 127))
  return cjson.decode(text)
end

local event = testing.event("onParticipantJoined",
  { WorkerName = "J\195\182rg \"the\" M\nller", Priority = 5 })
local batch, numbers = {}, {}
for i = 1, 50 do
  batch[i] = testing.event("onChannelStatusUpdated", { Number = i })
end
for i = 1, 500 do
  numbers[i] = i * 1.37
end

for _, row in ipairs { { "an event", event }, { "a batch", batch },
  { "numbers", numbers } } do
  local text = json.encode(row[2])
  measure(row[1], "lua-cjson", text, cjson.decode)
  measure(row[1], "lua-cjson, checked", text, checked)
  measure(row[1], "flexhooks", text, json.decode)
end
