local lfs = require "lfs"
local process = require "spec.support.process"

describe("process", function()
  it("runs a program and gives its status and output", function()
    local status, out, err = process.run({ "sh", "-c",
      "cat; echo \"$A\" >&2; exit 3" }, { stdin = "in", env = { A = "it's" } })
    assert.same({ 3, "in", "it's\n" }, { status, out, err })
  end)

  it("unsets variables and changes folders", function()
    local dir = process.folder()
    local _, out = process.run({ "sh", "-c", "echo ${LC_ALL-none}; pwd" },
      { env = { LC_ALL = false, A = "b" }, cwd = dir })
    assert.equal("none\n" .. dir .. "\n", out)
  end)

  it("ends a program by signals, SIGINT too", function()
    for signal, number in pairs { TERM = 15, INT = 2, KILL = 9 } do
      local child = process.spawn { "sleep", "60" }
      assert.is_nil(child:status())
      child:kill(signal)
      assert.equal(128 + number, child:wait())
    end
  end)

  it("tells what a program wrote that ended too early", function()
    local child = process.spawn { "sh", "-c", "echo no luck; exit 7" }
    local ok, err = pcall(child.wait_port, child, process.port())
    assert.is_false(ok)
    assert.matches("ended with 7", err)
    assert.matches("no luck", err)
  end)

  it("waits for a listener", function()
    local port = process.port()
    assert.is_false(process.listening(port))
    local child = process.spawn { process.lua, "-e", ([[
      local server = assert(require "socket".bind("127.0.0.1", %d))
      print "bound"
      server:accept()]]):format(port) }
    child:wait_port(port)
    assert.is_true(process.listening(port))
  end)

  it("uses the interpreter of the spec for children", function()
    local status, out = process.run { process.lua, "-e",
      "io.write(tostring(jit and jit.version or _VERSION))" }
    assert.equal(0, status)
    local jit = rawget(_G, "jit")
    assert.equal(tostring(jit and jit.version or _VERSION), out)
  end)

  it("stops and removes everything", function()
    local child, dir = process.spawn { "sleep", "60" }, process.folder()
    process.stop_all()
    assert.is_nil(lfs.attributes("/proc/" .. child.pid))
    assert.is_nil(lfs.attributes(dir))
  end)
end)
