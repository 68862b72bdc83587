-- The rule against duplicates on simulated traffic: a short version of what
-- docs/delivery.md shows.
local process = require "spec.support.process"

local twins = require "bench.twins"
local traffic = require "bench.twins.traffic"

local INTERACTIONS = 12

-- Columns of a line.
local TOKENS, COUNTED, EQUAL, MATCHED = 1, 2, 3, 4

-- They hold parts of flexhooks, which go when this file ends.
teardown(function()
  for name in pairs(package.loaded) do
    if name:find "^bench%." then
      package.loaded[name] = nil
    end
  end
end)

local function scenario(name)
  for _, one in ipairs(twins.SCENARIOS) do
    if one[1]:find(name, 1, true) then
      return one
    end
  end
end

describe("on simulated traffic", function()
  for _, one in ipairs(twins.SCENARIOS) do
    it("all claims agree, and the counts add up: " .. one[1], function()
      local line = twins.measure(one, INTERACTIONS, "spec", { 60 })
      assert.equal(0, line.differing)
      assert.is_true(line.events >= line.reported)
      assert.is_true(line.reports > line.reported)
      for _, result in ipairs(line) do
        assert.equal(line.reported - result.lost + result.twice,
          result.handled)
      end
      -- No form has fewer handlings than sources saw of it, so the rule that
      -- drops least loses nothing.
      assert.equal(0, line[TOKENS].lost)
      assert.is_true(line[TOKENS].twice >= line[MATCHED].twice)
    end)
  end

  it("matching takes every twin, and no equal event", function()
    local line = twins.measure(scenario "nothing goes wrong", 30, "spec")
    for column = MATCHED, MATCHED + 2 do
      assert.same({ 0, 0 }, { line[column].lost, line[column].twice })
    end
    -- The traffic has what the other rules fail at.
    assert.is_true(line[TOKENS].twice > 0)
    assert.is_true(line[EQUAL].lost > 0)
  end)

  it("counting loses events when a URL changes", function()
    local line = twins.measure(scenario "gets another URL", 40, "spec", { 60 })
    assert.is_true(line[COUNTED].lost > line[MATCHED].lost)
  end)

  it("a short window repeats what is late", function()
    local line = twins.measure(scenario "45 s late, 10 %", INTERACTIONS,
      "spec", { 10, 60 })
    assert.is_true(line[MATCHED].twice > 0)
    assert.equal(0, line[MATCHED + 1].twice)
  end)
end)

describe("the traffic", function()
  it("is a function of its seed", function()
    local function shape(seed)
      local reports, events = traffic.make(twins.SCENARIOS[4], seed, 5)
      local list = { events }
      for i, report in ipairs(reports) do
        list[i + 1] = ("%.6f %s %s %s"):format(report.at, report.source,
          report.token, report.form)
      end
      return list
    end
    assert.same(shape "a", shape "a")
    assert.not_same(shape "a", shape "b")
  end)
end)

describe("bench/twins.lua", function()
  it("prints a table, the same on each run", function()
    local command = { process.lua, "bench/twins.lua", "2", "7" }
    local status, out, err = process.run(command)
    assert.equal(0, status, err)
    assert.matches("| nothing goes wrong | %d+ | %d+ | %d+ | 0 / %d+ |", out)
    assert.matches("held against memory: 0 differ", out)
    local _, again = process.run(command)
    assert.equal(out, again)
  end)
end)
