local core = require "flexhooks.core"
local socket = require "socket"

describe("a poller", function()
  local poller

  before_each(function()
    poller = core.poller()
  end)

  after_each(function()
    poller:close()
  end)

  it("ends its wait when what it watches is ready", function()
    local listener = socket.bind("127.0.0.1", 0)
    local _, port = listener:getsockname()
    assert.is_true(poller:watch(listener:getfd(), "r"))
    local peer = socket.connect("127.0.0.1", port)
    assert.is_true(poller:wait())
    assert.is_true(poller:watch(peer:getfd(), "rw"))
    poller:unwatch(listener:getfd())
    assert.is_true(poller:wait())
    peer:close()
    listener:close()
  end)

  it("waits no longer than told", function()
    local begun = core.clock()
    assert.is_true(poller:wait(0))
    assert.is_true(poller:wait(0.01))
    assert.is_true(core.clock() - begun >= 0.01)
    assert.is_nil(poller:timeout())
  end)

  it("can be watched by another", function()
    local outer, listener = core.poller(), socket.bind("127.0.0.1", 0)
    local _, port = listener:getsockname()
    poller:watch(listener:getfd(), "r")
    outer:watch(poller:fd(), "r")
    local peer = socket.connect("127.0.0.1", port)
    assert.is_true(outer:wait())
    for _, handle in ipairs { peer, listener, outer } do
      handle:close()
    end
  end)

  it("tells when a pool's timer is due", function()
    local pool = core.pool(poller)
    assert.is_nil(poller:timeout())
    local request = assert(pool:start { method = "GET", max_response = 1,
      url = "http://127.0.0.1:1/" })
    assert.is_true(poller:timeout() <= 0.01)
    request:close()
    pool:close()
    assert.is_nil(poller:timeout())
  end)
end)

describe("signals", function()
  it("are told by name, once each", function()
    local poller = core.poller()
    local signals = poller:signals("USR1", "HUP")
    assert.is_nil(signals:next())
    os.execute("kill -HUP " .. core.pid())
    poller:watch(signals:fd(), "r")
    poller:wait()
    assert.equal("HUP", signals:next())
    assert.is_nil(signals:next())
    signals:close()
    poller:close()
    assert.has_error(function()
      signals:next()
    end)
  end)
end)

describe("the clocks", function()
  it("count seconds", function()
    assert.is_true(math.abs(core.now() - os.time()) < 60)
    local before = core.clock()
    assert.is_true(core.clock() >= before)
  end)

  it("know the process", function()
    assert.equal(core.pid(),
      tonumber(io.open "/proc/self/stat":read "*a":match "^%d+"))
  end)
end)
