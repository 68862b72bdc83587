local process = require "spec.support.process"
local session = require "spec.support.session"

local PAGE = "docs/command.md"

describe(PAGE, function()
  it("shows commands that do what it says", function()
    local status, out, err, folder = session.run(PAGE)
    assert.equal(0, status, out .. err)
    for _, wanted in ipairs {
      "\nApplied: 1 created%.\n", "\nok    signed event  arrives",
      "\n%d+ passed, 3 warned, 0 failed, 0 skipped\n200 {}\n",
      "message=joined [^\n]* who=agent\n", "\nTTID ",
      "webhook_events +onChannelStatusUpdated\n", '\n{"account_sid":',
      '\n{"checks":[^\n]*"ok":true}\n', "\nFAIL  reachable     answers 404",
      "\nsomething is wrong\n200 {}\n200 onInteractionCreated",
      "\n200 onNewer KD0+1\n200 onNewer KD0+2\n200 onNewer KD0+3\n",
      "\n200 {}\n200 sent in [^\n]*: 200 × 200; ", '"sent":160,',
      '\n{"dead":0,', "\nthere is no such file\n",
      "\nThe signature would match with a change: scheme",
      "\nrefused: the scheme differs\n",
      '"variation":"host"', "\nrefused: the host differs\n",
      "\nThe signature would match with a change: settings header",
      "\nrefused: the header is missing\n$",
    } do
      local _, stop = out:find(wanted)
      assert.is_truthy(stop, wanted .. "\nin\n" .. out)
      out = out:sub(stop)
    end
    assert.matches("^#compdef", process.read(folder .. "/_flexhooks"))
    for name in pairs { simulator = 1, events = 1 } do
      local log = process.read(folder .. "/" .. name .. ".log")
      assert.is_nil(log:find("any-token", 1, true))
    end
  end)

  it("names every command", function()
    local text = process.read(PAGE)
    local _, help = process.run { "bin/flexhooks", "--help" }
    for name in help:gmatch "\n   (%l+) +%u" do
      assert.matches("\n|[^|]*`" .. name .. "%f[%A]", (text:gsub("`, `",
        "`,\n|`")))
    end
  end)
end)
