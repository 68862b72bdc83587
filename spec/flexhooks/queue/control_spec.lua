local flexhooks = require "flexhooks"
local luasql = require "luasql.sqlite3"
local process = require "spec.support.process"
local queues = require "spec.support.queues"

local item = queues.item
local path, url

before_each(function()
  path = process.folder() .. "/q.db"
  url = "sqlite:" .. path
end)

-- A program that owns the queue while `more` runs.
local function held(more)
  return queues.script(url, "held", 1, more)
end

-- The descriptors of this process that are the queue's files.
local function open_files()
  local stat = io.open "/proc/self/stat"
  local pipe = io.popen(("ls -l /proc/%d/fd"):format(stat:read "*n"))
  local listed = pipe:read "*a"
  pipe:close()
  stat:close()
  return select(2, listed:gsub(path:gsub("%W", "%%%0"), ""))
end

describe("a queue that nobody has any more", function()
  it("lets go of its files and of its being the owner", function()
    assert.is_true(flexhooks.queue(url):store { item "a" })
    assert.is_true(open_files() > 0)
    flexhooks.run(function()
      collectgarbage()
      collectgarbage()
      flexhooks.sleep(0.3) -- the owner's next look for commands
    end)
    collectgarbage()
    collectgarbage()
    assert.equal(0, open_files())
    local another = flexhooks.queue(url)
    assert.equal(1, another:stats().ready)
    another:close()
  end)
end)

describe("the process that owns a queue", function()
  it("answers for it, and nobody else writes", function()
    local owner = process.spawn { process.lua, "-e", held [[
      io.stdout:flush()
      flexhooks.run(function()
        local ends = flexhooks.clock() + 20
        while queue:stats().dead == 0 and flexhooks.clock() < ends do
          flexhooks.sleep(0.02)
          queue:store { { id = "dead", raw = "{", reason = "malformed" } }
        end
        while queue:stats().dead > 0 and flexhooks.clock() < ends do
          flexhooks.sleep(0.02)
        end
        flexhooks.sleep(0.5)
      end)
    ]] }
    owner:wait_output "true"
    local queue = flexhooks.queue(url)
    process.eventually(function()
      local stats = queue:stats()
      return stats and stats.dead == 1
    end)
    assert.equal(1, queue:stats().ready)
    assert.equal("dead", queue:dead_letters()[1].id)
    assert.equal("queued", queue:get("held").state)
    local ok, err = queue:replay "dead"
    assert.is_nil(ok)
    assert.equal("not_an_event", err.reason)
    ok, err = queue:replay "no such"
    assert.is_nil(ok)
    assert.equal("not_found", err.kind)
    assert.is_true(queue:discard "dead")
    ok, err = queue:store { item "b" }
    assert.is_nil(ok)
    assert.same({ "queue", "owned" }, { err.kind, err.reason })
    local worker = flexhooks.worker { queue = queue,
      router = flexhooks.router() }
    ok, err = worker:run()
    assert.is_nil(ok)
    assert.equal("owned", err.reason)
    assert.equal(0, owner:wait(10))
    assert.is_true(queue:store { item "b" })
    queue:close()
  end)

  it("that cannot be asked is an error that says why", function()
    local owner = process.spawn { process.lua, "-e", held [[
      io.stdout:flush()
      require("system").sleep(20)
    ]] }
    owner:wait_output "true"
    for _, suffix in ipairs { "", "-shm", "-wal" } do
      os.remove(path .. ".control" .. suffix)
    end
    assert(require("lfs").mkdir(path .. ".control"))
    local queue = flexhooks.queue(url)
    local stats, err = queue:stats()
    assert.is_nil(stats)
    assert.same({ "queue", "owned" }, { err.kind, err.reason })
    assert.matches("cannot be asked: unable to open", err.message)
    queue:close()
    owner:stop()
  end)

  it("that does not answer is named as what it is", function()
    local owner = process.spawn { process.lua, "-e", held [[
      io.stdout:flush()
      os.execute "sleep 60"
    ]] }
    owner:wait_output "true"
    local control = require "flexhooks.queue.control"
    control.ANSWER_WITHIN = 0.1
    local queue = flexhooks.queue(url)
    local stats, err = queue:stats()
    assert.is_nil(stats)
    assert.same({ "queue", "owned" }, { err.kind, err.reason })
    assert.matches("does not answer", err.message)
    queue:close()
    os.execute("pkill -P " .. owner.pid)
    owner:stop "KILL"
  end)

  it("does nothing else for others", function()
    local queue = flexhooks.queue(url)
    flexhooks.run(function()
      assert.is_true(queue:store { item "a" })
      local db = luasql.sqlite3():connect(path .. ".control")
      db:execute("INSERT INTO commands(id, at, method, arguments) "
        .. "VALUES('x', 1, 'close', '[]'), ('y', 2, 'stats', 'no JSON')")
      local answer
      while not answer do
        flexhooks.sleep(0.05)
        local cursor = db:execute("SELECT group_concat(answer) FROM commands "
          .. "WHERE answer IS NOT NULL HAVING count(*) = 2")
        answer = cursor:fetch()
        cursor:close()
      end
      assert.matches("no such command", answer)
      assert.matches('"ready":1', answer)
      db:close()
      assert.is_true(queue:store { item "b" })
    end)
    queue:close()
  end)
end)
