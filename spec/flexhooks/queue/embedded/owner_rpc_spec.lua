local core = require "flexhooks.core"
local flexhooks = require "flexhooks"
local process = require "spec.support.process"
local queues = require "spec.support.queues"
local sqlite_db = require "flexhooks.queue.embedded.sqlite_db"

local item = queues.item
local self = core.pid()
local path, url

before_each(function()
  path = process.folder() .. "/q.db"
  url = "sqlite:" .. path
end)

-- A program that owns the queue while `more` runs, which may ask `let_go()`
-- whether the spec has called the function of that name.
local function held(more)
  return ("local function let_go() return io.open(%q) end\n")
    :format(path .. ".let_go") .. queues.script(url, "held", 1, more)
end

local function let_go()
  process.write(path .. ".let_go", "")
end

-- Has everything compiled that runs twice.
local COMPILED = [[
if rawget(_G, "jit") then
  jit.opt.start("hotloop=1", "hotexit=1")
end
]]

-- The descriptors of a process that are the queue's files.
local function open_files(pid)
  local pipe = io.popen(("ls -l /proc/%d/fd"):format(pid))
  local listed = pipe:read "*a"
  pipe:close()
  return select(2, listed:gsub(path:gsub("%W", "%%%0"), ""))
end

describe("a queue that nobody has any more", function()
  it("lets go of its files and of its being the owner", function()
    assert.is_true(flexhooks.queue(url):store { item "a" })
    assert.is_true(open_files(self) > 0)
    -- They are closed after one of the owner's looks for commands.
    flexhooks.run(function()
      local ends = flexhooks.clock() + 10
      while open_files(self) > 0 and flexhooks.clock() < ends do
        collectgarbage()
        flexhooks.sleep(0.05)
      end
    end)
    assert.equal(0, open_files(self))
    local another = flexhooks.queue(url)
    assert.equal(1, another:stats().ready)
    another:close()
  end)

  it("is not kept by what LuaJIT has compiled", function()
    local child = process.spawn { process.lua, "-e", COMPILED .. held [[
      io.stdout:flush()
      queue = nil
      flexhooks.run(function()
        while true do
          collectgarbage()
          flexhooks.sleep(0.02)
        end
      end)
    ]] }
    child:wait_output "true"
    process.eventually(function()
      return open_files(child.pid) == 0
    end)
    child:stop()
  end)
end)

describe("the process that owns a queue", function()
  it("remembers no command that it has answered", function()
    local owner, asker = flexhooks.queue(url), flexhooks.queue(url)
    assert.is_true(owner:store { item "a" })
    flexhooks.run(function()
      for _ = 1, 3 do
        assert.equal(1, asker:stats().ready)
      end
    end)
    assert.is_nil(next(owner.backend.commands.taken))
    owner:close()
    asker:close()
  end)

  it("answers for it, and nobody else writes", function()
    local owner = process.spawn { process.lua, "-e", held [[
      io.stdout:flush()
      flexhooks.run(function()
        queue:store { { id = "dead", raw = "{", reason = "malformed" } }
        repeat
          flexhooks.sleep(0.02)
        until let_go()
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
    let_go()
    assert.equal(0, owner:wait())
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
    local owner_rpc = require "flexhooks.queue.embedded.owner_rpc"
    owner_rpc.ANSWER_WITHIN = 0.1
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
      local db = assert(sqlite_db.open(path .. ".control", 0))
      db:execute("INSERT INTO commands(id, at, method, arguments) "
        .. "VALUES('x', 1, 'close', '[]'), ('y', 2, 'stats', 'no JSON')")
      local answer
      while not answer do
        flexhooks.sleep(0.05)
        answer = db:value("SELECT group_concat(answer) FROM commands "
          .. "WHERE answer IS NOT NULL HAVING count(*) = 2")
      end
      assert.matches("no such command", answer)
      assert.matches('"ready":1', answer)
      db:close()
      assert.is_true(queue:store { item "b" })
    end)
    queue:close()
  end)
end)
