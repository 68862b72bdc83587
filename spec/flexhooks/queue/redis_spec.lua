local contract = require "spec.support.queue_contract"
local flexhooks = require "flexhooks"
local process = require "spec.support.process"
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

local function item(id, line)
  return { id = id, received_at = flexhooks.now(), source = "default",
    event = { EventType = "onX", InteractionSid = "KD" .. (line or 1) } }
end

local queues = {}

local function open(query, options, of)
  local queue = flexhooks.queue((of or server):url(query), options)
  queues[#queues + 1] = queue
  return queue
end

after_each(function()
  for _, queue in ipairs(queues) do
    queue:close()
  end
  queues = {}
end)

local function refused(queue)
  local ok, err = queue:store { item "a" }
  assert.is_nil(ok)
  return err
end

describe("a Redis URL", function()
  it("is read whole", function()
    local address = open("prefix=a").backend.address
    assert.same({ "127.0.0.1", server.port, 0 },
      { address.host, address.port, address.db })
    local queue = flexhooks.queue("redis://u%40:p@ss%2F@[::1]/7?timeout=1.5")
    address = queue.backend.address
    assert.same({ "::1", 6379, 7, "u@", "p@ss/", 1.5 }, { address.host,
      address.port, address.db, address.user, address.password:reveal(),
      queue.backend.settings.timeout })
    assert.is_nil(tostring(queue):find("p@ss", 1, true))
  end)

  it("is refused where it cannot be right", function()
    for _, wrong in ipairs { "redis:", "redis:host", "redis://host:0",
      "redis://host:99999", "redis://host/x", "redis://h?partition=4",
      "redis://h?partitions=0", "redis://h?partitions=x", "redis://h?prefix=",
      "redis://h?prefix={a}", "redis://h?appendfsync=no", "redis://a b" } do
      local ok, err = pcall(function()
        local queue = flexhooks.queue(wrong)
        return queue
      end)
      assert.is_false(ok, wrong)
      assert.equal("argument", err.kind)
      assert.matches("redis_spec.lua", err.message)
    end
  end)
end)

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

  it("that does not answer is waited for no longer than the timeout",
    function()
      local own = redis.start()
      local queue = open("timeout=0.3", nil, own)
      assert.is_true(queue:store { item "a" })
      own.process:kill "STOP"
      local began = flexhooks.clock()
      local err = refused(queue)
      own.process:kill "CONT"
      assert.equal("timeout", err.reason)
      assert.is_true(flexhooks.clock() - began < 3)
      assert.is_true(queue:store { item "b" })
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
    queues[#queues + 1] = ok
    assert.is_true(ok:store { item "b" })
    assert.equal(2, ok:stats().ready)
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

  it("that was emptied is set up again", function()
    local queue = open "prefix=e"
    assert.is_true(queue:store { item "a" })
    server:cli("DEL", "{e}:meta")
    assert.equal("noqueue", refused(queue).reason)
    assert.is_true(queue:store { item "b" })
  end)

  it("that forgot its scripts gets them again", function()
    local queue = open "prefix=f"
    assert.is_true(queue:store { item "a" })
    server:cli("SCRIPT", "FLUSH")
    assert.is_true(queue:store { item "b" })
    assert.equal(2, queue:stats().ready)
  end)
end)

-- Consumers as workers use them, without a worker around.
describe("leases", function()
  local function consumer(queue, lease)
    local made = queue:consumer { wake = function() end, lease = lease or 5 }
    assert.is_true(made:open())
    return made
  end

  local function held(c)
    local n = 0
    for _ in pairs(c.parts) do
      n = n + 1
    end
    return n
  end

  it("are shared out among the workers, and given back at once", function()
    flexhooks.run(function()
      local queue = open "prefix=l1&partitions=7"
      local a = consumer(queue)
      assert.equal(7, held(a))
      local b, c = consumer(queue), consumer(queue)
      assert.equal(0, held(b) + held(c))
      local lost = 0
      for _ in pairs(a:beat().lost) do
        lost = lost + 1
      end
      assert.equal(7 - held(a), lost)
      b:beat()
      c:beat()
      local shares = { held(a), held(b), held(c) }
      table.sort(shares)
      assert.same({ 2, 2, 3 }, shares)
      local owners = {}
      for _, partition in ipairs(queue:stats().partitions) do
        owners[partition.owner] = (owners[partition.owner] or 0) + 1
      end
      assert.equal(held(b), owners[b.name])
      assert.is_true(b:close())
      a:beat()
      c:beat()
      assert.equal(7, held(a) + held(c))
      a:close()
      c:close()
      assert.is_nil(queue:stats().partitions[1].owner)
    end)
  end)

  it("fence who has lost them", function()
    flexhooks.run(function()
      local queue = open "prefix=l2&partitions=1"
      assert.is_true(queue:store { item "a", item "b" })
      local old = consumer(queue, 0.2)
      local refs = assert(old:scan(10))
      assert.equal(1, old:begin(refs[1]).fence)
      flexhooks.sleep(0.3)
      local new = consumer(queue, 5)
      assert.equal(1, held(new))
      local taken = assert(new:scan(10))
      local again = new:begin(taken[1])
      assert.same({ 2, 2 }, { again.fence, again.attempt })
      assert.equal(0, old:lease_left(refs[1]))
      local failure = { attempt = 1, message = "x" }
      assert.is_false(old:finish(refs[1]))
      assert.is_false(old:begin(refs[2]))
      refs[1].item = again
      assert.is_false(old:retry(refs[1], 0, failure))
      assert.is_false(old:bury(refs[1], failure, "exhausted", false))
      assert.equal(2, queue:stats().ready + queue:stats().running)
      assert.is_true(new:finish(taken[1]))
      -- The same step again changes nothing.
      assert.is_true(new:entry_step("finish", taken[1]) == 1)
      assert.equal(1, queue:stats().ready)
      new:close()
      old:close()
    end)
  end)

  it("outlive a connection, and a Redis that was restarted", function()
    local own = redis.start()
    flexhooks.run(function()
      local queue = open("partitions=1", nil, own)
      assert.is_true(queue:store { item "a" })
      local c = consumer(queue, 30)
      local refs = assert(c:scan(10))
      assert.equal(1, c:begin(refs[1]).fence)
      own:stop "KILL"
      assert.is_nil((c:finish(refs[1])))
      own:start()
      assert.is_true(c:finish(refs[1]))
      c:close()
    end)
  end)
end)

-- L001 and L002: what a hostile or broken server may send.
describe("replies", function()
  local PYTHON = [[
import socket, sys
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(5)
reply = sys.argv[2].encode().decode("unicode_escape").encode("latin-1")
reply = reply * int(sys.argv[3])
while True:
  peer, _ = listener.accept()
  try:
    peer.recv(65536)
    peer.sendall(reply)
    peer.recv(65536)
  except OSError:
    pass
  peer.close()
]]

  it("that no Redis sends are refused without being built", function()
    for _, case in ipairs { { "*1\\r\\n", 100000 }, { "*-2\\r\\n", 1 },
      { "*4294967297\\r\\n", 1 }, { "$-2\\r\\n", 1 }, { "HTTP/1.1 200\\r\\n", 1 },
      { "$9223372036854775807\\r\\n", 1 }, { "*1000000000\\r\\n", 1 },
      { "+OK\\r\\n", 5 } } do
      local port = process.port()
      local child = process.spawn { "python3", "-c", PYTHON, port, case[1],
        case[2] }
      child:wait_port(port)
      local err = refused(flexhooks.queue(("redis://127.0.0.1:%d?timeout=2")
        :format(port)))
      assert.equal("protocol", err.reason, case[1] .. ": " .. tostring(err))
      child:stop "KILL"
    end
  end)
end)
