-- The methods of tasks and of the loop, called with a dot or with a wrong
-- argument, raised Lua's own error from inside of the library.
local flexhooks = require "flexhooks"

local function raised(f, words)
  local ok, err = pcall(f)
  assert.is_false(ok)
  assert.equal("argument", err.kind)
  assert.matches("001_tasks_called_with_a_dot_spec.lua:%d+: ", err.message)
  assert.truthy(err.message:find(words, 1, true), err.message)
end

describe("a method called with a dot", function()
  it("of a task", function()
    local task = flexhooks.spawn(function() end)
    for name, method in pairs { wait = task.wait, cancel = task.cancel } do
      for _, value in ipairs { {}, 5, "x", flexhooks.loop() } do
        raised(function() method(value) end, "task:" .. name)
      end
      raised(function() method() end, "task:" .. name)
    end
    flexhooks.run(function() end)
  end)

  it("of the loop", function()
    local loop = flexhooks.loop()
    for _, name in ipairs { "spawn", "pollfd", "events", "timeout", "step" } do
      local method = loop[name]
      raised(function() method() end, "loop:" .. name)
      raised(function() method({}) end, "loop:" .. name)
    end
  end)
end)

describe("the loop's arguments", function()
  it("are checked", function()
    local loop = flexhooks.loop()
    raised(function() loop:step "x" end, "loop:step: argument 1")
    raised(function() loop:step(-1) end, "loop:step: argument 1")
    raised(function() flexhooks.loop(5) end, "flexhooks.loop: options")
    raised(function() flexhooks.loop { loger = print } end, "'logger'")
  end)
end)
