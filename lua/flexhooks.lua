--- flexhooks: Twilio Flex Interactions webhooks, registered and routed in Lua.
--
-- A face without logic: each name loads its part when it is first asked for.
-- @module flexhooks

-- name -> { module, field }; a missing field means the module itself.
local PARTS = {
  client = { "flexhooks.client", "new" },
  http = { "flexhooks.http", "request" },
  delivery_url = { "flexhooks.url", "delivery" },
  events = { "flexhooks.events" },
  router = { "flexhooks.router", "new" },
  receiver = { "flexhooks.receiver", "new" },
  queue = { "flexhooks.queue", "new" },
  worker = { "flexhooks.worker", "new" },
  serve = { "flexhooks.server", "serve" },
  signature = { "flexhooks.signature" },
  json = { "flexhooks.json" },
  plan = { "flexhooks.provision", "plan" },
  export = { "flexhooks.provision", "export" },
  drift = { "flexhooks.provision", "drift" },
  run = { "flexhooks.runtime.current", "run" },
  loop = { "flexhooks.runtime.current", "get" },
  spawn = { "flexhooks.runtime.current", "spawn" },
  sleep = { "flexhooks.runtime.current", "sleep" },
  map = { "flexhooks.runtime.current", "map" },
  now = { "flexhooks.runtime.current", "now" },
  clock = { "flexhooks.runtime.current", "clock" },
}

local M = { _VERSION = "0.1.0" }

return setmetatable(M, {
  __index = function(face, name)
    local part = PARTS[name]
    if not part then
      return nil
    end
    local value = require(part[1])
    if part[2] then
      value = value[part[2]]
    end
    rawset(face, name, value)
    return value
  end,
})
