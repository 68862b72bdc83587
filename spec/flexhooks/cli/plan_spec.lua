local command = require "spec.support.command"
local hooks_command = require "spec.support.hooks_command"
local json = require "flexhooks.json"
local plan = require "flexhooks.cli.plan"
local process = require "spec.support.process"
local scripted = require "spec.support.scripted"
local terminal = require "spec.support.terminal"

local unpack = table.unpack or unpack

describe("cli.plan", function()
  local bench, two

  lazy_setup(function()
    bench = hooks_command.start()
    two = bench:file(hooks_command.TWO)
  end)

  lazy_teardown(function()
    bench:stop()
  end)

  it("tells field by field what applying would do, and does none of it",
    function()
      assert.is_function(plan.configure)
      assert.is_function(plan.run)
      local status, out, err = bench:run("plan", two)
      assert.equal(0, status, err)
      assert.equal("", err)
      assert.matches('\n  %+ create    "own"\n      friendly_name: "own"\n'
        .. '      type: "interaction"\n', out)
      assert.matches("\nPlan: 2 to create%.\n$", out)
      assert.same({}, bench:ttids())
    end)

  it("exits 1 with --check where something differs", function()
    assert.equal(1, (bench:run("plan", two, "--check")))
    assert.equal(0, (bench:run("plan", bench:file "return {}", "--check")))
  end)

  it("prints JSON for programs, the same with --check", function()
    for status, arguments in pairs { [0] = { "plan", two, "--json" },
      { "plan", two, "--json", "--check" } } do
      local got, out, err = bench:run(unpack(arguments))
      assert.equal(status, got)
      assert.equal("", err)
      local data = assert(json.decode(out))
      assert.equal(2, #data.changes)
      assert.equal("create", data.changes[1].action)
      assert.equal("all", data.changes[1].friendly_name)
      assert.equal("interaction", data.changes[2].type)
      assert.equal(1, #data.notes)
    end
  end)

  it("is in colour at a terminal alone, and NO_COLOR is honoured", function()
    local _, out = bench:run("plan", two)
    assert.is_nil(out:find("\27", 1, true))
    local function screen(more)
      local env = { TERM = "xterm", NO_COLOR = false }
      for _, set in ipairs { bench.env, more } do
        for name, value in pairs(set) do
          env[name] = value
        end
      end
      local _, text = terminal.spawn({ "plan", two }, env):wait()
      return text
    end
    assert.matches("\27%[32m  %+ create", screen {})
    assert.is_nil(screen { NO_COLOR = "1" }:find("\27", 1, true))
    assert.is_truthy(screen { NO_COLOR = "" }:find("\27", 1, true))
    assert.is_nil(screen { TERM = "dumb" }:find("\27", 1, true))
  end)

  -- What the command says of an API at this address, which refuses.
  local function refused(base_url, changes)
    local env = { FLEXHOOKS_BASE_URL = base_url }
    for _, set in ipairs { changes or {}, bench.env } do
      for name, value in pairs(set) do
        env[name] = env[name] or value
      end
    end
    local status, out, err = command.run({ "plan", two }, env)
    assert.equal(1, status, err)
    assert.equal("", out)
    assert.is_nil(err:find(hooks_command.simulator.auth_token, 1, true))
    assert.is_nil(err:find("traceback", 1, true))
    return err
  end

  it("says what to do where the API cannot be reached, or knows nobody",
    function()
      assert.matches("^flexhooks: connect: .*\n  Does anybody listen",
        refused("http://127.0.0.1:" .. process.port()))
      assert.matches("^flexhooks: auth: .*401.*\n  Are TWILIO_ACCOUNT_SID",
        refused(bench.service.url, { TWILIO_AUTH_TOKEN = "0ther" }))
    end)

  it("says what to do where the API refuses", function()
    for status, wanted in pairs {
      [403] = "^flexhooks: auth: no .*403.*\n  The credentials are known",
      [404] = "^flexhooks: not_found: no .*404.*\n  Is it there",
      [429] = "^flexhooks: rate_limited: no .*429.*\n  Others use",
    } do
      local body = ('{"code":20001,"message":"no","status":%d}'):format(status)
      local service = scripted.start { ("HTTP/1.1 %d No\r\nRetry-After: 0\r\n"
        .. "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s")
        :format(status, #body, body) }
      assert.matches(wanted, refused(service.url))
      service.child:stop()
    end
  end)

  it("ends at Ctrl-C while it waits for the API", function()
    local service = scripted.start { { bytes = "", after = "hang" } }
    local env = { FLEXHOOKS_BASE_URL = service.url }
    for name, value in pairs(bench.env) do
      env[name] = env[name] or value
    end
    local child = command.spawn({ "plan", two }, env)
    process.eventually(function()
      return #service:requests() > 0
    end)
    child:kill "INT"
    assert.equal(1, child:wait())
    assert.equal("flexhooks: cancelled: interrupted\n", child:stderr())
    service.child:stop()
  end)
end)
