-- What specs of queues store, and queues in a Redis of the file's own.
--
--   queues.item(id, changes)        an event, as a receiver stores it
--   queues.script(url, id, size, more)    a program that stores one and says
--                                   how that went, then runs `more`
--   local bench = queues.redis()    its server starts with the file's tests
--   bench.server                    as in spec.support.redis
--   bench.open(query, options, server)    a queue, closed after the test
local busted = require "busted"

local redis = require "spec.support.redis"

local M = {}

function M.item(id, changes)
  return require("flexhooks.util.tables").merged({ id = id, source = "default",
    received_at = require("flexhooks").now(),
    event = { EventType = "onX", InteractionSid = "KD1" } }, changes)
end

local SCRIPT = [[
local flexhooks = require "flexhooks"
local queue = flexhooks.queue(%q)
local ok, err = queue:store { { id = %q, received_at = 1,
  event = { EventType = "onX", InteractionSid = "KD1",
    Big = ("x"):rep(%d) } } }
io.write(tostring(ok), "|", ok and "" or err.kind .. "|" .. err.message)
%s
]]

function M.script(url, id, size, more)
  return SCRIPT:format(url, id, size, more)
end

function M.redis()
  local bench, queues = {}, {}

  busted.setup(function()
    bench.server = redis.start()
  end)

  busted.after_each(function()
    for _, queue in ipairs(queues) do
      queue:close()
    end
    queues = {}
  end)

  function bench.open(query, options, server)
    local url = (server or bench.server):url(query)
    queues[#queues + 1] = require("flexhooks").queue(url, options)
    return queues[#queues]
  end

  return bench
end

return M
