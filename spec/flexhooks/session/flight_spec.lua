local errors = require "flexhooks.error"
local flexhooks = require "flexhooks"
local flight = require "flexhooks.session.flight"

-- What `count` tasks get that ask at the same time.
local function ask(shared, count, f)
  local results = {}
  flexhooks.run(function()
    local list = {}
    for i = 1, count do
      list[i] = i
    end
    flexhooks.map(list, count, function(i)
      results[i] = { shared:run(f) }
    end)
  end)
  return results
end

describe("a flight", function()
  it("runs once for all who ask meanwhile, and keeps a success", function()
    local shared, runs = flight.new(), 0
    local function work()
      runs = runs + 1
      flexhooks.sleep(0.01)
      return "value"
    end
    for _, result in ipairs(ask(shared, 20, work)) do
      assert.same({ "value" }, result)
    end
    assert.equal("value", (shared:run(work)))
    assert.equal(1, runs)
  end)

  it("shares a failure, and does not keep it", function()
    local shared, runs = flight.new(), 0
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
    assert.equal("later", (shared:run(function()
      return "later"
    end)))
  end)

  it("runs again after forget", function()
    local shared = flight.new()
    local function one()
      return 1
    end
    shared:run(one)
    shared:forget()
    assert.equal(2, (shared:run(function()
      return 2
    end)))
  end)

  it("goes on with another task where the first was cancelled", function()
    local shared, runs, results = flight.new(), 0, {}
    local function work()
      runs = runs + 1
      local ok, err = flexhooks.sleep(0.05)
      return ok and "value" or nil, err
    end
    flexhooks.run(function()
      local first = flexhooks.spawn(function()
        results[1] = { shared:run(work) }
      end)
      local second = flexhooks.spawn(function()
        results[2] = { shared:run(work) }
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
    local shared = flight.new()
    local ok, raised = pcall(shared.run, shared, function()
      error("oh", 0)
    end)
    assert.is_false(ok)
    assert.equal("oh", raised)
    assert.equal(1, (shared:run(function()
      return 1
    end)))
  end)

  it("works outside of tasks", function()
    assert.equal(1, (flight.new():run(function()
      return 1
    end)))
  end)
end)
