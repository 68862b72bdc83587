local core = require "flexhooks.core.redis"
local process = require "spec.support.process"
local redis = require "spec.support.redis"
local system = require "system"

local server

setup(function()
  server = redis.start()
end)

-- Sends what waits and takes one reply; what `next` returned.
local function reply(connection)
  for _ = 1, 5000 do
    local ok, kind, message = connection:flush()
    if ok ~= nil then
      ok, kind, message = connection:read()
    end
    if ok == nil then
      return nil, kind, message
    end
    local answered, value, more = connection:next()
    if answered ~= nil or value then
      return answered, value, more
    end
    system.sleep(0.005)
  end
  error "no reply"
end

describe("core.redis", function()
  it("sends any bytes, and gives each kind of reply its value", function()
    local c = assert(core.new("127.0.0.1", server.port))
    assert.is_number(c:fd())
    local bytes = "\0\r\n*1\r\n\255"
    assert.is_true(c:append { "ECHO", bytes })
    assert.is_true(c:append { "EVAL", "return {1, {'a', false}, -7, "
      .. "redis.status_reply('fine')}", "0" })
    assert.is_true(c:append { "NOSUCH" })
    assert.is_true(c:append { "EVAL", "return { 1, { 2, "
      .. "redis.error_reply('ERR inside') } }", "0" })
    assert.same({ true, bytes }, { reply(c) })
    assert.same({ true, { 1, { "a", false }, -7, "fine" } }, { reply(c) })
    local ok, message = reply(c)
    assert.is_false(ok)
    assert.matches("^ERR unknown command", message)
    assert.same({ false, "ERR inside" }, { reply(c) })
    assert.equal(0, select("#", c:next()))
    c:close()
    c:close()
    assert.is_false(pcall(c.append, c, { "PING" }))
  end)

  it("takes replies of many pieces", function()
    local c = assert(core.new("127.0.0.1", server.port))
    local big = ("x"):rep(3 * 1024 * 1024)
    assert.is_true(c:append { "SET", "big", big })
    assert.same({ true, "OK" }, { reply(c) })
    assert.is_true(c:append { "GET", "big" })
    local _, value = reply(c)
    assert.is_true(value == big)
    c:close()
  end)

  it("refuses what it cannot send", function()
    local c = assert(core.new("127.0.0.1", server.port))
    for _, wrong in ipairs { {}, { 5 }, { "GET", {} }, { "GET", true } } do
      assert.is_false(pcall(c.append, c, wrong))
    end
    assert.is_false(pcall(c.append, c))
    assert.is_false(pcall(c.append, c, "PING"))
    assert.is_false(pcall(core.new))
    assert.is_false(pcall(core.new, "127.0.0.1", 0))
    assert.is_false(pcall(core.new, "127.0.0.1", 65536))
    local ok, kind
    local chunk = ("x"):rep(1024 * 1024)
    for _ = 1, 65 do
      ok, kind = c:append { "ECHO", chunk }
    end
    assert.is_nil(ok)
    assert.equal("too_large", kind)
    c:close()
  end)

  it("says why a connection is over", function()
    local c = assert(core.new("127.0.0.1", process.port()))
    c:append { "PING" }
    local ok, kind = reply(c)
    assert.is_nil(ok)
    assert.equal("connect", kind)
    assert.is_nil((c:append { "PING" }))
    c:close()
    c = assert(core.new("127.0.0.1", server.port))
    c:append { "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no" }
    repeat
      ok, kind = reply(c)
    until ok == nil
    assert.equal("reset", kind)
    c:close()
    ok, kind = core.new("no.such.host.invalid", 1)
    assert.is_nil(ok)
    assert.equal("connect", kind)
  end)

  it("leaves nothing open where it is only forgotten", function()
    for _ = 1, 20 do
      core.new("127.0.0.1", server.port):append { "PING" }
    end
    collectgarbage()
    collectgarbage()
    assert.equal(0, core.live())
  end)
end)
