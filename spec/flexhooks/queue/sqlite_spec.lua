local contract = require "spec.support.queue_contract"
local flexhooks = require "flexhooks"
local process = require "spec.support.process"

describe("the queue in SQLite", function()
  contract(function(options)
    return flexhooks.queue("sqlite:" .. process.folder() .. "/q.db", options)
  end)
end)
