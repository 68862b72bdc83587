local batcher = require "flexhooks.queue.redis.batcher"
local errors = require "flexhooks.error"
local flexhooks = require "flexhooks"
local refusal = require "spec.support.refusal"

local function no_post()
  return false
end

-- A batcher whose calls are kept; each answer is the argument it is for.
local function new(fail, post)
  local calls = {}
  return batcher.new(function(name, args)
    calls[#calls + 1] = { name, (table.unpack or unpack)(args) }
    flexhooks.sleep(0.002)
    if fail then
      return fail()
    end
    local reply = {}
    for i = 2, #args do
      reply[i - 1] = args[i]
    end
    return reply
  end, post or no_post), calls
end

describe("batches", function()
  it("send what one turn brings in one call, in order", function()
    local b, calls = new()
    flexhooks.run(function()
      for n = 1, 4 do
        flexhooks.spawn(function()
          assert.equal("" .. n, b:send("a", "x", { "h" }, { "" .. n }))
        end)
      end
      flexhooks.spawn(function()
        assert.equal("7", b:send("b", "x", { "other" }, { "7" }))
        assert.equal("8", b:send("a", "x", { "h" }, { "8" }))
      end)
    end)
    assert.same({ { "x", "h", "1", "2", "3", "4" },
      { "x", "other", "7" }, { "x", "h", "8" } }, calls)
  end)

  it("tell those who do not wait which answers are theirs", function()
    local b, calls = new()
    local got = {}
    flexhooks.run(function()
      for n = 1, 3 do
        local batch = b:join("a", "x", { "h" })
        for _ = 1, n do
          batch.args[#batch.args + 1] = n
        end
        b:add(batch, #batch.args, 0, n, function(step, reply, first)
          got[step] = { (table.unpack or unpack)(reply, first,
            first + step - 1) }
        end, n)
      end
      assert.same({}, got)
    end)
    assert.same({ { 1 }, { 2, 2 }, { 3, 3, 3 } }, got)
    assert.same({ { "x", "h", 1, 2, 2, 3, 3, 3 } }, calls)
  end)

  it("are posted where nothing has to be waited for", function()
    local posted, forgotten = {}, false
    local b, calls = new(nil, function(name, args, _, answered)
      posted[#posted + 1] = name .. " " .. table.concat(args, " ")
      flexhooks.spawn(function()
        if forgotten then
          answered(nil, errors.new("queue", "no", { reason = "noscript" }))
        elseif args[2] == "bad" then
          answered(nil, errors.new("queue", "bad"))
        else
          answered({ "posted" })
        end
      end)
      return true
    end)
    flexhooks.run(function()
      assert.equal("posted", b:send("a", "x", { "h" }, { "1" }))
      local answer, err = b:send("a", "x", { "h" }, { "bad" })
      assert.is_nil(answer)
      assert.equal("bad", err.message)
      assert.same({}, calls)
      forgotten = true
      assert.equal("2", b:send("a", "x", { "h" }, { "2" }))
    end)
    assert.same({ "x h 1", "x h bad", "x h 2" }, posted)
    assert.same({ { "x", "h", "2" } }, calls)
  end)

  it("have a limit", function()
    local b, calls = new()
    local big = ("x"):rep(400000)
    flexhooks.run(function()
      for _ = 1, 7 do
        flexhooks.spawn(function()
          assert.is_true(b:send("a", "x", { "h" }, { big }) == big)
        end)
      end
    end)
    assert.equal(3, #calls)
  end)

  it("share a failure, also one that was raised", function()
    for _, fail in ipairs { function()
      return nil, errors.new("queue", "no")
    end, function()
      error "no"
    end } do
      local b, failed = new(fail), 0
      flexhooks.run(function()
        for _ = 1, 3 do
          flexhooks.spawn(function()
            local reply, err = b:send("a", "x", { "h" }, { "1" })
            assert.is_nil(reply)
            assert.equal("queue", err.kind)
            failed = failed + 1
          end)
          local batch = b:join("b", "x", {})
          b:add(batch, batch.last + 1, 0, {}, function(_, reply, err)
            assert.is_nil(reply)
            assert.equal("queue", err.kind)
            failed = failed + 1
          end, 1)
        end
      end)
      assert.equal(6, failed)
    end
  end)

  it("fail where they cannot be sent, and the next ones do not", function()
    local refused = { host = { require "flexhooks.runtime.current",
      "at_turn_end", "event", "spawn" } }
    refusal.each(refused, function(control)
      local b, told = new(), {}
      control.begin()
      pcall(flexhooks.run, function()
        for n = 1, 2 do
          pcall(function()
            local batch = b:join("a", "x", { "h" })
            batch.args[batch.last + 1] = "" .. n
            b:add(batch, batch.last + 1, 0, n, function(step, reply, first)
              told[step] = (told[step] or 0) + 1
              assert.equal("" .. step, reply and reply[first] or "" .. step)
            end, 1)
          end)
        end
      end)
      control.over()
      assert.is_true((told[1] or 1) == 1 and (told[2] or 1) == 1)
      flexhooks.run(function()
        assert.equal("3", b:send("a", "x", { "h" }, { "3" }))
      end)
    end)
  end)

  it("are told of what a call raises, and of it alone", function()
    local b, told = new(nil, function()
      error "cannot be posted"
    end), {}
    flexhooks.loop { logger = function() end }
    flexhooks.run(function()
      for n = 1, 3 do
        local batch = b:join("a", "x", { "h" })
        batch.args[batch.last + 1] = "" .. n
        b:add(batch, batch.last + 1, 0, n, function(step, reply, err)
          told[step] = err.message:match "cannot be posted"
          assert.is_nil(reply)
          error "cannot be told"
        end, 1)
      end
    end)
    assert.same({ "cannot be posted", "cannot be posted",
      "cannot be posted" }, told)
  end)

  it("leave nothing of a step that was not appended", function()
    local b, calls = new()
    flexhooks.run(function()
      local batch = b:join("a", "x", { "h" })
      batch.args[batch.last + 1] = "of another"
      batch.args[batch.last + 2] = "that failed"
      assert.equal("1", b:send("a", "x", { "h" }, { "1" }))
    end)
    assert.same({ { "x", "h", "1" } }, calls)
  end)

  it("go on without whoever was cancelled", function()
    local b, got = new(), nil
    flexhooks.run(function()
      local first = flexhooks.spawn(b.send, b, "a", "x", { "h" }, { "1" })
      flexhooks.spawn(function()
        got = b:send("a", "x", { "h" }, { "2" })
      end)
      flexhooks.spawn(function()
        first:cancel()
      end)
    end)
    assert.equal("2", got)
  end)
end)
