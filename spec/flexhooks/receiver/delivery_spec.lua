local d = require "spec.support.deliveries"
local delivery = require "flexhooks.receiver.delivery"
local errors = require "flexhooks.error"
local flexhooks = require "flexhooks"
local metrics = require "flexhooks.metrics"
local process = require "spec.support.process"
local sids = require "spec.data.sids"

local OTHER = "https://h.example/flex/one"

local queue

before_each(function()
  queue = flexhooks.queue "memory:"
end)

after_each(function()
  queue:close()
end)

local function receiver(changes)
  local given = { auth_token = d.token, public_url = d.url, queue = queue,
    account_sid = sids.account, methods = { "GET", "POST" } }
  for name, value in pairs(changes or {}) do
    given[name] = value
  end
  return flexhooks.receiver(given)
end

-- What the queue would hand to a worker, in order.
local function stored()
  local consumer = queue:consumer { wake = function() end }
  assert(consumer:open())
  local items = {}
  for i, ref in ipairs(assert(consumer:scan(1000))) do
    items[i] = assert(consumer:begin(ref))
    assert(consumer:finish(ref))
  end
  consumer:close()
  return items
end

local function dead()
  return assert(queue:dead_letters())
end

local function event(name)
  return ('{"EventType":"%s","AccountSid":"%s"}'):format(name, sids.account)
end

