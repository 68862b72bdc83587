local command = require "spec.support.command"
local process = require "spec.support.process"

describe("tools/manual.lua", function()
  local page

  lazy_setup(function()
    local status, out, err = process.run { process.lua, "tools/manual.lua" }
    assert(status == 0, err)
    page = out
  end)

  it("is formatted without a complaint", function()
    local file = process.write(process.folder() .. "/flexhooks.1", page)
    local status, out, err = process.run { "groff", "-man", "-ww", "-Tutf8",
      file }
    assert.equal(0, status)
    assert.equal("", err)
    assert.matches("flexhooks [-h] [--version] <command>", out, 1, true)
  end)

  it("has what the help has of every command", function()
    local plain = page:gsub("\\%-", "-"):gsub("\\&", "")
    local _, help = command.run { "--help" }
    local count = 0
    for name in help:gmatch "\n   (%l+) +%u" do
      count = count + 1
      assert.is_truthy(plain:find('\n.SS "flexhooks ' .. name .. '"\n', 1,
        true), name)
      local _, text = command.run { name, "--help" }
      for option in text:gmatch "\n +(%-%-[%w-]+)" do
        assert.is_truthy(plain:find("\n\\fB" .. option, 1, true), option)
      end
    end
    assert.is_true(count >= 11)
  end)

  it("names every variable of the environment that is read", function()
    local plain = page:gsub("\\%-", "-")
    local _, list = process.run { "sh", "-c",
      "grep -rhoE '\"(TWILIO|FLEX|FLEXHOOKS)_[A-Z_]+\"' lua | sort -u" }
    for name in list:gmatch '"([%u_]+)"' do
      assert.is_truthy(plain:find(name, 1, true), name)
    end
  end)
end)
