local d = require "spec.support.deliveries"
local dedupe = require "flexhooks.dedupe.memory"
local flexhooks = require "flexhooks"
local sids = require "spec.data.sids"

local router, seen

local function receiver(changes)
  local given = {
    auth_token = d.token, public_url = d.url, router = router,
    account_sid = sids.account,
  }
  for name, value in pairs(changes or {}) do
    given[name] = value
  end
  return flexhooks.receiver(given)
end

before_each(function()
  router, seen = flexhooks.router(), {}
  router:on("*", function(event, context)
    seen[#seen + 1] = { event = event, context = context }
  end)
end)

local ERRORS = {
  [400] = "malformed", [403] = "signature", [404] = "not_found",
  [405] = "unsupported", [413] = "too_large", [415] = "unsupported",
}

-- One row against a receiver of its own, which is asked for a good one after.
local function check(row)
  local rejected = {}
  local r = receiver { on_reject = function(err, request)
    rejected[#rejected + 1] = { err, request }
  end }
  local request = row[4]()
  local response = r:handle(request)
  local got = rejected[1] and rejected[1][1].reason
  assert.equal(row[2], response.status, "reason " .. tostring(got))
  assert.equal("application/json", response.headers["content-type"])
  if row[2] == 200 then
    assert.equal("{}", response.body)
    assert.is_true(#seen > 0)
    assert.equal(0, #rejected)
  else
    assert.equal(('{"error":"%s"}'):format(ERRORS[row[2]]), response.body)
    assert.equal(0, #seen)
    assert.equal(1, #rejected)
    local err = rejected[1][1]
    assert.equal(ERRORS[row[2]], err.kind)
    assert.equal(row[2], err.status)
    assert.equal(row[3] or got, got)
    assert.is_string(got)
    assert.equal(request, rejected[1][2])
    assert.equal(row[2] == 405 and "POST" or nil, response.headers.allow)
  end
  local before = #seen
  assert.equal(200, r:handle(d.post { idempotency_token = "good" }).status)
  assert.equal(before + 1, #seen)
end

describe("a refusal", function()
  it("tells whoever asked what is wrong, and the sender nothing", function()
    local err
    local r = receiver { on_reject = function(rejected)
      err = rejected
    end }
    local response = r:handle(d.post { fields = d.fields {
      InteractionSid = "secret" } })
    assert.equal('{"error":"malformed"}', response.body)
    assert.equal("malformed: the request cannot be read: InteractionSid is "
      .. "not a SID that begins with KD (status 400)", tostring(err))
  end)

  it("is logged by what it means for whoever runs this", function()
    local levels = {}
    local function logger(level, _, fields)
      levels[fields.reason] = level .. " " .. fields.status
    end
    local queue = flexhooks.queue("memory:", { max_events = 1 })
    local r = flexhooks.receiver { queue = queue, public_url = d.url,
      auth_token = d.token, logger = logger }
    assert.equal(200, r:handle(d.post()).status)
    assert.equal(503, r:handle(d.post()).status)
    r:handle(d.post { target = "/elsewhere" })
    r:handle(d.post { signature = false })
    r = receiver { logger = logger, auth_token = function()
      return nil, "the vault is closed"
    end }
    r:handle(d.post())
    assert.same({ not_stored = "error 503", unknown_path = "debug 404",
      signature_missing = "warn 403", token_lookup = "error 503" }, levels)
  end)
end)

for _, group in ipairs { "targets", "signatures", "forms", "json" } do
  describe("the receiver, " .. group .. ":", function()
    for _, row in ipairs(require("spec.data.receiver." .. group)) do
      it(row[1] .. " gets " .. row[2], function()
        check(row)
      end)
    end
  end)
end

describe("a request", function()
  it("that is none is its maker's mistake", function()
    for part, headers in pairs { ["request.headers['content-type']"] = {
      ["Content-Type"] = 5 }, ["request.headers must be table"] = "A: b" } do
      local ok, err = pcall(function()
        receiver():handle { method = "POST", target = d.target,
          headers = headers }
      end)
      assert.is_false(ok)
      assert.equal("argument", err.kind)
      assert.matches("receiver_spec.lua:%d+: receiver:handle: ", err.message)
      assert.matches(part, err.message, 1, true)
    end
  end)
end)

describe("an event", function()
  it("reaches the handler as it was sent", function()
    local fields = d.fields { Extra = { "b", "a" }, Empty = "", ["ü"] = "+ %" }
    assert.equal(200, receiver():handle(d.post { fields = fields }).status)
    fields.Extra = { "a", "b" }
    assert.same(fields, seen[1].event)
    assert.is_nil(getmetatable(seen[1].event))
  end)

  it("comes with a whole context", function()
    local client = {}
    local r = receiver { client = client }
    r:handle(d.post { idempotency_token = "t" })
    local c = seen[1].context
    assert.equal(client, c.client)
    assert.is_string(c.id)
    assert.equal(1, c.attempt)
    assert.equal("default", c.source)
    assert.equal("onParticipantJoined", c.wire_type)
    assert.is_false(c.replay)
    assert.is_nil(c.query)
    assert.same({}, c.state)
    assert.is_function(c.log)
    assert.is_true(math.abs(c.deadline - c.received_at - 12) < 0.1)
  end)

  it("has one id for all its deliveries, and another one has another",
    function()
      local function id(token, fields)
        seen = {}
        receiver():handle(d.post { idempotency_token = token,
          fields = fields })
        return seen[1].context.id
      end
      local first = id "t"
      assert.equal(first, id "t")
      assert.not_equal(first, id "u")
      assert.not_equal(first, id("t", d.fields { Extra = "x" }))
      assert.not_equal(id(nil), id(nil))
    end)

  it("is canonical; the context says what came", function()
    receiver():handle(d.post { fields = d.fields {
      EventType = "onChannelUpdated", InstanceSid = false,
      FlexInstanceSid = sids.instance, ChannelStatus = "active" } })
    assert.equal("onChannelStatusUpdated", seen[1].event.EventType)
    assert.equal(sids.instance, seen[1].event.InstanceSid)
    assert.equal("onChannelUpdated", seen[1].context.wire_type)
  end)

  it("has an integer for an error code, from form and JSON", function()
    local fields = { EventType = "onChannelCreateFailed",
      AccountSid = sids.account, ErrorCode = "45600", ErrorMessage = "no",
      MediaChannelType = "sms" }
    local r = receiver()
    r:handle(d.post { fields = fields })
    r:handle(d.json(('{"EventType":"onChannelCreateFailed","ErrorCode":45600,'
      .. '"AccountSid":"%s"}'):format(sids.account)))
    assert.equal("45600", tostring(seen[1].event.ErrorCode))
    assert.equal("45600", tostring(seen[2].event.ErrorCode))
  end)

  it("of a JSON array has an id with its place", function()
    local event = ('{"EventType":"on%%d","AccountSid":"%s"}')
      :format(sids.account)
    local body = "[" .. event:format(1) .. "," .. event:format(2) .. "]"
    assert.equal(200, receiver():handle(d.json(body)).status)
    assert.equal("on1", seen[1].event.EventType)
    assert.equal("on2", seen[2].event.EventType)
    local base = seen[1].context.id:match "^(%x+)#1$"
    assert.is_string(base)
    assert.equal(base .. "#2", seen[2].context.id)
  end)
end)

describe("a GET", function()
  local function get(changes, request)
    return receiver { methods = { "GET", "POST" },
      public_url = changes.public_url }:handle(request)
  end

  it("is an event where it is allowed", function()
    assert.equal(200, get({}, d.get()).status)
    assert.same(d.fields(), seen[1].event)
    assert.same(d.fields(), seen[1].context.query)
    assert.equal(200, get({}, d.post()).status)
    assert.equal(405, get({}, d.post { method = "PUT" }).status)
    assert.equal("GET, POST",
      get({}, d.post { method = "PUT" }).headers.allow)
  end)

  it("keeps the URL's own query apart from the event", function()
    local url = d.url .. "?tenant=a%20b&flag"
    assert.equal(200, get({ public_url = url }, d.get { url = url }).status)
    assert.is_nil(seen[1].event.tenant)
    assert.equal("a b", seen[1].context.query.tenant)
    assert.equal("", seen[1].context.query.flag)
    assert.equal("agent", seen[1].context.query.ParticipantType)
    assert.equal(403, get({ public_url = url }, d.get()).status)
  end)

  it("with a body is refused: nothing covers it", function()
    assert.equal(403, get({}, d.get { body = "a=b" }).status)
    assert.equal(413, get({}, d.get { body = ("x"):rep(262145) }).status)
  end)

  it("is refused as a POST would be", function()
    assert.equal(403, get({}, d.get { signature = false }).status)
    assert.equal(403, get({}, d.get { signed_url = d.url }).status)
    assert.equal(400, get({}, d.get { query = "a=%" }).status)
    assert.equal(400, get({}, d.get { query = "" }).status)
    assert.equal(400,
      get({}, d.get { fields = d.fields { EventType = false } }).status)
    assert.equal(413, get({}, d.get { query = ("a&"):rep(1001) }).status)
    local moved = d.get()
    moved.target = moved.target .. "&a=b"
    assert.equal(403, get({}, moved).status)
    assert.equal(0, #seen)
  end)
end)

describe("a public URL", function()
  local function served(url, request)
    return receiver { public_url = url }:handle(request).status
  end

  it("C014 loses its fragment", function()
    assert.equal(200, served(d.url .. "#rc=3&rp=all", d.post()))
  end)

  it("C012 has its query in one order", function()
    local url = d.url .. "?a=1&b=2"
    assert.equal(200, served(url, d.post { url = url }))
    assert.equal(403, served(url, d.post { url = d.url .. "?b=2&a=1" }))
    assert.equal(403, served(url,
      d.post { url = url, target = d.target .. "?b=2&a=1" }))
    assert.equal(403, served(url, d.post { url = url, target = d.target }))
    assert.equal(403, served(url, d.post()))
  end)

  it("C021 may hold a user, which is never shown", function()
    local lines = {}
    local r = receiver { public_url = "https://u:hidden@h.example/e",
      logger = function(_, message, fields)
        lines[#lines + 1] = message
        for _, value in pairs(fields) do
          lines[#lines + 1] = tostring(value)
        end
      end }
    assert.equal(200, r:handle(d.post { url = "https://h.example/e" }).status)
    assert.equal(200,
      r:handle(d.post { url = "https://u:hidden@h.example/e" }).status)
    assert.equal(403, r:handle(d.post { url = "https://h.example/e",
      token = "wrong" }).status)
    assert.is_true(#lines > 0)
    assert.is_nil(table.concat(lines):find("hidden", 1, true))
  end)

  it("without a path is served at the root", function()
    assert.equal(200, served("https://h.example",
      d.post { url = "https://h.example", target = "/" }))
  end)

  it("comes from the environment where it is not given", function()
    local getenv = os.getenv
    os.getenv = function(name) -- luacheck: ignore
      return name == "FLEXHOOKS_PUBLIC_URL" and d.url or getenv(name)
    end
    local ok, r = pcall(flexhooks.receiver,
      { auth_token = d.token, router = router })
    os.getenv = getenv -- luacheck: ignore
    assert.is_true(ok)
    assert.equal(200, r:handle(d.post()).status)
  end)
end)

describe("several sources", function()
  local other = "https://h.example/flex/one"

  it("give their labels to the context", function()
    local r = receiver { sources = { [other] = "interaction" } }
    assert.equal(200, r:handle(d.post()).status)
    assert.equal(200, r:handle(d.post { url = other,
      fields = d.fields { Extra = "x" } }).status)
    assert.equal("default", seen[1].context.source)
    assert.equal("interaction", seen[2].context.source)
    assert.equal(403, r:handle(d.post { url = other, target = d.target })
      .status)
    assert.equal(404, r:handle(d.post { target = "/flex/two" }).status)
  end)

  it("may name the public URL, and share a path", function()
    local a, b = d.url .. "?from=a", d.url .. "?from=ab"
    local r = receiver { sources = { [d.url] = "plain", [a] = "a",
      [b] = "b" } }
    for i, url in ipairs { d.url, a, b } do
      local fields = d.fields { Extra = tostring(i) }
      assert.equal(200, r:handle(d.post { url = url, fields = fields }).status)
    end
    assert.equal("plain", seen[1].context.source)
    assert.equal("a", seen[2].context.source)
    assert.equal("b", seen[3].context.source)
  end)

  it("D031 handle n equal events n times, in any order", function()
    math.randomseed(3)
    local r = receiver { sources = { [other] = "interaction" } }
    local order = {}
    for i = 1, 40 do
      order[i] = i % 2 == 0 and d.url or other
    end
    for i = #order, 2, -1 do
      local j = math.random(i)
      order[i], order[j] = order[j], order[i]
    end
    for i, url in ipairs(order) do
      local request = d.post { url = url, idempotency_token = "t" .. i }
      assert.equal(200, r:handle(request).status)
      assert.equal(200, r:handle(request).status)
    end
    assert.equal(20, #seen)
  end)

  it("under one label are one source", function()
    local r = receiver { sources = { [d.url] = "x", [other] = "x" } }
    r:handle(d.post())
    r:handle(d.post { url = other })
    assert.equal(2, #seen)
  end)

  it("are not matched where duplicates are let through", function()
    local r = receiver { sources = { [other] = "x" }, dedupe = false }
    r:handle(d.post { idempotency_token = "t" })
    r:handle(d.post { url = other, idempotency_token = "t" })
    r:handle(d.post { idempotency_token = "t" })
    assert.equal(3, #seen)
  end)
end)

describe("a re-delivery", function()
  it("is answered and not handled", function()
    local r = receiver()
    for _ = 1, 3 do
      local response = r:handle(d.post { idempotency_token = "t" })
      assert.equal(200, response.status)
      assert.equal("{}", response.body)
    end
    assert.equal(1, #seen)
  end)

  it("D024 is one only with its own token and its own bytes", function()
    local r = receiver()
    r:handle(d.post { idempotency_token = "t" })
    r:handle(d.post { idempotency_token = "u" })
    r:handle(d.post {})
    r:handle(d.post {})
    r:handle(d.post { idempotency_token = "" })
    r:handle(d.post { idempotency_token = "t",
      fields = d.fields { Extra = "x" } })
    assert.equal(6, #seen)
  end)

  it("D024 is called a possible replay under another token", function()
    local r = receiver()
    local function flag(request)
      local before = #seen
      assert.equal(200, r:handle(request).status)
      assert.equal(before + 1, #seen)
      return seen[#seen].context.possible_replay
    end
    assert.is_false(flag(d.post { idempotency_token = "t" }))
    assert.is_true(flag(d.post { idempotency_token = "u" }))
    assert.is_true(flag(d.post {}))
    assert.is_false(flag(d.post { fields = d.fields { Extra = "x" } }))
    assert.is_true(flag(d.post { fields = d.fields { Extra = "x" } }))
    r = receiver { dedupe = false }
    assert.is_false(flag(d.post {}))
    assert.is_false(flag(d.post {}))
  end)

  it("is no possible replay of what failed", function()
    local r, fail = receiver(), true
    router:on("*", function()
      return nil, fail and "not now" or nil
    end)
    assert.equal(500, r:handle(d.post { idempotency_token = "t" }).status)
    fail = false
    assert.equal(200, r:handle(d.post { idempotency_token = "t" }).status)
    assert.is_false(seen[2].context.possible_replay)
  end)

  it("is handled again where handling failed", function()
    local fail = true
    local r = receiver()
    router:on("*", function()
      return nil, fail and "not now" or nil
    end)
    assert.equal(500, r:handle(d.post { idempotency_token = "t" }).status)
    fail = false
    assert.equal(200, r:handle(d.post { idempotency_token = "t" }).status)
    assert.equal(200, r:handle(d.post { idempotency_token = "t" }).status)
    assert.equal(2, #seen)
    assert.equal(seen[1].context.id, seen[2].context.id)
  end)

  it("claims nothing before it is verified", function()
    local r = receiver()
    r:handle(d.post { idempotency_token = "t", token = "wrong" })
    assert.equal(200, r:handle(d.post { idempotency_token = "t" }).status)
    assert.equal(1, #seen)
  end)

  it("of an array handles what failed, and that alone", function()
    local fail = "on2"
    local r = receiver()
    router:on("*", function(event)
      return nil, event.EventType == fail and "x" or nil
    end)
    local event = ('{"EventType":"on%%d","AccountSid":"%s"}')
      :format(sids.account)
    local body = "[" .. event:format(1) .. "," .. event:format(2) .. "]"
    local request = d.json(body, { idempotency_token = "t" })
    assert.equal(500, r:handle(request).status)
    fail = nil
    assert.equal(200, r:handle(request).status)
    assert.equal(3, #seen)
    assert.equal("on2", seen[3].event.EventType)
  end)

  it("may be remembered elsewhere", function()
    local calls = {}
    local memory = dedupe.new { window = 10, entries = 10, twin_window = 10,
      sources = 1 }
    local r = receiver { dedupe = { claims = {
      claim = function(_, ...)
        calls[#calls + 1] = select("#", ...)
        return memory:claim(...)
      end,
      settle = function(_, ...)
        return memory:settle(...)
      end,
    } } }
    r:handle(d.post { idempotency_token = "t" })
    r:handle(d.post { idempotency_token = "t" })
    assert.equal(2, #calls)
    assert.equal(1, #seen)
  end)
end)

describe("a handler that fails", function()
  it("G007 gets 500, whatever it raises", function()
    local raised = { "text", { 1 }, 5, false,
      setmetatable({}, { __tostring = function() error "twice" end }) }
    for i = 1, #raised + 1 do
      local r = receiver()
      local s = router:on("*", function() error(raised[i]) end)
      local response = r:handle(d.post())
      assert.equal(500, response.status)
      assert.equal('{"error":"handler"}', response.body)
      router:off(s)
      assert.equal(200, r:handle(d.post()).status)
    end
  end)

  it("is logged with its trace, without the event's values", function()
    local lines = {}
    local r = receiver { logger = function(level, message, fields)
      lines[#lines + 1] = { level, message, fields }
    end }
    router:on("*", function() error "broken here" end)
    r:handle(d.post { fields = d.fields { Extra = "private" } })
    local level, _, fields = lines[1][1], lines[1][2], lines[1][3]
    assert.equal("error", level)
    assert.is_truthy(fields.error:find("broken here", 1, true))
    assert.is_truthy(fields.traceback:find("receiver_spec", 1, true))
    assert.equal(sids.interaction, fields.InteractionSid)
    for _, value in pairs(fields) do
      assert.is_nil(tostring(value):find("private", 1, true))
    end
  end)

  it("does not fail the receiver where the logger fails", function()
    local r = receiver { logger = function() error "logger" end,
      on_reject = function() error "observer" end }
    router:on("*", function() error "x" end)
    assert.equal(500, r:handle(d.post()).status)
    assert.equal(403, r:handle(d.post { signature = false }).status)
  end)
end)

describe("a client of the receiver", function()
  it("may be made for the account, after verification", function()
    local asked = {}
    local r = receiver { client = function(account)
      asked[#asked + 1] = account
      return { account }
    end }
    r:handle(d.post { signature = false })
    assert.same({}, asked)
    r:handle(d.post())
    assert.same({ sids.account }, asked)
    assert.same({ sids.account }, seen[1].context.client)
  end)

  it("that cannot be made fails the event", function()
    for _, make in ipairs {
      function() return nil, "no credentials" end,
      function() error "no credentials" end,
    } do
      local r = receiver { client = make }
      assert.equal(500,
        r:handle(d.post { idempotency_token = "t" }).status)
    end
    assert.equal(0, #seen)
  end)
end)

describe("a deadline", function()
  it("cuts a waiting handler, and the attempt has failed", function()
    local result
    local r = receiver { handler_timeout = 0.03 }
    router:on("*", function()
      result = { flexhooks.sleep(30) }
    end)
    assert.equal(500, r:handle(d.post { idempotency_token = "t" }).status)
    assert.equal("timeout", result[2].kind)
  end)

  it("does not hold up others", function()
    local r = receiver { handler_timeout = 1 }
    local order = {}
    router:on("*", { Extra = "slow" }, function()
      flexhooks.sleep(0.02)
      order[#order + 1] = "slow"
    end)
    router:on("*", { Extra = "fast" }, function()
      order[#order + 1] = "fast"
    end)
    flexhooks.run(function()
      for _, name in ipairs { "slow", "fast" } do
        flexhooks.spawn(function()
          local fields = d.fields { Extra = name }
          assert(r:handle(d.post { fields = fields }).status == 200)
        end)
      end
    end)
    assert.same({ "fast", "slow" }, order)
  end)
end)

describe("a handler that uses its own receiver", function()
  it("G011 is not held up by itself for ever", function()
    local r = receiver { handler_timeout = 0.05 }
    local request, inner = d.post { idempotency_token = "t" }, nil
    local s = router:on("*", function()
      inner = inner or r:handle(request)
    end)
    local outer = r:handle(request)
    assert.equal(503, inner.status)
    assert.equal("5", inner.headers["retry-after"])
    assert.is_true(outer.status == 200 or outer.status == 500)
    router:off(s)
    assert.equal(200, r:handle(request).status)
  end)

  it("G011 may hand it other events", function()
    local r = receiver()
    local other = d.post { fields = d.fields { EventType = "onNew" } }
    router:on("onParticipantJoined", function()
      assert.equal(200, r:handle(other).status)
    end)
    assert.equal(200, r:handle(d.post()).status)
    assert.equal("onNew", seen[2].event.EventType)
  end)
end)

describe("duplicates in flight", function()
  local function deliver_two(first_fails, url)
    local statuses, runs = {}, 0
    local r = receiver { sources = { ["https://h.example/o"] = "other" } }
    router:on("*", function()
      runs = runs + 1
      local mine = runs
      flexhooks.sleep(0.01)
      return nil, mine == 1 and first_fails and "failed" or nil
    end)
    flexhooks.run(function()
      for i = 1, 2 do
        flexhooks.spawn(function()
          local request = d.post { url = i == 2 and url or nil,
            idempotency_token = url and "t" .. i or "t" }
          statuses[i] = r:handle(request).status
        end)
      end
    end)
    return runs, statuses
  end

  it("wait for the first's outcome", function()
    local runs, statuses = deliver_two(false)
    assert.equal(1, runs)
    assert.same({ 200, 200 }, statuses)
  end)

  it("run where the first failed", function()
    local runs, statuses = deliver_two(true)
    assert.equal(2, runs)
    assert.same({ 500, 200 }, statuses)
  end)

  it("do the same as twins", function()
    local runs, statuses = deliver_two(false, "https://h.example/o")
    assert.equal(1, runs)
    assert.same({ 200, 200 }, statuses)
    runs, statuses = deliver_two(true, "https://h.example/o")
    assert.equal(2, runs)
    assert.same({ 500, 200 }, statuses)
  end)
end)

describe("several tokens", function()
  it("are all tried", function()
    local r = receiver { auth_token = { "current", "next" } }
    assert.equal(200, r:handle(d.post { token = "current" }).status)
    assert.equal(200, r:handle(d.post { token = "next" }).status)
    assert.equal(403, r:handle(d.post { token = "old" }).status)
  end)

  it("D014 must be there", function()
    for _, token in ipairs { "", false, {}, { "" }, { "a", 5 }, 5, "a\nb",
      "a\0b", ("x"):rep(1025) } do
      local ok, err = pcall(flexhooks.receiver, { auth_token = token,
        public_url = d.url, router = router })
      assert.is_false(ok)
      assert.is_truthy(tostring(err):find("auth_token", 1, true))
    end
  end)
end)

-- Damages bytes: one is exchanged, put in, taken out or swapped with another.
local function damage(text)
  local i, j = math.random(#text), math.random(#text)
  local kind, byte = math.random(4), string.char(math.random(0, 255))
  if kind == 1 then
    return text:sub(1, i - 1) .. byte .. text:sub(i + 1)
  elseif kind == 2 then
    return text:sub(1, i) .. byte .. text:sub(i + 1)
  elseif kind == 3 then
    return text:sub(1, i - 1) .. text:sub(i + 1)
  end
  i, j = math.min(i, j), math.max(i, j)
  return text:sub(1, i - 1) .. text:sub(j, j) .. text:sub(i + 1, j - 1)
    .. text:sub(i, i) .. text:sub(j + 1)
end

describe("a damaged request", function()
  local ALLOWED = { [200] = true, [400] = true, [403] = true, [404] = true,
    [405] = true, [413] = true, [415] = true }

  -- Damaged up to `n` times: what is still taken says what was signed.
  local function try(make, part, n)
    math.randomseed(42)
    local accepted = 0
    local r = receiver { methods = { "GET", "POST" }, dedupe = false }
    local fields = d.fields { InstanceSid = sids.instance }
    for _ = 1, 3000 do
      local request = make(fields)
      local whole = request[part]
      for _ = 1, math.random(n) do
        request[part] = damage(request[part])
      end
      seen = {}
      local status = r:handle(request).status
      assert.is_true(ALLOWED[status], status)
      if status == 200 then
        accepted = accepted + (request[part] == whole and 0 or 1)
        for name, value in pairs(fields) do
          assert.equal(value, seen[1].event[name])
        end
      end
    end
    return accepted
  end

  it("in its form is refused, or says the same", function()
    local accepted = try(function(fields)
      return d.post { fields = fields }
    end, "body", 2)
    assert.is_true(accepted < 300, accepted)
  end)

  it("in its target is refused", function()
    assert.equal(0, try(function(fields)
      return d.post { fields = fields }
    end, "target", 1))
  end)

  it("in its query is refused, or says the same", function()
    local accepted = try(function(fields)
      return d.get { fields = fields }
    end, "target", 1)
    assert.is_true(accepted < 300, accepted)
  end)

  it("in its JSON is refused", function()
    local json = require "flexhooks.json"
    assert.equal(0, try(function(fields)
      return d.json(json.encode(fields))
    end, "body", 1))
  end)
end)