describe("a receiver with a queue", function()
  it("answers a probe, and stores nothing", function()
    local fields = { EventType = delivery.PROBE, AccountSid = sids.account }
    assert.equal(200, receiver():handle(d.post { fields = fields }).status)
    assert.equal(403, receiver():handle(d.post { fields = fields,
      signature = ("A"):rep(27) .. "=" }).status)
    fields.AccountSid = "AC" .. ("0"):rep(32)
    assert.equal(403, receiver():handle(d.post { fields = fields }).status)
    assert.same({}, stored())
    assert.same({}, dead())
  end)

  it("answers a probe that is JSON too, alone or among events", function()
    local probe = event(delivery.PROBE)
    assert.equal(200, receiver():handle(d.json(probe)).status)
    assert.same({}, stored())
    assert.equal(200, receiver():handle(d.json("[" .. probe .. ","
      .. event "onA" .. "]")).status)
    local items = stored()
    assert.equal(1, #items)
    assert.equal("onA", items[1].event.EventType)
    assert.matches("#2$", items[1].id)
    assert.same({}, dead())
  end)

  it("stores what it would have handled", function()
    local before = flexhooks.now()
    local response = receiver():handle(d.post())
    assert.equal(200, response.status)
    assert.equal("{}", response.body)
    local item = stored()[1]
    assert.same(d.fields(), item.event)
    assert.equal("default", item.source)
    assert.equal("onParticipantJoined", item.wire_type)
    assert.is_true(item.received_at >= before)
    assert.is_string(item.id)
    assert.is_nil(item.query)
  end)

  it("stores each event of an array, and each element that is none", function()
    local body = "[" .. event "onA" .. ',{"a":1},' .. event "onB" .. "]"
    assert.equal(200, receiver():handle(d.json(body)).status)
    local items, letters = stored(), dead()
    assert.equal(2, #items)
    assert.equal("onA", items[1].event.EventType)
    assert.equal("onB", items[2].event.EventType)
    assert.equal(1, #letters)
    assert.equal('{"a":1}', letters[1].raw)
    assert.equal("malformed", letters[1].reason)
    assert.matches("element 2", letters[1].errors[1].message, 1, true)
    local base = items[1].id:match "^(.*)#1$"
    assert.equal(base .. "#2", letters[1].id)
    assert.equal(base .. "#3", items[2].id)
  end)

  it("keeps the query of a GET", function()
    local r = receiver { public_url = d.url .. "?team=x" }
    local request = d.get { url = d.url .. "?team=x" }
    assert.equal(200, r:handle(request).status)
    assert.equal("x", stored()[1].query.team)
  end)

  it("knows re-deliveries and twins", function()
    local r = receiver { sources = { [OTHER] = "one" } }
    for _ = 1, 2 do
      assert.equal(200,
        r:handle(d.post { idempotency_token = "a" }).status)
      assert.equal(200,
        r:handle(d.post { url = OTHER, idempotency_token = "b" }).status)
    end
    assert.equal(1, #stored())
    r:handle(d.post { idempotency_token = "c" })
    assert.equal(1, #stored())
  end)

  it("lets duplicates through where it is told to", function()
    local r = receiver { sources = { [OTHER] = "one" }, dedupe = false }
    r:handle(d.post { idempotency_token = "a" })
    r:handle(d.post { idempotency_token = "a" })
    r:handle(d.post { url = OTHER, idempotency_token = "b" })
    assert.equal(3, #stored())
  end)

  it("stores nothing that is refused", function()
    local r = receiver()
    for _, request in ipairs {
      d.post { signature = false }, d.post { body = "a=%" },
      d.post { target = "/x" }, d.post { content_type = "text/plain" },
      d.post { fields = d.fields { AccountSid = sids.other_account } },
      d.json("{", { signature = false }),
    } do
      assert.is_true(r:handle(request).status >= 400)
    end
    assert.equal(0, #stored())
    assert.equal(0, #dead())
  end)

  it("answers 503 where it cannot store", function()
    local rejected
    local r = receiver { queue = flexhooks.queue("memory:",
      { max_events = 1 }), on_reject = function(err)
        rejected = err
      end }
    assert.equal(200, r:handle(d.post()).status)
    local response = r:handle(d.post())
    assert.equal(503, response.status)
    assert.equal("5", response.headers["retry-after"])
    assert.equal('{"error":"queue"}', response.body)
    assert.equal("not_stored", rejected.reason)
    assert.equal("queue", rejected.cause.kind)
  end)

  it("stores a possible replay, and says so", function()
    local r = receiver()
    for _, request in ipairs { d.post { idempotency_token = "t" },
      d.post { idempotency_token = "t" }, d.post { idempotency_token = "u" },
      d.json(event "onA"), d.json(event "onA"), d.post() } do
      assert.equal(200, r:handle(request).status)
    end
    local flags = {}
    for i, item in ipairs(stored()) do
      flags[i] = item.possible_replay or false
    end
    assert.same({ false, true, false, true, true }, flags)
  end)

  it("forgets no re-delivery of what it could not store", function()
    local full = true
    local r = receiver { queue = {
      store = function(_, ...)
        if full then
          return nil, errors.new("queue", "full")
        end
        return queue:store(...)
      end,
    } }
    local request = d.post { idempotency_token = "t" }
    assert.equal(503, r:handle(request).status)
    full = false
    assert.equal(200, r:handle(request).status)
    assert.equal(200, r:handle(request).status)
    assert.equal(1, #stored())
  end)
end)

-- Signed, but no event.
local NO_EVENTS = {
  { "a form without fields", d.post { fields = {} }, "" },
  { "a form without a type",
    d.post { fields = d.fields { EventType = false } } },
  { "a form with a SID of the wrong shape",
    d.post { fields = d.fields { TaskSid = "WT1" } } },
  { "a form with two types",
    d.post { fields = d.fields { EventType = { "a", "b" } } } },
  { "a GET without a type",
    d.get { fields = d.fields { EventType = false } } },
}
for _, text in ipairs { "{", "[1", "{}x", "null", "[]", "{}", "[{}]", "\255",
  '{"a":1,"a":2}', "[NaN]", event "onA" .. "\0", "a=b" } do
  NO_EVENTS[#NO_EVENTS + 1] = { ("JSON %q"):format(text), d.json(text), text }
end

describe("what is signed but no event", function()
  for _, row in ipairs(NO_EVENTS) do
    it("becomes a dead letter: " .. row[1], function()
      local response = receiver():handle(row[2])
      assert.equal(200, response.status)
      local letters = dead()
      assert.equal(1, #letters)
      assert.equal(0, #stored())
      assert.is_nil(letters[1].event)
      assert.equal("malformed", letters[1].reason)
      assert.is_string(letters[1].errors[1].message)
      assert.equal("default", letters[1].source)
      local raw = row[3] or row[2].body
      if row[2].method == "GET" then
        raw = row[2].target:match "%?(.*)$"
      elseif row[3] == "[{}]" then
        raw = "{}"
      end
      assert.equal(raw, letters[1].raw)
    end)

    it("gets 400 where there is no queue: " .. row[1], function()
      local router, handled = flexhooks.router(), 0
      router:on("*", function() handled = handled + 1 end)
      local r = flexhooks.receiver { auth_token = d.token, router = router,
        public_url = d.url, methods = { "GET", "POST" } }
      assert.equal(400, r:handle(row[2]).status)
      assert.equal(0, handled)
    end)
  end

  it("is one dead letter however often it comes", function()
    local r = receiver()
    for _ = 1, 3 do
      assert.equal(200,
        r:handle(d.json("{", { idempotency_token = "t" })).status)
    end
    assert.equal(1, #dead())
  end)
end)

describe("the metrics of a receiver", function()
  local function lines(counts)
    local found = {}
    for name, value in counts:render():gmatch
      "\nflexhooks_([^ \n#]+) (%S+)" do
      found[name] = tonumber(value)
    end
    return found
  end

  it("count what happens, with labels of the catalogue", function()
    local counts, router = metrics.new(), flexhooks.router()
    router:on("onParticipantJoined", function(e)
      return nil, e.Extra and "failed" or nil
    end)
    local r = flexhooks.receiver { auth_token = d.token, public_url = d.url,
      router = router, metrics = counts, sources = { [OTHER] = "one" } }
    r:handle(d.post { idempotency_token = "a" })
    r:handle(d.post { idempotency_token = "a" })
    r:handle(d.post { url = OTHER, idempotency_token = "b" })
    r:handle(d.post { fields = d.fields { Extra = "x" } })
    r:handle(d.post { fields = d.fields { EventType = "onNew" } })
    r:handle(d.post { signature = false })
    r:handle(d.post { target = "/x" })
    local found = lines(counts)
    assert.equal(4, found['events_received_total{type="onParticipantJoined"}'])
    assert.equal(1, found['events_received_total{type="other"}'])
    assert.equal(2, found.events_handled_total)
    assert.equal(1, found.events_failed_total)
    assert.equal(1, found['events_duplicate_total{kind="token"}'])
    assert.equal(1, found['events_duplicate_total{kind="twin"}'])
    assert.equal(1,
      found['events_rejected_total{reason="signature_missing"}'])
    assert.equal(1, found['events_rejected_total{reason="unknown_path"}'])
    assert.equal(3, found.handler_seconds_count)
  end)

  it("count what is stored and what is dead", function()
    local counts = metrics.new()
    local r = receiver { metrics = counts }
    r:handle(d.post { idempotency_token = "a" })
    r:handle(d.post { idempotency_token = "a" })
    r:handle(d.json "{")
    local found = lines(counts)
    assert.equal(1, found.events_stored_total)
    assert.equal(1, found['events_duplicate_total{kind="stored"}'])
    assert.equal(1, found['events_dead_total{reason="malformed"}'])
  end)
end)

describe("a verified delivery", function()
  local digest = ("d"):rep(16)

  -- As the receiver hands it over.
  local function take(f, ...)
    local router = flexhooks.router()
    router:on("*", { Extra = "fail" }, function() error "x" end)
    local r = flexhooks.receiver { auth_token = d.token, public_url = d.url,
      router = router, account_sid = sids.account }
    return f(r, r.routes[d.target][1], ...)
  end

  it("says why it is refused", function()
    local answer, reason, cause = take(delivery.take_fields,
      d.fields { EventType = false }, "raw", "s", false, digest)
    assert.equal(400, answer.status)
    assert.equal("malformed", reason)
    assert.equal("EventType is missing", cause)
    answer, reason, cause = take(delivery.take_json, "[{}]", "s", digest)
    assert.equal(400, answer.status)
    assert.equal("malformed", reason)
    assert.is_truthy(cause:find("element 1", 1, true))
    answer, reason = take(delivery.take_fields,
      d.fields { AccountSid = sids.other_account }, "raw", "s", false, digest)
    assert.equal(403, answer.status)
    assert.equal("wrong_account", reason)
  end)

  it("is answered by its worst event", function()
    local bad = ('{"EventType":"onB","AccountSid":"%s","Extra":"fail"}')
      :format(sids.account)
    local body = "[" .. event "onA" .. "," .. bad .. "," .. event "onC" .. "]"
    assert.equal(500, (take(delivery.take_json, body, digest)).status)
    local good = take(delivery.take_json, event "onA", digest, "t")
    assert.equal(200, good.status)
  end)
end)

describe("receiver:answer", function()
  it("says 200 alone, and refuses with shared headers", function()
    local r = receiver()
    local request = d.post()
    local results = { r:answer("POST", d.target, request.body, nil, nil,
      request.headers["X-Twilio-Signature"]) }
    assert.same({ 200 }, results)
    local rejected
    r = receiver { on_reject = function(_, made)
      rejected = made
    end }
    local status, headers, body = r:answer("POST", d.target, "a=b",
      d.form_type, nil, "forged", "token")
    assert.equal(403, status)
    assert.equal("application/json", headers["content-type"])
    assert.equal('{"error":"signature"}', body)
    assert.same({ method = "POST", target = d.target, body = "a=b", headers = {
      ["content-type"] = d.form_type, ["x-twilio-signature"] = "forged",
      ["i-twilio-idempotency-token"] = "token" } }, rejected)
  end)

  it("never raises, whatever the queue does", function()
    local r = receiver { queue = { store = function() error "broken" end } }
    assert.equal(500, r:handle(d.post()).status)
    assert.equal("GET, POST", r:allow())
  end)
end)

describe("receiver:accept", function()
  -- The parts of a request, as a host has them.
  local function parts(request)
    local h = request.headers
    return request.method, request.target, request.body, h["Content-Type"],
      h["Content-Encoding"], h["X-Twilio-Signature"],
      h["I-Twilio-Idempotency-Token"]
  end

  local replies

  local function reply(whom, ...)
    replies[#replies + 1] = { whom, ... }
  end

  local function sqlite(options)
    return flexhooks.queue("sqlite:" .. process.folder() .. "/q.db", options)
  end

  before_each(function()
    replies = {}
  end)

  it("says what answer says", function()
    for _, with in ipairs { {}, { queue = false, router = flexhooks.router() },
      { queue = { store = function(_, ...)
        return queue:store(...)
      end } } } do
      with.queue = with.queue ~= false and (with.queue or queue) or nil
      local given = { auth_token = d.token, public_url = d.url,
        queue = with.queue, router = with.router }
      local r, twin = flexhooks.receiver(given), flexhooks.receiver(given)
      for i, request in ipairs { d.post(), d.post { signature = false },
        d.post { idempotency_token = "a" }, d.post { idempotency_token = "a" },
        d.json("{"), d.json("[" .. event "onA" .. "," .. event "onB" .. "]"),
        d.post { target = "/x" }, d.get(), d.post { body = "a=%" },
        d.post { fields = { EventType = delivery.PROBE } } } do
        replies = {}
        r:accept(reply, i, parts(request))
        assert.same({ { i, twin:answer(parts(request)) } }, replies)
      end
    end
  end)

  it("replies when the turn's events are durable", function()
    queue:close()
    queue = sqlite()
    local r = receiver()
    flexhooks.run(function()
      for i = 1, 3 do
        r:accept(reply, i, parts(d.post()))
      end
      r:accept(reply, 4, parts(d.post { signature = false }))
      assert.equal(1, #replies)
      assert.equal(0, queue:stats().ready)
      while #replies < 4 do
        flexhooks.sleep(0.001)
      end
      assert.equal(3, queue:stats().ready)
    end)
    assert.same({ { 1, 200 }, { 2, 200 }, { 3, 200 } },
      { replies[2], replies[3], replies[4] })
  end)

  it("answers each with 503 where the turn cannot be stored", function()
    queue:close()
    queue = sqlite { max_events = 2 }
    local rejected = {}
    local r = receiver { on_reject = function(err, request)
      flexhooks.sleep(0.001) -- may wait
      rejected[#rejected + 1] = err.reason .. " " .. request.body
    end }
    assert.is_true(queue:store { { id = "a", event = {} } })
    local request = d.post()
    flexhooks.run(function()
      for i = 1, 3 do
        r:accept(reply, i, parts(request))
      end
    end)
    local statuses = {}
    for _, one in ipairs(replies) do
      statuses[one[1]] = one[2] .. " " .. (one[3] and one[3]["retry-after"]
        or "")
    end
    -- What fits is stored alone.
    assert.same({ "200 ", "503 5", "503 5" }, statuses)
    assert.same({ "not_stored " .. request.body,
      "not_stored " .. request.body }, rejected)
  end)

  it("counts what became of it", function()
    local m = metrics.new()
    local r = receiver { metrics = m }
    for i, request in ipairs { d.post { idempotency_token = "a" },
      d.post { idempotency_token = "a" }, d.json "{" } do
      r:accept(reply, i, parts(request))
    end
    local text = m:render()
    for _, line in ipairs { "events_stored_total 1",
      'events_duplicate_total{kind="stored"} 1',
      'events_dead_total{reason="malformed"} 1' } do
      assert.is_truthy(text:find("flexhooks_" .. line, 1, true), text)
    end
  end)

  it("never raises, whatever the queue does", function()
    local r = receiver { queue = { store = print, submit = function()
      error "broken"
    end } }
    r:accept(reply, 1, parts(d.post()))
    assert.same({ 1, 500 }, { replies[1][1], replies[1][2] })
  end)
end)

describe("receiver:handle", function()
  it("answers with tables of the caller's own", function()
    local r = receiver()
    for _, request in ipairs { d.post(), d.post { target = "/x" } } do
      local first = r:handle(request)
      first.headers["content-type"], first.body = "spoilt", "spoilt"
      local second = r:handle(request)
      assert.equal("application/json", second.headers["content-type"])
      assert.not_equal("spoilt", second.body)
    end
  end)

  it("raises for what is no request", function()
    local r = receiver()
    for _, request in ipairs { "x", 5, {}, { method = "POST" },
      { method = 5, target = "/" }, { method = "POST", target = {} },
      { method = "POST", target = "/", headers = "x" },
      { method = "POST", target = "/", body = {} } } do
      local ok, err = pcall(function()
        return (r:handle(request))
      end)
      assert.is_false(ok)
      assert.equal("argument", err.kind)
      assert.is_truthy(
        err.message:find("delivery_spec.lua:%d+: receiver:handle"))
    end
    local ok, err = pcall(r.handle, d.post())
    assert.is_false(ok)
    assert.is_truthy(err.message:find("receiver:handle(", 1, true))
  end)
end)
