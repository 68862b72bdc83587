local contract = require "spec.support.queue_contract"
local flexhooks = require "flexhooks"

describe("the queue in memory", function()
  contract(function(options)
    return flexhooks.queue("memory:", options)
  end)
end)
