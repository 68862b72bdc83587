-- The judge of the crash specs, on journals that were written by hand.
local crash = require "spec.support.crash"
local process = require "spec.support.process"

-- "what mark number attempt fence" of one interaction, one for each line.
local function verdict(acknowledged, ...)
  local lines = {}
  for i, text in ipairs { ... } do
    local what, mark, number, attempt, fence =
      text:match "^(%S+) (%S+) (%S+) (%S+) (%S+)$"
    lines[i] = ("%s %s KD1 %s id %s %s\n"):format(what, mark, number, attempt,
      fence)
  end
  local load = { acknowledged = {} }
  for number = 1, acknowledged do
    load.acknowledged[number] = "KD1 " .. number
  end
  return crash.verdict(load, process.write(process.folder() .. "/journal",
    table.concat(lines)))
end

-- What is wrong with it: nothing but these.
local function flaws(v)
  return { v.lost, v.disordered, v.wrongly_repeated }
end

describe("the judge of crashes", function()
  it("finds nothing wrong with one effect of each, in order", function()
    local v = verdict(2, "did a 1 1 1", "done a 1 1 1", "did a 2 1 1",
      "done a 2 1 1")
    assert.same({ 0, 0, 0 }, flaws(v))
    assert.same({ 2, 2, 0, 0 },
      { v.acknowledged, v.handled, v.repeated, v.late })
  end)

  it("takes a repeat by the next owner, and effects that land late",
    function()
      local v = verdict(2, "did a 1 1 1", "did b 1 2 2", "done b 1 2 2",
        "did a 1 1 1", "did b 2 1 2", "did a 1 1 1")
      assert.same({ 0, 0, 0 }, flaws(v))
      assert.same({ 2, 1, 2 }, { v.handled, v.repeated, v.late })
    end)

  it("takes a repeat by another process where there are no fences",
    function()
      assert.same({ 0, 0, 0 }, flaws(verdict(1, "did a 1 1 nil",
        "did b 1 2 nil")))
      assert.same({ 0, 0, 1 }, flaws(verdict(1, "did a 1 1 nil",
        "did a 1 2 nil")))
    end)

  it("reads on after a line whose writer was killed", function()
    local text = "did a KD1 1 id 1 1"
    local whole = "did b KD1 1 id 2 2\n"
    for size = 1, #text do
      local path = process.write(process.folder() .. "/journal",
        text:sub(1, size) .. whole .. text:sub(1, size))
      local v = crash.verdict({ acknowledged = { "KD1 1" } }, path)
      -- A line that lacks nothing but its end is an effect like any other.
      assert.same({ 0, 0, 0 }, flaws(v))
    end
  end)

  it("sees what was lost, and what has passed another", function()
    assert.same({ 1, 1, 0 }, flaws(verdict(3, "did a 1 1 1", "did a 3 1 1")))
    assert.same({ 0, 2, 0 }, flaws(verdict(2, "did a 2 1 1", "did a 1 1 1")))
    assert.same({ 0, 1, 0 }, flaws(verdict(2, "did a 1 1 1", "did a 2 1 1",
      "did b 1 2 2")))
  end)

  it("shows the lines of what is wrong", function()
    local v = verdict(2, "did a 1 1 1", "done a 1 1 1", "did b 1 2 2")
    local ok, err = pcall(crash.assert_clean, v)
    assert.is_false(ok)
    assert.matches("2 flaws, such as:\nwrongly_repeated: did b KD1 1 id 2 2 / "
      .. "after: done a KD1 1 id 1 1\nlost: KD1 2 / after: nothing", err, 1,
      true)
    assert.has_no_error(function()
      crash.assert_clean(verdict(1, "did a 1 1 1"))
    end)
  end)

  it("sees repeats that no crash explains", function()
    assert.same({ 0, 0, 1 }, flaws(verdict(1, "did a 1 1 1", "did b 1 2 1")))
    assert.same({ 0, 0, 1 }, flaws(verdict(1, "did a 1 1 1", "did b 1 1 2")))
    assert.same({ 0, 0, 1 }, flaws(verdict(1, "did a 1 1 1", "done a 1 1 1",
      "did b 1 2 2")))
    assert.same({ 0, 0, 1 }, flaws(verdict(1, "did a 1 1 1", "done a 1 1 1",
      "done a 1 1 1")))
  end)
end)
