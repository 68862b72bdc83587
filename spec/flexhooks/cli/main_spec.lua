local cli = require "flexhooks.cli.main"
local command = require "spec.support.command"
local process = require "spec.support.process"

local COMMANDS = { "webhooks", "plan", "apply", "export", "serve", "work",
  "queue", "trigger", "simulate", "verify", "doctor", "completion" }

describe("cli", function()
  it("is what the command runs", function()
    assert.is_function(cli.main)
    assert.is_function(cli.parser)
  end)

  it("helps, with an example, for every command", function()
    local status, out, err = command.run { "--help" }
    assert.equal(0, status)
    assert.equal("", err)
    for _, name in ipairs(COMMANDS) do
      assert.matches("\n   " .. name .. " ", out)
      local text
      status, text = command.run { name, "--help" }
      assert.equal(0, status)
      assert.matches("\nUsage: flexhooks " .. name, "\n" .. text)
      assert.matches("\nExample:\n   .*flexhooks " .. name, text)
    end
    for _, name in ipairs { "list", "get", "create", "update", "delete" } do
      local _, text = command.run { "webhooks", name, "--help" }
      assert.matches("\nExample:\n   flexhooks webhooks " .. name, text)
    end
  end)

  it("fits its help to 79 columns, and breaks no line of an example",
    function()
      for _, name in ipairs { "--help", (table.unpack or unpack)(COMMANDS) } do
        local words = name == "--help" and { name } or { name, "--help" }
        local _, out = command.run(words)
        for line in out:gmatch "[^\n]+" do
          local _, length = line:gsub("[^\128-\191]", "")
          assert.is_true(length <= 79, line)
        end
        local ok, module = pcall(require, "flexhooks.cli." .. name)
        local example = ok and "   " .. module.example:gsub("\n", "\n   ")
        assert.is_truthy(not example or out:find(example:gsub("\n +\n",
          "\n\n"), 1, true) or out:find(example, 1, true), name)
      end
    end)

  it("tells its version", function()
    local status, out = command.run { "--version" }
    assert.equal(0, status)
    assert.equal("flexhooks " .. require("flexhooks")._VERSION .. "\n", out)
  end)

  it("ends with 2 where it was misused, and says so on stderr", function()
    for wanted, arguments in pairs {
      ["Did you mean 'webhooks'%?"] = { "webhook" },
      ["a command is required"] = {},
      ["unknown option '%-%-prt'"] = { "serve", "app.lua", "--prt", "1" },
      ["missing argument 'app'"] = { "serve" },
      ["missing option '%-%-url'"] = { "trigger", "onChannelCreated" },
      ["takes a number, not 'x'"] = { "simulate", "--port", "x" },
    } do
      local status, out, err = command.run(arguments)
      assert.equal(2, status, wanted)
      assert.equal("", out)
      assert.matches(wanted, err)
      assert.matches("^Usage: flexhooks", err)
    end
  end)

  it("takes no secret as an argument", function()
    for _, name in ipairs { "trigger", "verify", "simulate" } do
      local status, _, err = command.run { name, "--auth-token", "s3cret" }
      assert.equal(2, status)
      assert.is_nil(err:find("s3cret", 1, true))
    end
  end)

  it("fails where what it printed went nowhere", function()
    local status, _, err = process.run({ "sh", "-c", "exec >/dev/full; exec '"
      .. process.top .. "/bin/flexhooks' completion bash" },
      { env = command.environment() })
    assert.equal(1, status)
    assert.matches("cannot write to standard output: No space left", err)
  end)

  it("runs from another folder and through a link", function()
    local folder = process.folder()
    os.execute(("ln -s '%s/bin/flexhooks' '%s/fh'"):format(process.top,
      folder))
    local status, out = process.run({ folder .. "/fh", "--version" }, {
      cwd = folder,
      env = { LUA = process.lua, LUA_PATH = false, LUA_CPATH = false },
    })
    assert.equal(0, status)
    assert.matches("^flexhooks %d", out)
  end)

  it("finds the Lua that the environment's modules are for", function()
    for _, lua in ipairs { "lua5.4", "luajit" } do
      local status, out, err = process.run(
        { process.top .. "/bin/flexhooks", "--version" }, {
          env = { LUA = false, LUA_PATH = false,
            LUA_CPATH = process.top .. "/build/" .. lua .. "/?.so;;" },
        })
      assert.equal(0, status, err)
      assert.matches("^flexhooks %d", out)
    end
  end)
end)
