local apply = require "flexhooks.cli.apply"
local command = require "spec.support.command"
local hooks_command = require "spec.support.hooks_command"
local json = require "flexhooks.json"
local process = require "spec.support.process"
local terminal = require "spec.support.terminal"

describe("cli.apply", function()
  local bench, two

  before_each(function()
    bench = hooks_command.start()
    two = bench:file(hooks_command.TWO)
  end)

  after_each(function()
    bench:stop()
  end)

  it("says what it will do, does it, and then has nothing to do", function()
    assert.is_function(apply.configure)
    assert.is_function(apply.run)
    local status, out, err = bench:run("apply", two, "--yes")
    assert.equal(0, status, err)
    assert.equal("Applied: 2 created.\n", out)
    assert.matches("Plan: 2 to create%.\n  create all: done %(flex_%w+_%w+%)\n"
      .. "  create own: done %(flex_%w+_%w+%)\n$", err)
    assert.equal(2, #bench:ttids())
    status, out, err = bench:run("apply", two)
    assert.equal(0, status, err)
    assert.equal("Applied: 2 unchanged.\n", out)
    assert.equal(0, (bench:run("plan", two, "--check")))
  end)

  it("asks at a terminal, and takes 'yes' for a yes alone", function()
    local function answered(keys)
      local session = terminal.spawn({ "apply", two }, bench.env)
      session.child:wait_output "Only 'yes' is accepted: "
      session:type(keys)
      return session:wait()
    end
    for _, keys in ipairs { "y\n", "\n", "\3" } do
      local status, screen = answered(keys)
      assert.equal(1, status)
      assert.matches("flexhooks: cancelled: ", screen)
      assert.same({}, bench:ttids())
    end
    local status, screen = answered "yes\n"
    assert.equal(0, status)
    assert.matches("Applied: 2 created%.\n$", screen)
    assert.equal(2, #bench:ttids())
  end)

  it("does nothing unasked where nobody can be asked", function()
    local status, out, err = bench:run("apply", two)
    assert.equal(2, status)
    assert.equal("", out)
    assert.matches("Plan: 2 to create", err)
    assert.matches("flexhooks: argument: .*%-%-yes\n$", err)
    assert.same({}, bench:ttids())
  end)

  it("ends well where two apply at once", function()
    local children = {}
    for i = 1, 2 do
      children[i] = command.spawn({ "apply", two, "--yes" }, bench.env)
    end
    for _, child in ipairs(children) do
      assert.equal(0, child:wait(), child:stderr())
    end
    assert.equal(2, #bench:ttids())
    assert.equal(0, (bench:run("plan", two, "--check")))
  end)

  it("prunes what its owner has, when asked to", function()
    local text = hooks_command.TWO:gsub('name = "', '%0teamA/')
    assert.equal(0, (bench:run("apply", bench:file(text), "--yes")))
    assert.equal(0, (bench:run("webhooks", "create", "--name", "theirs",
      "--url", "https://company.example/flex/theirs", "--event",
      "onChannelCreated")))
    local one = bench:file((text:gsub('{ friendly_name = "teamA/own".*',
      "}")))
    local _, _, told = bench:run("apply", one, "--yes", "--owner", "teamA")
    assert.matches("own .*is not in the file; prune deletes it", told)
    assert.equal(3, #bench:ttids())
    local status, out, err = bench:run("apply", one, "--yes", "--prune",
      "--json", "--owner", "teamA")
    assert.equal(0, status, err)
    assert.matches("delete teamA/own: done", err)
    local data = assert(json.decode(out))
    assert.same({ "unchanged", "delete" }, { data.changes[1].action,
      data.changes[2].action })
    local _, left = bench:run("webhooks", "list")
    assert.matches("theirs", left)
    assert.is_nil(left:find "/own")
  end)

  it("deletes nothing without an owner, and names the option", function()
    assert.equal(0, (bench:run("apply", two, "--yes")))
    local other = bench:file [[return { { friendly_name = "new",
      webhook_url = "https://company.example/new#rc=3",
      webhook_events = { "*" } } }]]
    for _, command_name in ipairs { "plan", "apply" } do
      local status, out, err = bench:run(command_name, other, "--prune",
        command_name == "apply" and "--yes" or "--check")
      assert.equal(2, status)
      for _, name in ipairs { "all", "own" } do
        assert.matches("! " .. name .. " %(flex_[%w_]+%) is not in the file: "
          .. "it is left alone\n", out .. err)
      end
      assert.matches("\nflexhooks: argument: prune .*%-%-owner NAME.*\n$",
        "\n" .. err)
    end
    assert.equal(2, #bench:ttids())
    local status, _, err = bench:run("apply", other, "--prune", "--yes",
      "--owner", "")
    assert.equal(2, status)
    assert.matches("%-%-owner must be 1 to 64", err)
  end)

  it("leaves another team's webhooks at the same host alone", function()
    local function file(team, path, extra)
      return bench:file(([[return { owner = %q, { friendly_name = %q,
        webhook_url = "https://company.example/%s#rc=3",
        webhook_events = { "*" } }, %s }]]):format(team, team .. "/x", path,
        extra or ""))
    end
    local b = file("teamB", "b")
    assert.equal(0, (bench:run("apply", b, "--yes")))
    assert.equal(0, (bench:run("apply", file("teamA", "a"), "--prune",
      "--yes")))
    assert.equal(2, #bench:ttids())
    assert.equal(0, (bench:run("plan", b, "--check")))
    local status, _, err = bench:run("apply", file("teamA", "a", [[
      { friendly_name = "teamB/x", webhook_url = "https://a.example/",
        webhook_events = { "*" } }]]), "--yes", "--repoint")
    assert.equal(2, status)
    assert.matches('entry 2 %("teamB/x"%): its friendly_name must begin', err)
    assert.equal(0, (bench:run("plan", b, "--check")))
  end)

  it("re-points a webhook of another origin with --repoint alone", function()
    local function file(host)
      return bench:file(([[return { { friendly_name = "x",
        webhook_url = "https://%s/x#rc=3", webhook_events = { "*" } } }]])
        :format(host))
    end
    assert.equal(0, (bench:run("apply", file "b.example", "--yes")))
    local a = file "a.example"
    local status, out, err = bench:run("plan", a)
    assert.equal(0, status, err)
    assert.matches('\n?  ~ re%-points "x"  %(flex_', out)
    assert.matches("%-%-repoint", out)
    status, out, err = bench:run("apply", a, "--yes")
    assert.equal(2, status)
    assert.equal("", out)
    assert.matches('  ~ re%-points "x"', err)
    assert.matches("\nflexhooks: argument: x %(flex_.*%-%-repoint", err)
    assert.equal(0, (bench:run("plan", file "b.example", "--check")))
    assert.equal(0, (bench:run("apply", a, "--yes", "--repoint")))
    assert.equal(0, (bench:run("plan", a, "--check")))
  end)

  it("changes nothing where one entry is invalid", function()
    for entry, wanted in pairs {
      ['{ webhook_url = "https://a.example", webhook_events = '
        .. '{ "onChanelCreated" } }'] = "did you mean 'onChannelCreated'",
      ['{ webhook_url = "ftp://a.example", webhook_events = { "*" } }'] =
        "http",
      ['{ webhook_url = 5, webhook_events = { "*" } }'] = "webhook_url",
      ['{ webhook_uri = "https://a.example" }'] = "webhook_ur[il]",
      ['{ friendly_name = "all", webhook_url = "https://a.example", '
        .. 'webhook_events = { "*" } }'] = "its friendly_name is that of",
      ["5"] = "must be a table, got number",
    } do
      local file = bench:file((hooks_command.TWO:gsub("}%s*$",
        "  " .. entry .. ",\n}\n")))
      local status, out, err = bench:run("apply", file, "--yes")
      assert.equal(2, status, err)
      assert.equal("", out)
      assert.matches("flexhooks: argument: .*entry 3.*" .. wanted, err)
    end
    assert.same({}, bench:ttids())
  end)

  it("lists all that is wrong with a file", function()
    local status, _, err = bench:run("apply", "--yes", bench:file [[
      return { { webhook_url = "ftp://a" }, nil, {}, names = {} }]])
    assert.equal(2, status)
    assert.matches("key 'names' %(and 2 more%)\n  entry 2 is nil[^\n]*\n"
      .. "  entry 1: [^\n]*missing\n$", err)
  end)

  it("says where a file is not one of webhooks", function()
    for text, wanted in pairs {
      ["return 5"] = "hooks.lua must return a list",
      ["return {"] = "cannot load: .*hooks.lua",
      ["error 'oh'"] = "hooks.lua failed: .*oh",
    } do
      local status, _, err = bench:run("apply", bench:file(text), "--yes")
      assert.equal(2, status)
      assert.matches("flexhooks: config: .*" .. wanted, err)
    end
    local status, _, err = bench:run("apply", "/nonexistent.lua")
    assert.equal(2, status)
    assert.matches("nonexistent", err)
  end)
end)

describe("cli.apply, interrupted", function()
  local MANY = [[
local hooks = {}
for i = 1, 10 do
  hooks[i] = { friendly_name = "hook " .. i, webhook_events = { "*" },
    webhook_url = "https://company.example/" .. i }
end
return hooks]]

  it("says what was done, and run again does the rest", function()
    -- Two requests a second of an endpoint make it slow enough to be met.
    local bench = hooks_command.start { "--rate-limit", "2" }
    local file = bench:file(MANY)
    local session = terminal.spawn({ "apply", file, "--yes" }, bench.env)
    session.child:wait_output "create hook 1: done"
    session:type "\3"
    local status, screen = session:wait()
    assert.equal(1, status)
    local made = tonumber(screen:match
      "\n(%d) of 10 changes were made; run it again to make the others%.\n")
    assert.is_true(made >= 1 and made < 10, screen)
    assert.matches("\nflexhooks: cancelled: interrupted\n$", screen)
    local again, _, err = bench:run("apply", file, "--yes")
    assert.equal(0, again, err)
    assert.equal(10, #bench:ttids())
    assert.equal(0, (bench:run("plan", file, "--check")))
    bench:stop()
  end)

  it("tells programs what was done", function()
    local bench = hooks_command.start { "--rate-limit", "2" }
    local child = command.spawn({ "apply", bench:file(MANY), "--yes",
      "--json" }, bench.env)
    process.eventually(function()
      return child:stderr():find("create hook 1: done", 1, true)
    end)
    assert.equal(1, child:stop "INT")
    local made = 0
    for i, change in ipairs(assert(json.decode(child:stdout())).changes) do
      assert.equal("hook " .. i, change.friendly_name)
      assert.equal(change.done == true, change.ttid ~= nil)
      made = made + (change.done and 1 or 0)
    end
    assert.is_true(made >= 1 and made < 10, child:stdout())
    -- The answer to one more may have been cut off.
    local there = #bench:ttids()
    assert.is_true(there == made or there == made + 1)
    bench:stop()
  end)
end)
