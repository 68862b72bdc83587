-- Decoding without memory raises, and leaves nothing behind. lua-cjson would
-- end the process here, or keep its buffers.
local core = require "flexhooks.core"
local json = require "flexhooks.json"

local LONG = ("\\u00e9"):rep(3000) -- needs a buffer of its own
local TEXT = '{"a":[1,2.5,null,{"b":"' .. LONG .. '"}],"c":{"\\u0064":null},'
  .. '"e":{' .. ('"%s":[{}],'):rep(12):gsub("%%s", (function()
    local n = 0
    return function()
      n = n + 1
      return "f" .. n
    end
  end)()) .. '"g":true}}'

local function same(value)
  return value.a[1] == 1 and value.a[2] == 2.5 and value.a[3] == nil
    and value.a[4].b == ("\195\169"):rep(3000) and next(value.c) == nil
    and next(value.e.f12[1]) == nil and value.e.g == true
end

return function()
  local value, message = json.decode(TEXT)
  assert(value ~= nil or message ~= nil, "wrong: neither value nor message")
  assert(not message, "wrong: good text was refused: " .. tostring(message))
  assert(same(value), "wrong: another value")
  assert(core.json_decode('{"a":1,"a":2}', 8, 127) == nil,
    "wrong: a name that came twice was accepted")
  return true
end
