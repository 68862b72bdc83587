local connections = require "flexhooks.queue.redis.connection"
local redis = require "spec.support.redis"
local redis_command = require "flexhooks.queue.redis.command"

local SCRIPT = "return { KEYS[1], ARGV[1], ARGV[2] }"

describe("queue.redis.command", function()
  it("runs a script again by its hash, also where Redis forgot it", function()
    local server = redis.start()
    local io = connections.new { name = "redis", timeout = 5, address = {
      host = "127.0.0.1", port = server.port, db = 0 } }
    for _ = 1, 2 do
      assert.same({ "k", "1", "b" },
        redis_command.call(io, SCRIPT, { "k" }, { "1", "b" }))
    end
    assert.matches("cmdstat_evalsha:calls=2", server:cli("INFO",
      "commandstats"))
    server:cli("SCRIPT", "FLUSH")
    assert.same({ "k", "1", "b" },
      redis_command.call(io, SCRIPT, { "k" }, { "1", "b" }))
    local value, err = redis_command.call(io, "no script", {}, {})
    assert.is_nil(value)
    assert.equal("queue", err.kind)
    io:close()
  end)
end)
