-- Pools and requests as Lua sees them: misuse, and what they leave behind.
local core = require "flexhooks.core"
local process = require "spec.support.process"
local rude = require "spec.support.rude"

local server

setup(function()
  server = rude.start()
end)

local function wait(poller, pool)
  local request = pool:next()
  while not request do
    poller:wait(1)
    request = pool:next()
  end
  return request
end

local function fails(f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  return tostring(message)
end

local VALUES = { 0, -1, 0 / 0, "x", true, {}, print, coroutine.create(print),
  io.stdout, core.key "t" }

describe("misuse", function()
  local poller, pool, request, secret

  before_each(function()
    poller = core.poller()
    pool = core.pool(poller)
    request = assert(pool:start { method = "GET", max_response = 10,
      url = server.url .. "/hang" })
    secret = core.secret "s"
  end)

  after_each(function()
    for _, handle in ipairs { request, pool, poller, secret } do
      handle:close()
    end
  end)

  local METHODS = {
    poller = { "fd", "timeout", "watch", "unwatch", "wait", "signals",
      "close" },
    pool = { "start", "next", "close" },
    request = { "cancel", "result", "close" },
    secret = { "reveal", "close" },
  }

  local function handles()
    return { poller = poller, pool = pool, request = request, secret = secret }
  end

  it("of a method on another thing raises", function()
    for class, names in pairs(METHODS) do
      for _, name in ipairs(names) do
        local method = handles()[class][name]
        fails(method)
        for _, value in ipairs(VALUES) do
          fails(method, value)
        end
        for other, handle in pairs(handles()) do
          if other ~= class then
            assert.matches("flexhooks." .. class .. " expected",
              fails(method, handle))
          end
        end
      end
    end
  end)

  it("of a closed handle raises", function()
    for class, names in pairs(METHODS) do
      local handle = handles()[class]
      handle:close()
      for _, name in ipairs(names) do
        if name ~= "close" then
          assert.matches("is closed", fails(handle[name], handle))
        end
      end
      handle:close()
    end
  end)

  it("of a function of the module raises", function()
    for _, value in ipairs(VALUES) do
      fails(core.pool, value)
      if type(value) ~= "table" then
        fails(core.pool, poller, value)
        fails(pool.start, pool, value)
        fails(core.check_call, value)
      end
      fails(core.bearer, value)
      fails(core.basic, "user", value)
      if type(value) ~= "string" and type(value) ~= "number" then
        fails(core.secret, value)
        fails(core.url, value)
        fails(core.basic, value, secret)
        fails(poller.watch, poller, value, "r")
        fails(poller.wait, poller, value)
      end
    end
    fails(poller.watch, poller, 0, "x")
    fails(poller.watch, poller, 0, "")
    fails(poller.watch, poller, 2 ^ 40, "r")
    fails(poller.watch, poller, -1, "r")
    fails(poller.wait, poller, -1)
    fails(poller.wait, poller, 0 / 0)
    fails(core.pool, poller, { max_connections = -1 })
    fails(core.pool, poller, { max_connections = 1e9 })
  end)

  it("of the options of a request raises, and starts nothing", function()
    local good = { method = "GET", url = server.url .. "/ok",
      max_response = 10 }
    local bad = { method = { 1, {} }, url = { 1, {} }, body = { 1, {}, true },
      headers = { "A: b", { {} }, { A = true }, { A = { {} } },
        { A = print }, { [true] = "b" } },
      authorization = { "x", {} },
      timeout = { "1", 0 / 0 }, max_response = { -1, "x", 0 / 0, 2 ^ 60 },
      proxy = { 1, "http://a\0b" }, ca_file = { true, "a\0b" } }
    for name, values in pairs(bad) do
      for _, value in ipairs(values) do
        local options = {}
        for k, v in pairs(good) do
          options[k] = v
        end
        options[name] = value
        fails(pool.start, pool, options)
      end
    end
    assert.matches("'url' is missing", fails(pool.start, pool, {}), 1, true)
    for name, values in pairs { proxy = { 1, "http://a\0b" },
      ca_file = { "a\0b" }, timeout = { "1" }, max_response = { -1 } } do
      for _, value in ipairs(values) do
        fails(core.pool, poller, { [name] = value })
      end
    end
    secret:close()
    good.authorization = secret
    assert.matches("is closed", fails(pool.start, pool, good))
  end)

  it("of a poller that is closed leaves the pool usable as an object",
    function()
      poller:close()
      local started, kind = pool:start { method = "GET", max_response = 10,
        url = server.url .. "/ok" }
      assert.is_nil(started)
      assert.equal("closed", kind)
      assert.is_nil(pool:next())
      request:cancel()
      assert.equal(request, pool:next())
    end)

  it("of descriptors gives an error", function()
    local file = io.open "/dev/null"
    local ok, kind = poller:watch(1000000, "r")
    file:close()
    assert.is_nil(ok)
    assert.equal("closed", kind)
    poller:unwatch(1000000)
  end)
end)

describe("a request", function()
  it("is handed out by its pool even where Lua let go of it", function()
    local poller = core.poller()
    local pool = core.pool(poller)
    for _ = 1, 50 do
      assert(pool:start { method = "GET", max_response = 10,
        url = server.url .. "/ok" })
    end
    collectgarbage()
    collectgarbage()
    for _ = 1, 50 do
      local request = wait(poller, pool)
      local status, headers, body = request:result()
      assert.equal(200, status)
      assert.equal("2", headers["content-length"])
      assert.equal("ok", body)
      request:close()
    end
    pool:close()
    poller:close()
  end)

  it("may be used again once it is closed, not before", function()
    local poller = core.poller()
    local pool = core.pool(poller)
    local options = { url = server.url .. "/ok" }
    local first = assert(pool:start(options))
    assert.matches("not closed", fails(pool.start, pool, options, first))
    assert.equal(first, wait(poller, pool))
    first:close()
    local live = core.live()
    local again = assert(pool:start(options, first))
    assert.equal(first, again)
    assert.equal(live + 1, core.live())
    assert.equal(first, wait(poller, pool))
    assert.equal(200, (first:result()))
    for _, wrong in ipairs { poller, {}, 1, "x" } do
      fails(pool.start, pool, options, wrong)
    end
    for _, handle in ipairs { first, pool, poller } do
      handle:close()
    end
  end)

  it("leaves no memory behind", function()
    local poller = core.poller()
    local pool = core.pool(poller)
    local function rss()
      return tonumber(io.open "/proc/self/statm":read "*a":match "%d+ (%d+)")
        * 4096
    end
    local function many(n)
      for _ = 1, n do
        assert(pool:start { method = "POST", max_response = 100000,
          body = ("x"):rep(50000), url = server.url .. "/ok" })
        wait(poller, pool):close()
      end
      collectgarbage()
      collectgarbage()
    end
    many(300)
    local before = rss()
    many(1000)
    assert.is_true(rss() - before < 8 * 1024 * 1024)
    pool:close()
    poller:close()
  end)
end)

describe("the memory of a process", function()
  -- Looks through all that can be written to, as a core dump would show it,
  -- for an Authorization value whose text the interpreter never had in one
  -- piece.
  local SCRIPT = [[
    local core = require "flexhooks.core"
    local url, when = arg[1], arg[2]
    local first, second = "QUMwMTIzNDU2Nzg5", "OnMzY3IzdC10MGszbg=="
    local secret = core.basic("AC0123456789", core.secret "s3cr3t-t0k3n")
    local function holds(bytes)
      local i, j = 0, 0
      repeat
        i, j = bytes:find(first, j + 1, true)
        if i and bytes:sub(j + 1, j + #second) == second then
          return true
        end
      until not i
    end
    local function readable()
      local parts = {}
      for line in io.lines "/proc/self/maps" do
        local from, to = line:match "^(%x+)%-(%x+) rw"
        -- A sanitizer reserves terabytes for its own use.
        if from and tonumber(to, 16) - tonumber(from, 16) < 2 ^ 28 then
          parts[#parts + 1] = { tonumber(from, 16), tonumber(to, 16) }
        end
      end
      return parts
    end
    local function found()
      local memory = io.open("/proc/self/mem", "rb")
      memory:setvbuf "no"
      for _, part in ipairs(readable()) do
        if memory:seek("set", part[1])
          and holds(memory:read(part[2] - part[1]) or "") then
          return true
        end
      end
      return false
    end
    local poller = core.poller()
    local pool = core.pool(poller)
    assert(pool:start { method = "GET", url = url, max_response = 1000,
      authorization = secret })
    if when == "during" then
      print(found())
      os.exit(0)
    end
    local request
    repeat
      poller:wait(1)
      request = pool:next()
    until request
    assert(request:result() == 200)
    request:close()
    secret:close()
    pool:close()
    poller:close()
    print(found())]]

  local function run(when)
    local script = process.write(process.folder() .. "/a.lua", SCRIPT)
    local _, out, err = process.run { process.lua, script,
      server.url .. "/ok", when }
    assert.equal("", err)
    return out
  end

  it("shows credentials only while they are in use", function()
    server:forget()
    assert.equal("true\n", run "during")
    assert.equal("false\n", run "after")
    assert.equal("Basic QUMwMTIzNDU2Nzg5OnMzY3IzdC10MGszbg==",
      server:requests()[1].authorization)
  end)
end)

describe("what a pool would refuse", function()
  it("is known without one", function()
    local call = { url = "https://h.example/", method = "POST", body = "a",
      headers = { A = "b", ["X-L"] = { "c", 5 }, ["X-N"] = 5 } }
    assert.is_true(core.check_call(call))
    for name, value in pairs { url = "https://h.example/ ", method = "G ET",
      headers = { ["A B"] = "c" } } do
      local wrong = { url = call.url, method = call.method }
      wrong[name] = value
      local ok, message = core.check_call(wrong)
      assert.is_nil(ok)
      assert.is_string(message)
    end
  end)
end)
