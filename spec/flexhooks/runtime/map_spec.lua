-- On the event loop; spec/flexhooks/runtime/nginx/runtime_spec.lua covers
-- nginx.
local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local loop = require "flexhooks.runtime.loop"

local run, spawn, sleep = loop.run, loop.spawn, loop.sleep
local unpack = table.unpack or unpack

describe("map", function()
  for where, around in pairs { ["inside a task"] = run,
    ["outside of tasks"] = function(f)
      f()
    end } do
    it("gives results in order, so many at a time, " .. where, function()
      around(function()
        local now, most = 0, 0
        local results, errs = loop.map({ 5, 1, 4, 2, 3 }, 2, function(x, i)
          now = now + 1
          most = math.max(most, now)
          sleep(x / 1000)
          now = now - 1
          return x * 10 + i
        end)
        assert.same({ 51, 12, 43, 24, 35 }, results)
        assert.is_nil(errs)
        assert.equal(2, most)
      end)
    end)

    it("collects errors that were returned, " .. where, function()
      around(function()
        local err = errors.new("connect", "no")
        local results, errs = loop.map({ 1, 2, 3 }, 10, function(x)
          if x == 2 then
            return nil, err
          end
          return x
        end)
        assert.same({ [1] = 1, [3] = 3 }, results)
        assert.same({ [2] = err }, errs)
      end)
    end)

    it("raises what was raised, and cancels the rest, " .. where, function()
      around(function()
        local kinds, begun = {}, 0
        local ok, raised = pcall(loop.map, { 1, 2, 3, 4 }, 3, function(x)
          begun = begun + 1
          if x == 3 then
            error("third", 0)
          end
          local _, err = sleep(100)
          kinds[#kinds + 1] = err.kind
        end)
        assert.is_false(ok)
        assert.equal("third", raised)
        assert.same({ "cancelled", "cancelled" }, kinds)
        assert.equal(3, begun)
      end)
    end)
  end

  it("is cut by a deadline, and so is what it started", function()
    run(function()
      local kinds = {}
      local token = loop.enter(core.clock() + 0.01)
      local results, err = loop.map({ 1, 2 }, 2, function()
        local _, cut = sleep(100)
        kinds[#kinds + 1] = cut.kind
      end)
      assert.is_true(loop.leave(token))
      sleep(0)
      assert.is_nil(results)
      assert.equal("timeout", err.kind)
      assert.equal(2, #kinds)
    end)
  end)

  it("ends where the task that called it is cancelled", function()
    run(function()
      local kinds = {}
      local caller = spawn(function()
        local results, err = loop.map({ 1, 2 }, 2, function()
          local _, cut = sleep(100)
          kinds[#kinds + 1] = cut.kind
        end)
        assert.is_nil(results)
        kinds.caller = err.kind
      end)
      sleep(0)
      caller:cancel()
      caller:wait()
      sleep(0)
      assert.same({ "cancelled", "cancelled", caller = "cancelled" }, kinds)
    end)
  end)

  it("begins nothing more once it was cut", function()
    run(function()
      local begun = 0
      local caller = spawn(function()
        return loop.map({ 1, 2, 3, 4, 5, 6 }, 2, function()
          begun = begun + 1
          return sleep(100)
        end)
      end)
      sleep(0)
      caller:cancel()
      assert.is_nil((caller:wait()))
      sleep(0)
      assert.equal(2, begun)
    end)
  end)

  it("has nothing to do for an empty list", function()
    assert.same({}, (loop.map({}, 1, error)))
  end)

  it("takes a list that has other fields too", function()
    assert.same({ 1, 2 }, (loop.map({ 1, 2, n = 2 }, 1, function(x)
      return x
    end)))
  end)

  it("takes any number from 1 on, also more than there are", function()
    for _, n in ipairs { 1.5, 3, 1e300, math.huge } do
      assert.same({ 2, 4 }, (loop.map({ 1, 2 }, n, function(x)
        return 2 * x
      end)))
    end
  end)

  it("refuses what it cannot do", function()
    for _, wrong in ipairs { { 1, 1, print }, { {}, 0, print },
      { {}, "1", print }, { {}, 1, 1 }, { {}, 0 / 0, print },
      { { 1, nil, 3 }, 1, print }, { { [2] = 1 }, 1, print } } do
      local ok, err = pcall(loop.map, unpack(wrong))
      assert.is_false(ok)
      assert.equal("argument", err.kind)
    end
  end)
end)
