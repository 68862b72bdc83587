local contract = require "spec.support.queue_contract"
local flexhooks = require "flexhooks"
local redis = require "spec.support.redis"

local server, count

setup(function()
  server, count = redis.start(), 0
end)

describe("the queue in Redis", function()
  contract(function(options)
    count = count + 1
    return flexhooks.queue(server:url("partitions=4&prefix=q" .. count),
      options)
  end)
end)
