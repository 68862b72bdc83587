local connections = require "flexhooks.queue.redis_connection"
local redis = require "spec.support.redis"
local redis_call = require "flexhooks.queue.redis_call"

local SCRIPT = "return { KEYS[1], ARGV[1], ARGV[2] }"

describe("queue.redis_call", function()
  it("runs a script again by its hash, also where Redis forgot it", function()
    local server = redis.start()
    local io = connections.new { name = "redis", timeout = 5, address = {
      host = "127.0.0.1", port = server.port, db = 0 } }
    for _ = 1, 2 do
      assert.same({ "k", "1", "b" },
        redis_call.call(io, SCRIPT, { "k" }, { "1", "b" }))
    end
    assert.matches("cmdstat_evalsha:calls=2", server:cli("INFO",
      "commandstats"))
    server:cli("SCRIPT", "FLUSH")
    assert.same({ "k", "1", "b" },
      redis_call.call(io, SCRIPT, { "k" }, { "1", "b" }))
    local value, err = redis_call.call(io, "no script", {}, {})
    assert.is_nil(value)
    assert.equal("queue", err.kind)
    io:close()
  end)
end)
