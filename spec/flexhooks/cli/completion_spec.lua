local cli = require "flexhooks.cli.main"
local command = require "spec.support.command"
local completion = require "flexhooks.cli.completion"
local process = require "spec.support.process"

local TRY = [[
source "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
_flexhooks
echo "${COMPREPLY[*]}"]]

describe("cli.completion", function()
  local bash

  lazy_setup(function()
    local status, out, err = command.run { "completion", "bash" }
    assert(status == 0, err)
    bash = process.write(process.folder() .. "/flexhooks.bash", out)
  end)

  -- What bash offers for the last word.
  local function offered(...)
    local status, out, err = process.run { "bash", "-c", TRY, "bash", bash,
      "flexhooks", ... }
    assert.equal(0, status, err)
    assert.equal("", err)
    return (out:gsub("\n$", ""))
  end

  it("completes commands, options, and what they take", function()
    for _, f in ipairs { completion.configure, completion.run } do
      assert.is_function(f)
    end
    assert.equal("serve simulate", offered "s")
    assert.equal("list get create update delete", offered("webhooks", ""))
    assert.equal("--check", offered("plan", "--ch"))
    assert.equal("--event", offered("webhooks", "create", "--ev"))
    assert.equal("onParticipantJoined onParticipantLeft onParticipantUpdated",
      offered("webhooks", "create", "--event", "onP"))
    assert.equal("onInteractionCreated", offered("trigger", "onI"))
    assert.equal("abandoned", offered("simulate", "--scenario", "a"))
    assert.equal("bash zsh", offered("completion", ""))
  end)

  it("knows every option of every command", function()
    local text = completion.text(cli.parser(), "bash")
    for _, name in ipairs { "apply", "doctor", "export", "plan", "queue dead",
      "serve", "simulate", "trigger", "verify", "webhooks list", "work" } do
      local words = { "--help" }
      for word in name:gmatch "%S+" do
        table.insert(words, #words, word)
      end
      local _, help = command.run(words)
      for option in help:gmatch "\n +%-?%-?%w?,? ?(%-%-[%w-]+)" do
        assert.is_truthy(text:find(option, 1, true), name .. " " .. option)
      end
    end
  end)

  it("has a function for zsh", function()
    local status, out = command.run { "completion", "zsh" }
    assert.equal(0, status)
    assert.matches("^#compdef flexhooks\n", out)
    assert.matches("onParticipantJoined", out, 1, true)
    assert.matches("\n_flexhooks\n$", out)
  end)

  it("knows no other shell", function()
    local status, _, err = command.run { "completion", "fish" }
    assert.equal(2, status)
    assert.matches("must be one of 'bash', 'zsh'", err)
  end)
end)
