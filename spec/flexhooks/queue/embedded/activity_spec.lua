local activity = require "flexhooks.queue.embedded.activity"

local function note(t, from, to)
  for n = from, to do
    t:note("stored", { id = n, event = { EventType = "onX",
      InteractionSid = "KD1", Secret = "x" } })
  end
end

local function ids(found)
  local list = {}
  for i, step in ipairs(found.steps) do
    list[i] = step.id
  end
  return list
end

describe("a trail", function()
  it("tells what came since the look before, and no payload", function()
    local t = activity.new()
    note(t, 1, 1)
    local found = t:after(false)
    assert.same({}, found.steps)
    note(t, 2, 3)
    found = t:after(found.cursor)
    assert.same({ 2, 3 }, ids(found))
    local step = found.steps[1]
    assert.is_number(step.at)
    step.at = nil
    assert.same({ state = "stored", id = 2, type = "onX",
      interaction = "KD1" }, step)
    assert.same({}, t:after(found.cursor).steps)
  end)

  it("tells all that it has to who followed another one", function()
    local before, t = activity.new(), activity.new()
    note(before, 1, 5)
    note(t, 6, 7)
    assert.same({ 6, 7 }, ids(t:after(before:after(false).cursor)))
  end)

  it("keeps the last ten thousand steps", function()
    local t = activity.new()
    local cursor = t:after(false).cursor
    note(t, 1, 25000)
    local list = ids(t:after(cursor))
    assert.same({ 10000, 15001, 25000 },
      { #list, list[1], list[10000] })
  end)

  it("is followed for a while after each look", function()
    local t = activity.new()
    assert.is_true(t:is_followed())
    t.looked = t.looked - 20
    assert.is_false(t:is_followed())
    t:after(false)
    assert.is_true(t:is_followed())
  end)
end)
