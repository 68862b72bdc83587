local errors = require "flexhooks.error"
local flexhooks = require "flexhooks"
local single_flight = require "flexhooks.runtime.single_flight"
local runtime = require "flexhooks.runtime.current"

-- What `count` tasks get that ask at the same time.
local function ask(shared, count, f)
  local results = {}
  flexhooks.run(function()
    local list = {}
    for i = 1, count do
      list[i] = i
    end
    flexhooks.map(list, count, function(i)
      results[i] = { shared:keep(f) }
    end)
  end)
  return results
end

describe("a flight", function()
  it("runs once for all who ask meanwhile, and keeps a success", function()
    local shared, runs = single_flight.new(), 0
    local function work()
      runs = runs + 1
      flexhooks.sleep(0.01)
      return "value"
    end
    for _, result in ipairs(ask(shared, 20, work)) do
      assert.same({ "value" }, result)
    end
    assert.equal("value", (shared:keep(work)))
    assert.equal(1, runs)
  end)

  it("shares a failure, and does not keep it", function()
    local shared, runs = single_flight.new(), 0
    local failure = errors.new("http", "it failed")
    local function work()
      runs = runs + 1
      flexhooks.sleep(0.01)
      return nil, failure
    end
    for _, result in ipairs(ask(shared, 5, work)) do
      assert.is_nil(result[1])
      assert.equal(failure, result[2])
    end
    assert.equal(1, runs)
    assert.equal("later", (shared:keep(function()
      return "later"
    end)))
  end)

  it("runs again after forget", function()
    local shared = single_flight.new()
    local function one()
      return 1
    end
    shared:keep(one)
    shared:forget()
    assert.equal(2, (shared:keep(function()
      return 2
    end)))
  end)

  it("goes on with another task where the first was cancelled", function()
    local shared, runs, results = single_flight.new(), 0, {}
    local function work()
      runs = runs + 1
      local ok, err = flexhooks.sleep(0.05)
      return ok and "value" or nil, err
    end
    flexhooks.run(function()
      local first = flexhooks.spawn(function()
        results[1] = { shared:keep(work) }
      end)
      local second = flexhooks.spawn(function()
        results[2] = { shared:keep(work) }
      end)
      flexhooks.sleep(0.01)
      first:cancel()
      second:wait()
    end)
    assert.equal("cancelled", results[1][2].kind)
    assert.same({ "value" }, results[2])
    assert.equal(2, runs)
  end)

  it("passes on what the function raises, and survives it", function()
    local shared = single_flight.new()
    local ok, raised = pcall(shared.keep, shared, function()
      error("oh", 0)
    end)
    assert.is_false(ok)
    assert.equal("oh", raised)
    assert.equal(1, (shared:keep(function()
      return 1
    end)))
  end)

  it("works outside of tasks", function()
    assert.equal(1, (single_flight.new():keep(function()
      return 1
    end)))
  end)

  it("that is only shared runs again, and all leave as they came", function()
    local shared, runs, left = single_flight.new(), 0, {}
    local function work()
      runs = runs + 1
      flexhooks.sleep(0.005)
      return runs
    end
    flexhooks.run(function()
      for n = 1, 5 do
        flexhooks.spawn(function()
          local value = shared:share(work)
          left[#left + 1] = { n, value }
        end)
      end
    end)
    assert.same({ { 1, 1 }, { 2, 1 }, { 3, 1 }, { 4, 1 }, { 5, 1 } }, left)
    assert.equal(2, (shared:share(work)))
  end)

  it("ends with nothing where the function does", function()
    local shared = single_flight.new()
    assert.equal(2, select("#", shared:share(function() end)))
    assert.is_nil((shared:share(function() end)))
  end)

  it("goes on where the first one's deadline passed, or it raised", function()
    for name, first in pairs {
      deadline = function()
        local token = runtime.enter(flexhooks.clock() + 0.005)
        local _, err = flexhooks.sleep(1)
        runtime.leave(token)
        return nil, err
      end,
      raise = function()
        flexhooks.sleep(0.005)
        error("oh", 0)
      end,
    } do
      local shared, got = single_flight.new(), nil
      flexhooks.run(function()
        flexhooks.spawn(function()
          local token = runtime.enter(flexhooks.clock() + 0.005)
          pcall(shared.share, shared, first)
          runtime.leave(token)
        end)
        flexhooks.spawn(function()
          got = shared:share(function() return "mine" end)
        end)
      end)
      assert.equal("mine", got, name)
    end
  end)
end)
