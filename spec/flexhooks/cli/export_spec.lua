local export = require "flexhooks.cli.export"
local hooks_command = require "spec.support.hooks_command"
local process = require "spec.support.process"

describe("cli.export", function()
  local bench

  lazy_setup(function()
    bench = hooks_command.start()
    assert.equal(0, (bench:run("apply", bench:file(hooks_command.TWO),
      "--yes")))
  end)

  lazy_teardown(function()
    bench:stop()
  end)

  it("writes a file that plans to no changes", function()
    assert.is_function(export.configure)
    assert.is_function(export.run)
    local path = process.folder() .. "/out.lua"
    local status, out, err = bench:run("export", path)
    assert.equal(0, status, err)
    assert.equal("", out)
    status, out = bench:run("plan", path, "--check")
    assert.equal(0, status)
    assert.matches("No changes: 2 unchanged", out)
    local _, text = bench:run("export")
    assert.equal(process.read(path), text)
  end)

  it("writes the webhooks of one owner", function()
    for _, name in ipairs { "teamA/x", "teamAB/x" } do
      assert.equal(0, (bench:run("webhooks", "create", "--name", name, "--url",
        "https://company.example/" .. name, "--event", "onChannelCreated")))
    end
    local path = process.folder() .. "/teamA.lua"
    local status, _, err = bench:run("export", path, "--owner", "teamA")
    assert.equal(0, status, err)
    local text = process.read(path)
    assert.matches('\n  owner = "teamA",\n', text)
    assert.is_nil(text:find("teamAB", 1, true))
    local out
    status, out = bench:run("plan", path, "--check", "--prune")
    assert.equal(0, status)
    assert.matches("No changes: 1 unchanged", out)
    assert.equal(2, (bench:run("export", path, "--owner", "a/b")))
  end)

  it("replaces no file unless told to", function()
    local path = bench:file "mine"
    local status, _, err = bench:run("export", path)
    assert.equal(2, status)
    assert.matches("%-%-force", err)
    assert.equal("mine", process.read(path))
    assert.equal(0, (bench:run("export", path, "--force")))
    assert.matches("^%-%- Interactions webhooks", process.read(path))
  end)

  it("says where it cannot write", function()
    local status, _, err = bench:run("export", "/nonexistent/hooks.lua")
    assert.equal(2, status)
    assert.matches("cannot write: /nonexistent/hooks.lua", err)
    status, _, err = bench:run("export", "/dev/full", "--force")
    assert.equal(2, status)
    assert.matches("cannot write /dev/full: No space left", err)
  end)
end)
