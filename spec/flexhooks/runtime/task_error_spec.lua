local core = require "flexhooks.core"
local task_errors = require "flexhooks.runtime.task_error"
local process = require "spec.support.process"

local function failed(seconds_ago, value)
  local fault = select(2, xpcall(error, task_errors.of, value or "broken"))
  return { fault = fault, failed_at = core.clock() - seconds_ago }
end

-- What is reported of these tasks.
local function reported(tasks, all, logger)
  local list, said = task_errors.new(), {}
  for _, task in ipairs(tasks) do
    list:add(task)
  end
  for _ = 1, 2 do -- each once
    list:report(logger or function(level, _, fields)
      said[#said + 1] = level .. " " .. fields.traceback:match "^[^\n]*"
    end, all)
  end
  return said
end

describe("a fault", function()
  it("is what was raised, with where that was", function()
    local value = {}
    local _, fault = xpcall(function()
      error(value)
    end, task_errors.of)
    assert.equal(value, fault.value)
    assert.matches("task_error_spec.lua", fault.traceback)
    assert.equal(fault, task_errors.complete(fault))
    local plain = task_errors.complete "text"
    assert.same({ "text", "text" }, { plain.value, plain.traceback })
  end)
end)

describe("faults that nobody asked about", function()
  it("are told once their time is over, or all of them", function()
    local tasks = { failed(7, "first"), failed(6, "second"), failed(0, "new") }
    assert.same({ "warn first", "warn second" }, reported(tasks))
    for _, task in ipairs(tasks) do
      task.watched = nil
    end
    assert.same({ "warn first", "warn second", "warn new" },
      reported(tasks, true))
  end)

  it("are not told where somebody asked", function()
    local asked = failed(9)
    asked.watched = true
    assert.same({ "warn other" }, reported { asked, failed(8, "other") })
  end)

  it("do not depend on who is told", function()
    assert.has_no.errors(function()
      reported({ failed(9) }, true, error)
    end)
  end)

  it("print no more than the beginning of a traceback", function()
    local _, _, err = process.run { process.lua, "-e", [[
      require("flexhooks.runtime.task_error").to_stderr("warn", "failed",
        { traceback = ("x"):rep(2 ^ 20) })
    ]] }
    assert.equal("flexhooks: warn: failed\n" .. ("x"):rep(4096)
      .. "... (1044480 bytes more)\n", err)
  end)
end)
