local errors = require "flexhooks.error"
local flexhooks = require "flexhooks"
local rude = require "spec.support.rude"
local rows = require "spec.data.router"

local unpack = table.unpack or _G.unpack

local function event(fields, name)
  local e = { EventType = name or "onParticipantJoined" }
  for k, v in pairs(fields or {}) do
    e[k] = v
  end
  return e
end

local router, trace

local function step(name)
  return function()
    trace[#trace + 1] = name
  end
end

before_each(function()
  router, trace = flexhooks.router(), {}
end)

describe("router:on", function()
  it("runs the handlers of an event in the order registered", function()
    router:on("onParticipantJoined", step "a")
    router:on("*", step "b")
    router:on({ "onParticipantLeft", "onParticipantJoined" }, step "c")
    router:on("onParticipantLeft", step "d")
    router:on("onParticipantJoined", step "e")
    assert.is_true(router:dispatch(event()))
    assert.same({ "a", "b", "c", "e" }, trace)
  end)

  it("takes the older name, once even where both are listed", function()
    router:on({ "onChannelUpdated", "onChannelStatusUpdated" }, step "a")
    assert.is_true(router:dispatch(event({}, "onChannelStatusUpdated")))
    assert.same({ "a" }, trace)
  end)

  it("delivers events unknown to the catalogue to '*' alone", function()
    router:on("onParticipantJoined", step "no")
    router:on("*", { EventType = "onNew" }, step "filtered")
    router:on("*", { EventType = "onOther" }, step "no")
    router:on("*", step "all")
    assert.is_true(router:dispatch(event({}, "onNew")))
    assert.same({ "filtered", "all" }, trace)
  end)

  it("knows an alias in a filter on the event's type", function()
    router:on("*", { EventType = { "onChannelUpdated" } }, step "a")
    router:dispatch(event({}, "onChannelStatusUpdated"))
    router:dispatch(event({}, "onChannelUpdated"))
    assert.same({ "a", "a" }, trace)
  end)

  it("keeps its own copy of names and filter", function()
    local names, filter = { "onChannelCreated" }, { Tag = { "x" } }
    router:on(names, filter, step "a")
    names[1], filter.Tag[1], filter.Tag = "onParticipantLeft", "y", nil
    router:dispatch(event({ Tag = "x" }, "onChannelCreated"))
    router:dispatch(event({ Tag = "y" }, "onChannelCreated"))
    assert.same({ "a" }, trace)
  end)

  for i, row in ipairs(rows.filters) do
    it("filters, row " .. i, function()
      router:on("onParticipantJoined", row[1], step "hit")
      assert.is_true(router:dispatch(event(row[2])))
      assert.equal(row[3], #trace == 1)
    end)
  end
end)

describe("router:off", function()
  it("removes one registration of a handler", function()
    local handler = step "a"
    local s = router:on("*", handler)
    router:on("*", handler)
    assert.is_true(router:off(s))
    assert.is_false(router:off(s))
    router:dispatch(event())
    assert.same({ "a" }, trace)
  end)

  it("knows nothing of another router's", function()
    assert.is_false(router:off(flexhooks.router():on("*", step "a")))
  end)

  it("is safe while an event is being handled, either way", function()
    local later
    router:on("*", function()
      trace[#trace + 1] = "a"
      router:off(later)
      router:on("*", step "new")
    end)
    later = router:on("*", step "b")
    router:dispatch(event())
    assert.same({ "a", "b" }, trace)
    router:dispatch(event())
    assert.same({ "a", "b", "a", "new" }, trace)
  end)
end)

describe("router:fallback", function()
  it("runs where no handler matched, filters included", function()
    router:on("onParticipantJoined", { Tag = "x" }, step "a")
    router:fallback(step "old")
    router:fallback(step "rest")
    router:dispatch(event { Tag = "x" })
    router:dispatch(event { Tag = "y" })
    router:dispatch(event({}, "onNew"))
    assert.same({ "a", "rest", "rest" }, trace)
  end)

  it("does not run after a handler that failed, and may fail", function()
    router:on("onParticipantJoined", function() error "x" end)
    router:fallback(function() return nil, "y" end)
    local _, err = router:dispatch(event())
    assert.equal(1, #err.errors)
    _, err = router:dispatch(event({}, "onNew"))
    assert.equal("y", err.errors[1].message)
  end)

  it("is not missed where there is none", function()
    assert.is_true(router:dispatch(event()))
  end)
end)

describe("router:subscribed", function()
  it("lists the canonical names, sorted", function()
    assert.same({}, router:subscribed())
    router:on({ "onParticipantLeft", "onChannelUpdated" }, step "a")
    local s = router:on("onChannelCreated", step "a")
    assert.same({ "onChannelCreated", "onChannelStatusUpdated",
      "onParticipantLeft" }, router:subscribed())
    router:off(s)
    assert.same({ "onChannelStatusUpdated", "onParticipantLeft" },
      router:subscribed())
  end)

  it("has '*' for all, and what a filter on the type names", function()
    router:on("*", { EventType = { "onNew", "onChannelUpdated" } }, step "a")
    assert.same({ "onChannelStatusUpdated", "onNew" }, router:subscribed())
    router:on("*", { Tag = "x" }, step "a")
    assert.same({ "*", "onChannelStatusUpdated", "onNew" },
      router:subscribed())
  end)
end)

describe("a failing handler", function()
  it("does not stop the others", function()
    router:on("*", function() error "one" end)
    router:on("*", step "a")
    router:on("*", function() return nil, "two" end)
    router:on("*", function() return false, { message = "three" } end)
    router:on("*", step "b")
    local ok, err = router:dispatch(event())
    assert.is_nil(ok)
    assert.same({ "a", "b" }, trace)
    assert.equal("handler", err.kind)
    assert.equal(3, #err.errors)
    assert.is_truthy(err.errors[1].message:find("one", 1, true))
    assert.equal("two", err.errors[2].message)
    assert.equal("three", err.errors[3].message)
    for _, failure in ipairs(err.errors) do
      assert.is_truthy(failure.traceback:find("router_spec.lua", 1, true))
      assert.is_truthy(errors.is(failure))
    end
    assert.is_truthy(tostring(err):find("3 handlers failed", 1, true))
  end)

  it("is one that returns nothing and an error, nothing else", function()
    router:on("*", function() return nil end)
    router:on("*", function() return false end)
    router:on("*", function() return true, "note" end)
    router:on("*", function() return {}, "note" end)
    router:on("*", function() return nil, nil, "note" end)
    assert.is_true(router:dispatch(event()))
    router:on("*", function() return false, false end)
    assert.is_nil(router:dispatch(event()))
  end)

  for i, row in ipairs(rows.raised) do
    it("may raise or return anything, row " .. i, function()
      router:on("*", function() error(row[1], 0) end)
      router:on("*", function() return nil, row[1] end)
      local _, err = router:dispatch(event())
      assert.equal(2, #err.errors)
      for _, failure in ipairs(err.errors) do
        assert.is_truthy(failure.message:find(row[2], 1, true))
        assert.is_true(rawequal(row[1], failure.cause))
        assert.is_string(failure.traceback)
      end
    end)
  end

  it("may raise nil, or run out of stack", function()
    router:on("*", function() error() end)
    router:on("*", function()
      local function deeper() return 1 + deeper() end
      return deeper()
    end)
    router:on("*", step "a")
    local _, err = router:dispatch(event())
    assert.equal(2, #err.errors)
    assert.same({ "a" }, trace)
  end)

  it("keeps the kind and fields of an error object, unchanged", function()
    local given = errors.new("rate_limited", "slow down",
      { status = 429, retry_after = 7 })
    router:on("*", function() return nil, given end)
    router:on("*", function() error(given) end)
    local _, err = router:dispatch(event())
    for _, failure in ipairs(err.errors) do
      assert.equal("rate_limited", failure.kind)
      assert.equal(429, failure.status)
    end
    assert.equal(7, err.retry_after)
    assert.is_nil(given.traceback)
  end)

  it("is given up only where every failure says so", function()
    router:on("*", function() return nil, { retry = false } end)
    local _, err = router:dispatch(event())
    assert.is_false(err.retry)
    router:on("*", function() error { retry = false } end)
    _, err = router:dispatch(event())
    assert.is_false(err.retry)
    router:on("*", function() error "passing" end)
    _, err = router:dispatch(event())
    assert.is_nil(err.retry)
  end)

  it("may ask for a wait; the longest counts, nonsense does not", function()
    for _, wish in ipairs { 3, 9, "5", -1, 0 / 0, 1 / 0 } do
      router:on("*", function() return nil, { retry_after = wish } end)
    end
    local _, err = router:dispatch(event())
    assert.equal(9, err.retry_after)
  end)

  it("is one whose predicate raises", function()
    router:on("*", { Tag = function() error "predicate" end }, step "no")
    router:on("*", step "a")
    router:fallback(step "no")
    local _, err = router:dispatch(event())
    assert.equal(1, #err.errors)
    assert.is_truthy(err.errors[1].message:find("predicate", 1, true))
    assert.same({ "a" }, trace)
  end)
end)

describe("router:on_error", function()
  it("is told once of every failed handler", function()
    local seen = {}
    local given, context = event(), { id = "x" }
    router:on_error(function(err, e, c)
      assert.equal(given, e)
      assert.equal(context, c)
      seen[#seen + 1] = err.message
    end)
    router:on("*", function() return nil, "one" end)
    router:on("*", step "a")
    router:on("*", function() return nil, "two" end)
    local _, err = router:dispatch(given, context)
    assert.same({ "one", "two" }, seen)
    assert.equal(2, #err.errors)
  end)

  it("may fail itself: that is logged", function()
    local logged = {}
    router:on_error(function() error "observer" end)
    router:on_error(step "told")
    router:on("*", function() return nil, "one" end)
    local _, err = router:dispatch(event(), { log = function(level, message)
      logged[#logged + 1] = level .. " " .. message
    end })
    assert.equal(1, #err.errors)
    assert.same({ "told" }, trace)
    assert.same({ "error on_error failed" }, logged)
  end)
end)

describe("middleware", function()
  it("wraps the handlers, outermost first, once per event", function()
    for _, name in ipairs { "outer", "inner" } do
      router:use(function(_, _, next)
        trace[#trace + 1] = name
        local ok, err = next()
        trace[#trace + 1] = "/" .. name
        return ok, err
      end)
    end
    router:on("*", step "a")
    router:on("*", step "b")
    assert.is_true(router:dispatch(event()))
    assert.same({ "outer", "inner", "a", "b", "/inner", "/outer" }, trace)
  end)

  it("hands over the event and its context", function()
    router:use(function(e, c, next)
      c.state.user = e.Tag
      return next()
    end)
    router:on("*", function(_, c) trace[1] = c.state.user end)
    router:dispatch(event { Tag = "x" })
    assert.same({ "x" }, trace)
  end)

  it("ends an event as handled by not calling next", function()
    router:use(function() end)
    router:on("*", step "no")
    router:fallback(step "no")
    assert.is_true(router:dispatch(event()))
    assert.same({}, trace)
  end)

  it("does not hide a handler's failure", function()
    local results
    router:use(function(_, _, next)
      results = { next() }
      return true
    end)
    router:on("*", function() error "x" end)
    local ok, err = router:dispatch(event())
    assert.is_nil(ok)
    assert.is_nil(results[1])
    assert.equal(err, results[2])
  end)

  it("counts a failure that it passes on once", function()
    local told = 0
    router:on_error(function() told = told + 1 end)
    router:use(function(_, _, next) return next() end)
    router:use(function(_, _, next)
      return nil, select(2, next()).errors[1]
    end)
    router:use(function(_, _, next) error(select(2, next())) end)
    router:on("*", function() return nil, "x" end)
    local _, err = router:dispatch(event())
    assert.equal(1, #err.errors)
    assert.equal(1, told)
  end)

  it("may fail itself", function()
    router:use(function(_, _, next)
      next()
      error "after"
    end)
    router:use(function() return nil, "instead" end)
    router:on("*", step "no")
    local _, err = router:dispatch(event())
    assert.equal(2, #err.errors)
    assert.equal("instead", err.errors[1].message)
    assert.is_truthy(err.errors[2].message:find("after", 1, true))
    assert.same({}, trace)
  end)

  it("gets the first result from every call of next", function()
    local second
    router:use(function(_, _, next)
      next()
      second = { next() }
    end)
    router:on("*", function()
      trace[#trace + 1] = "a"
      return nil, "x"
    end)
    local _, err = router:dispatch(event())
    assert.same({ "a" }, trace)
    assert.equal(err, second[2])
  end)

  it("cannot run handlers of an event that has ended", function()
    local kept
    router:use(function(_, _, next) kept = next end)
    router:on("*", step "no")
    assert.is_true(router:dispatch(event()))
    local ok, err = kept()
    assert.is_nil(ok)
    assert.equal("closed", err.kind)
    assert.same({}, trace)
  end)

  it("added while an event runs takes effect with the next", function()
    router:use(function(_, _, next)
      trace[#trace + 1] = "m"
      router:use(function(_, _, n) return n() end)
      return next()
    end)
    router:dispatch(event())
    assert.same({ "m" }, trace)
  end)
end)

describe("router:dispatch", function()
  it("fills in what the context lacks", function()
    local seen
    router:on("*", function(_, c) seen = c end)
    router:dispatch(event())
    assert.is_string(seen.id)
    assert.is_number(seen.received_at)
    assert.equal(1, seen.attempt)
    assert.is_string(seen.source)
    assert.equal("onParticipantJoined", seen.wire_type)
    assert.is_false(seen.replay)
    assert.same({}, seen.state)
    assert.is_function(seen.log)
    assert.is_true(seen.deadline > seen.received_at)
    local first = seen.id
    router:dispatch(event())
    assert.not_equal(first, seen.id)
  end)

  it("keeps what its caller gave", function()
    local given = { id = "i", received_at = 5, attempt = 3, source = "s",
      wire_type = "w", replay = true, state = { 1 }, log = step "log",
      deadline = 2 ^ 40, client = {}, query = { a = "b" },
      possible_replay = true }
    local expected = {}
    for k, v in pairs(given) do
      expected[k] = v
    end
    router:on("*", function(_, c) assert.equal(given, c) end)
    assert.is_true(router:dispatch(event(), given))
    assert.same(expected, given)
  end)

  it("makes an alias canonical and remembers what came", function()
    local seen
    router:on("onChannelStatusUpdated", function(e, c)
      seen = { e.EventType, c.wire_type }
    end)
    router:dispatch(event({}, "onChannelUpdated"))
    assert.same({ "onChannelStatusUpdated", "onChannelUpdated" }, seen)
  end)

  it("logs with id, type and SIDs, never with other fields", function()
    local line
    local r = flexhooks.router { logger = function(level, message, fields)
      line = { level, message, fields }
    end }
    r:on("*", function(_, c) c.log("info", "hello", { n = 1 }) end)
    r:dispatch(event { InteractionSid = "KD1", ErrorMessage = "private" },
      { id = "i" })
    assert.same({ "info", "hello", { id = "i", attempt = 1, n = 1,
      EventType = "onParticipantJoined", InteractionSid = "KD1" } }, line)
  end)

  it("warns of a handler or middleware that returns a bare answer", function()
    local server, lines = rude.start(), {}
    local r = flexhooks.router { logger = function(level, message, fields)
      lines[#lines + 1] = { level, message, fields }
    end }
    local function ask(path, options)
      return function()
        return flexhooks.http(server.url .. path, options)
      end
    end
    r:on("*", ask "/404")
    r:on("*", { InteractionSid = "KD1" }, ask "/ok")
    for _ = 1, 3 do
      assert.is_true(r:dispatch(event { InteractionSid = "KD1" }))
    end
    assert.equal(1, #lines)
    assert.equal("warn", lines[1][1])
    assert.matches("with status 404, and its event counts as handled",
      lines[1][2], 1, true)
    assert.matches("router_spec.lua:%d+$", lines[1][3].handler)
    r:use(function(_, _, next)
      next()
      return flexhooks.http(server.url .. "/500")
    end)
    assert.is_true(r:dispatch(event()))
    assert.equal(2, #lines)
    assert.equal(500, lines[2][3].status)
  end)

  it("fails with a service that does not answer as expected", function()
    local server = rude.start()
    router:on("*", function()
      return flexhooks.http(server.url .. "/busy", { expect = "2xx" })
    end)
    local ok, err = router:dispatch(event())
    assert.is_nil(ok)
    assert.equal(7, err.retry_after)
    assert.equal("http", err.errors[1].kind)
    assert.equal(503, err.errors[1].status)
    assert.matches("instead of 2xx", tostring(err), 1, true)
  end)

  it("may be called by a handler", function()
    router:on("onChannelCreated", step "inner")
    router:on("onParticipantJoined", function()
      return router:dispatch(event({}, "onChannelCreated"))
    end)
    assert.is_true(router:dispatch(event()))
    assert.same({ "inner" }, trace)
  end)
end)

describe("a deadline", function()
  local function soon()
    return { deadline = flexhooks.now() + 0.02 }
  end

  it("cuts what waits, and the attempt has failed", function()
    local told = 0
    router:on_error(function() told = told + 1 end)
    router:on("*", function() return flexhooks.sleep(30) end)
    router:on("*", step "a")
    local ok, err = router:dispatch(event(), soon())
    assert.is_nil(ok)
    assert.equal("timeout", err.kind)
    assert.equal(1, #err.errors)
    assert.equal("timeout", err.errors[1].kind)
    assert.equal(1, told)
    assert.same({ "a" }, trace)
  end)

  it("has failed it also where the handler does not say so", function()
    local told
    router:on_error(function(err) told = err end)
    router:on("*", function() flexhooks.sleep(30) end)
    local _, err = router:dispatch(event(), soon())
    assert.equal("timeout", err.kind)
    assert.equal(told, err.errors[1])
    assert.is_string(told.traceback)
  end)

  it("that has passed cuts the first wait", function()
    router:on("*", function() return flexhooks.sleep(30) end)
    local _, err = router:dispatch(event(), { deadline = 1 })
    assert.equal("timeout", err.kind)
  end)

  it("does not fail a handler that never waits", function()
    router:on("*", step "a")
    assert.is_true(router:dispatch(event(), { deadline = 1 }))
  end)

  it("ends with its event", function()
    router:on("*", step "a")
    router:dispatch(event(), soon())
    assert.is_true(flexhooks.sleep(0.03))
  end)

  it("is of one task", function()
    local results = {}
    router:on("*", function(e)
      return flexhooks.sleep(e.Tag)
    end)
    flexhooks.run(function()
      for i, seconds in ipairs { 30, 0.04 } do
        flexhooks.spawn(function()
          results[i] = router:dispatch(event { Tag = seconds },
            { deadline = flexhooks.now() + (i == 1 and 0.01 or 5) })
        end)
      end
    end)
    assert.is_nil(results[1])
    assert.is_true(results[2])
  end)
end)

describe("a misused router", function()
  for i, row in ipairs(rows.misuse) do
    it("raises at its caller, row " .. i, function()
      local ok, err = pcall(function()
        return (router[row[1]](router, unpack(row[2], 1, 3)))
      end)
      assert.is_false(ok)
      assert.equal("argument", err.kind)
      assert.is_truthy(err.message:find("router:" .. row[1] .. ": ", 1, true),
        err.message)
      assert.is_truthy(err.message:find(row[3], 1, true), err.message)
      assert.is_truthy(err.message:find("router_spec.lua", 1, true))
    end)
  end

  for _, method in ipairs(rows.methods) do
    it("says what to write instead of router." .. method, function()
      for _, self in ipairs { "onChannelCreated", {}, 5, false } do
        local ok, err = pcall(function()
          return (router[method](self or nil, step "no"))
        end)
        assert.is_false(ok)
        assert.is_truthy(err.message:find("router:" .. method .. "(", 1, true))
      end
    end)
  end

  -- Whatever is given in whichever place: it works, or it is refused by name.
  for _, method in ipairs(rows.methods) do
    it("N001 refuses by name: router:" .. method, function()
      local odd = { 5, 0 / 0, "x", "", true, {}, print, io.stdout,
        coroutine.create(print), ("x"):rep(100000), "a\0b" }
      local calls = { {}, { n = 300 } }
      for place = 1, 3 do
        for _, value in ipairs(odd) do
          calls[#calls + 1] = { n = place, [place] = value }
        end
      end
      for _, arguments in ipairs(calls) do
        local ok, err = pcall(function()
          local n = arguments.n or 0
          return (router[method](router, unpack(arguments, 1, n)))
        end)
        assert.is_true(ok or errors.is(err), tostring(err))
        assert.is_true(ok
          or err.message:find("router:" .. method .. ": ", 1, true) ~= nil)
      end
    end)
  end

  it("knows its options", function()
    local ok, err = pcall(flexhooks.router, { loger = print })
    assert.is_false(ok)
    assert.is_truthy(err.message:find("did you mean 'logger'", 1, true))
  end)
end)
