-- What specs of queues store, and queues in a Redis of the file's own.
--
--   queues.item(id, changes)        an event, as a receiver stores it
--   local bench = queues.redis()    its server starts with the file's tests
--   bench.server                    as in spec.support.redis
--   bench.open(query, options, server)    a queue, closed after the test
local busted = require "busted"

local redis = require "spec.support.redis"

local M = {}

function M.item(id, changes)
  return require("flexhooks.tables").merged({ id = id, source = "default",
    received_at = require("flexhooks").now(),
    event = { EventType = "onX", InteractionSid = "KD1" } }, changes)
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
