local schedulers = require "flexhooks.worker.scheduler"

local l

before_each(function()
  l = schedulers.new()
end)

local function add(line, seq, fields)
  local ref = { line = line, seq = seq, part = "0", attempts = 0 }
  for name, value in pairs(fields or {}) do
    ref[name] = value
  end
  l:add(ref)
  return ref
end

local function take(now)
  local ref = l:take(now or 0)
  return ref and ref.seq, ref
end

describe("lanes", function()
  it("start one event of a line at a time, in the order added", function()
    add("a", 1)
    add("a", 2)
    add("b", 3)
    local _, first = take()
    assert.equal(1, first.seq)
    assert.equal(3, (take()))
    assert.is_nil(take())
    l:done(first)
    assert.equal(2, (take()))
    assert.equal(2, l.running)
    assert.equal(2, l.known)
  end)

  it("start lines in the order in which they became ready", function()
    for i = 1, 5 do
      add("line" .. i, i)
    end
    for i = 1, 5 do
      assert.equal(i, (take()))
    end
  end)

  it("keep a head that failed before all others of its line", function()
    add("a", 1)
    add("a", 2)
    add("b", 3)
    local _, ref = take()
    l:retry(ref, 10)
    assert.equal(3, (take(9.9)))
    assert.is_nil(take(9.9))
    assert.equal(10, l:earliest())
    assert.equal(1, (take(10)))
    assert.is_nil(l:earliest())
  end)

  it("wake waiting lines by their time", function()
    for _, at in ipairs { 5, 1, 4, 2, 3, 2.5 } do
      add("line" .. at, at, { at = at })
    end
    assert.is_nil(take(0.5))
    local order = {}
    for _ = 1, 6 do
      order[#order + 1] = take(10)
    end
    assert.same({ 1, 2, 2.5, 3, 4, 5 }, order)
  end)

  it("hold a parked line until it is released", function()
    local ref = add("a", 1, { at = math.huge })
    assert.is_nil(take(1e18))
    assert.is_nil(l:earliest())
    l:release(ref)
    assert.equal(1, (take()))
    l:release(ref)
    assert.is_nil(take())
  end)

  it("forget the lines of a partition, also what runs of them", function()
    add("a", 1)
    add("b", 2, { part = "1" })
    add("b", 3, { part = "1" })
    add("c", 4, { part = "1", at = 5 })
    take()
    local _, running = take()
    l:drop("1")
    assert.equal(1, l.known)
    assert.equal(1, l.running)
    l:done(running)
    l:retry(running, 0)
    assert.equal(1, l.known)
    assert.is_nil(l:earliest())
    add("b", 2, { part = "1" })
    assert.equal(2, (take()))
  end)

  -- Against a model that keeps every event of every line in a list.
  it("agree with a plain model over random steps", function()
    local seed = 12345
    local function random(n)
      seed = (seed * 1103515245 + 12345) % 2147483648
      return math.floor(seed / 65536) % n + 1
    end
    local model, running, now, seq = {}, {}, 0, 0
    for _ = 1, 20000 do
      local step = random(4)
      if step == 1 then
        seq = seq + 1
        local line = "line" .. random(20)
        model[line] = model[line] or {}
        table.insert(model[line], seq)
        add(line, seq)
      elseif step == 2 then
        local _, ref = take(now)
        if ref then
          assert.equal(model[ref.line][1], ref.seq)
          assert.is_nil(running[ref.line])
          running[ref.line] = ref
        end
      elseif next(running) then
        local line, ref = next(running)
        running[line] = nil
        if step == 3 then
          table.remove(model[line], 1)
          l:done(ref)
        else
          l:retry(ref, now + random(10))
        end
      end
      now = now + random(3) - 1
    end
    local known = 0
    for _, list in pairs(model) do
      known = known + #list
    end
    assert.equal(known, l.known)
  end)
end)
