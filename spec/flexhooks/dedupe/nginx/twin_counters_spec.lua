local twin_counters = require "flexhooks.dedupe.nginx.twin_counters"

-- A form that is kept as its text between reports, as in the dictionary, and
-- what became of its instances.
local function new_form()
  local text
  local gone, asked = {}, 0
  return {
    gone = gone,
    report = function(source)
      local form = twin_counters.parse(text)
      local number, opened = twin_counters.report(form,
        twin_counters.escape(source), function(n)
          asked = asked + 1
          return not gone[n]
        end)
      text = twin_counters.spell(form)
      return number, opened
    end,
    asked = function() return asked end,
  }
end

local function reports(form, source, n)
  local found = {}
  for i = 1, n do
    local number, opened = form.report(source)
    found[i] = opened and "+" .. number or tostring(number)
  end
  return table.concat(found, " ")
end

describe("dedupe.nginx.twin_counters", function()
  it("gives each report of one source an instance of its own", function()
    local form = new_form()
    assert.equal("+1 +2 +3", reports(form, "a", 3))
    assert.equal("1 2 3 +4", reports(form, "b", 4))
    assert.equal("4 +5", reports(form, "a", 2))
    assert.equal("1 2 3 4 5 +6", reports(form, "c", 6))
  end)

  it("passes what counts no more", function()
    local form = new_form()
    reports(form, "a", 4)
    form.gone[1], form.gone[3] = true, true
    assert.equal("2 4 +5", reports(form, "b", 3))
    form.gone[2], form.gone[4], form.gone[5] = true, true, true
    assert.equal("+6", reports(form, "c", 1))
    assert.equal("6 +7", reports(form, "a", 2))
  end)

  it("keeps labels apart, whatever they are made of", function()
    local form = new_form()
    for i, label in ipairs { "a", "a=1", "a =1", "", "%20", " ", "\n", "7" } do
      assert.equal(i == 1 and "+1" or "1", reports(form, label, 1), label)
    end
    for _, label in ipairs { "a", "a=1", "a =1", "", "%20", " ", "\n", "7" } do
      assert.not_equal(1, (form.report(label)), label)
    end
  end)

  it("looks at each instance a fixed number of times", function()
    local form, n = new_form(), 2000
    reports(form, "a", n)
    reports(form, "b", n)
    assert.is_true(form.asked() <= 6 * n, form.asked())
    for i = 1, n do
      form.gone[i] = true
    end
    assert.equal("+" .. n + 1, reports(form, "a", 1))
    assert.is_true(form.asked() <= 8 * n, form.asked())
  end)
end)
