local contract = require "spec.support.queue_contract"
local flexhooks = require "flexhooks"
local process = require "spec.support.process"
local queues = require "spec.support.queues"
local redis = require "spec.support.redis"

local bench = queues.redis()
local item, open = queues.item, bench.open

local count = 0

describe("the queue in Redis", function()
  contract(function(options)
    count = count + 1
    return flexhooks.queue(bench.server:url("partitions=4&prefix=q" .. count),
      options)
  end)
end)

local function refused(queue)
  local ok, err = queue:store { item "a" }
  assert.is_nil(ok)
  return err
end

describe("a Redis server", function()
  it("that is not there, or goes, is an error and no loss", function()
    local err = refused(flexhooks.queue("redis://127.0.0.1:1/0"))
    assert.same({ "queue", "connect" }, { err.kind, err.reason })
    local own = redis.start()
    local queue = open(nil, nil, own)
    assert.is_true(queue:store { item "a" })
    own:stop "KILL"
    err = refused(queue)
    assert.equal("queue", err.kind)
    own:start()
    assert.is_true(queue:store { item "b" })
    assert.equal(2, queue:stats().ready)
  end)

  it("that is full, read-only or asks for a password says so", function()
    local own = redis.start()
    local queue = open(nil, nil, own)
    assert.is_true(queue:store { item "a" })
    own:cli("CONFIG", "SET", "maxmemory", "1")
    assert.equal("oom", refused(queue).reason)
    own:cli("CONFIG", "SET", "maxmemory", "0")
    own:cli("REPLICAOF", "127.0.0.1", "1")
    assert.equal("readonly", refused(queue).reason)
    own:cli("REPLICAOF", "NO", "ONE")
    own:cli("CONFIG", "SET", "requirepass", "hunter2")
    local err = refused(open("prefix=x", nil, own))
    assert.equal("auth", err.kind)
    err = refused(flexhooks.queue(("redis://:wrong@127.0.0.1:%d")
      :format(own.port)))
    assert.equal("auth", err.kind)
    assert.is_nil(tostring(err):find("wrong", 1, true))
    local ok = flexhooks.queue(("redis://:hunter2@127.0.0.1:%d")
      :format(own.port))
    assert.is_true(ok:store { item "b" })
    assert.equal(2, ok:stats().ready)
    ok:close()
  end)

  it("that could lose or evict is refused", function()
    for _, settings in ipairs { "appendonly no", "appendfsync everysec",
      "maxmemory-policy allkeys-lru",
      "cluster-enabled yes\ncluster-port " .. process.port() } do
      local own = redis.start(settings .. "\n")
      local err = refused(open(nil, nil, own))
      assert.equal("unfit", err.reason, tostring(err))
      assert.matches(settings:match "^%a+", err.message)
      own:stop()
    end
  end)

  it("with a weaker fsync is taken where that is wanted, loudly", function()
    local own, said = redis.start "appendfsync everysec\n", {}
    local queue = open("appendfsync=everysec", { logger = function(level, text)
      said[#said + 1] = level .. ": " .. text
    end }, own)
    assert.is_true(queue:store { item "a" })
    assert.matches("^warn: .*lost", said[1])
  end)

  it("keeps its number of partitions", function()
    assert.is_true(open("prefix=p&partitions=8"):store { item "a" })
    local err = refused(open "prefix=p&partitions=16")
    assert.equal("partitions", err.reason)
    assert.matches("has 8 partitions", err.message)
  end)

  it("that was emptied is set up again, loudly", function()
    local said = {}
    local queue = open("prefix=e", { logger = function(level, text)
      said[#said + 1] = level .. ": " .. text
      error "a logger that fails takes no event with it"
    end })
    assert.is_true(queue:store { item "a" })
    bench.server:cli("DEL", "{e}:meta")
    assert.is_true(queue:store { item "b" })
    assert.same({ "error: the queue in Redis is gone, and is set up again" },
      said)
    assert.equal(2, queue:stats().ready)
  end)

  it("is named as in a URL", function()
    local queue = flexhooks.queue "redis://:secret@[::1]:7000/3?prefix=x"
    assert.equal("flexhooks.queue (redis://[::1]:7000/3?prefix=x)",
      tostring(queue))
    queue = flexhooks.queue("redis://h", { prefix = "a&b", partitions = 4 })
    assert.equal("flexhooks.queue (redis://h:6379/0?prefix=a%26b)",
      tostring(queue))
    assert.equal("flexhooks.queue (redis://h:6379/0)",
      tostring(flexhooks.queue "redis://h?prefix=flexhooks&partitions=4"))
  end)

  it("that was emptied under a worker hides nothing from it", function()
    local queue = open("prefix=em&partitions=1")
    local router, seen = flexhooks.router(), {}
    router:on("*", function(event)
      seen[#seen + 1] = event.Number
    end)
    local worker = flexhooks.worker { queue = queue, router = router,
      lease = 1.5 }
    local function handled(number)
      assert.is_true(queue:store { item(number, { event = { EventType = "onX",
        InteractionSid = "KD1", Number = number } }) })
      local ends = flexhooks.clock() + 30
      while seen[#seen] ~= number and flexhooks.clock() < ends do
        flexhooks.sleep(0.01)
      end
    end
    flexhooks.run(function()
      local running = flexhooks.spawn(worker.run, worker)
      handled "1"
      bench.server:cli "FLUSHALL"
      handled "2"
      handled "3"
      worker:stop()
      assert.is_true(running:wait())
    end)
    assert.same({ "1", "2", "3" }, seen)
  end)
end)
