local core = require "flexhooks.core"
local deliveries = require "spec.data.deliveries"
local reference = require "spec.support.reference"
local twilio_node = require "spec.data.twilio_node_vectors"
local vectors = require "spec.data.signature_vectors"

local TOKEN = "0123456789abcdef0123456789abcdef"
local URL = "https://h.example/flex/events"
local AC = "AC" .. TOKEN

local key = core.key(TOKEN)

-- A compiled trace may hold what it once used, and with it this key.
teardown(function()
  key:close()
end)

local function signed(text)
  return reference.base64(reference.hmac(TOKEN, text))
end

local function verifier(options)
  options = options or {}
  options.url = options.url or URL
  return assert(core.verifier(options))
end

describe("a verifier", function()
  it("wants a URL that can have been registered", function()
    for _, url in ipairs { "", "/flex/events", "h.example/e", "ftp://h/e",
      "https://", "https://h h/", "https://h/a b", "https://h/\n",
      "https://h:x/", "https://h/\0" } do
      local made, kind, message = core.verifier { url = url }
      assert.is_nil(made)
      assert.equal("config", kind)
      assert.matches("^the URL must", message)
    end
  end)

  it("raises for options of the wrong kind", function()
    for _, options in ipairs { {}, { url = 1 }, { url = URL, params = "x" },
      { url = URL, body = -1 }, { url = URL, body = 2 ^ 30 + 1 },
      { url = URL, name = 0 / 0 }, { url = URL, fields = {} },
      { url = URL, fields = print } } do
      assert.has_error(function() core.verifier(options) end)
    end
    assert.has_error(function() core.verifier() end)
  end)

  it("raises for arguments of the wrong kind", function()
    local v = verifier()
    local closed = core.key "x"
    closed:close()
    for _, keys in ipairs { false, {}, { 1 }, "x", { key, {} }, closed,
      { key, closed } } do
      assert.has_error(function() v:form(keys, nil, nil, "") end)
    end
    local many = {}
    for i = 1, 17 do
      many[i] = key
    end
    assert.has_error(function() v:form(many, nil, nil, "") end)
    many[17] = nil
    assert.equal("signature_missing", select(2, v:form(many, nil, nil, "")))
    assert.has_error(function() v:form(key, 1, nil, "") end)
    assert.has_error(function() v:form(key, nil, 1, "") end)
    assert.has_error(function() v:form(key, nil, nil, nil) end)
    assert.has_error(function() v:form(key, nil, nil, 1) end)
    assert.has_error(function() v:json(key, nil, nil) end)
    assert.has_error(function() v:account("", "xml") end)
    assert.has_error(function() v.form(key, nil, nil, "") end)
    assert.has_error(function() v.form(io.stdout, key, nil, nil, "") end)
    v:close()
    v:close()
    assert.has_error(function() v:form(key, nil, nil, "") end)
    assert.has_error(function() v:account("", "form") end)
  end)

  local function form_of(params)
    local list = {}
    for name, values in pairs(params) do
      for _, value in ipairs(type(values) == "table" and values
        or { values }) do
        list[#list + 1] = { name, value }
      end
    end
    return core.encode_form(list)
  end

  for _, row in ipairs(vectors) do
    it("has the libraries' verdict on " .. row.name, function()
      local v = verifier { url = row.url }
      local keys = { core.key "other", core.key "12345" }
      local query = row.url:match "%?(.*)$"
      local good
      if row.body then
        good = v:json(keys, row.signature, query, row.body)
      else
        good = v:form(keys, row.signature, query, form_of(row.params))
      end
      assert.equal(row.valid, good and true or false)
    end)
  end

  for _, row in ipairs(twilio_node) do
    it("has twilio-node's verdict: " .. row.algorithm .. ", " .. row.name,
      function()
        local v = verifier { url = row.url }
        local own = core.key(row.secret, row.algorithm)
        local query = row.url:match "%?(.*)$"
        local good
        if row.body then
          good = v:json(own, row.signature, query, row.body)
        else
          good = v:form(own, row.signature, query, form_of(row.params))
        end
        assert.equal(row.valid, good and true or false)
      end)
  end

  for _, row in ipairs(deliveries.headers) do
    local what, header, reason = row[1], row[2], row[3]
    it("takes a signature header for what it is: " .. what, function()
      local body = "EventType=x&AccountSid=" .. AC
      local event, why = verifier():form(key, header(
        signed(URL .. "AccountSid" .. AC .. "EventTypex")), nil, body)
      if reason then
        assert.is_nil(event)
        assert.equal(reason, why:sub(1, #reason))
      else
        assert.same({ EventType = "x", AccountSid = AC }, event)
      end
    end)
  end

  for _, row in ipairs(deliveries.forms) do
    local what, body, text, expected = row[1], row[2], row[3], row[4]
    it("reads a form with " .. what, function()
      local v = verifier()
      local event, why = v:form(key, signed(URL .. text), nil, body)
      if type(expected) == "string" then
        assert.is_nil(event)
        assert.equal(expected, why)
      else
        assert.same(expected, event)
        assert.is_nil(getmetatable(event))
      end
    end)
  end

  local function hash_query(query, body)
    local hash = core.sha256(body)
    return query and query:gsub("%u%u%u%u%u?%u?%u?", {
      HASH = hash, UPPER = hash:upper(), SHORT = hash:sub(2),
      ESCAPED = ("%%%02x"):format(hash:byte()) .. hash:sub(2),
    }) or nil
  end

  for _, row in ipairs(deliveries.hashes) do
    local what, body, reason = row[1], row[3], row[4]
    it("takes a body's hash for what it is: " .. what, function()
      local query = hash_query(row[2], body)
      local signature = signed(URL .. (query and "?" .. query or ""))
      local good, note = verifier():json(key, signature, query, body, "t")
      if reason then
        assert.is_nil(good)
        assert.equal(reason, note)
      else
        assert.is_true(good)
        assert.equal(32, #note)
        assert.is_nil((verifier():json(key, signature, query, body .. " ")))
        assert.is_nil((verifier():json(key, signed(URL), query, body)))
      end
    end)
  end

  it("takes from each key the signatures of its algorithm alone", function()
    local sha256 = core.key(TOKEN, "HMAC_SHA256")
    local body, made = "a=1", {
      [key] = signed(URL .. "a1"),
      [sha256] = reference.signature(TOKEN, URL, { { "a", "1" } },
        "HMAC_SHA256"),
    }
    for own, signature in pairs(made) do
      local other = own == key and sha256 or key
      assert.same({ a = "1" }, verifier():form(own, signature, nil, body))
      assert.same({ a = "1" },
        verifier():form({ other, own }, signature, nil, body))
      assert.equal("algorithm_differs",
        select(2, verifier():form(other, signature, nil, body)))
      assert.equal("signature_differs",
        select(2, verifier():form({ key, sha256 }, signature, nil, "a=2")))
    end
    assert.equal("signature_missing",
      select(2, verifier():form(sha256, nil, nil, body)))
    assert.equal("malformed",
      select(2, verifier():form(sha256, made[key], nil, "a=%")))
  end)

  it("binds a form, and a GET, to a hash in the query", function()
    local body = "a=1"
    local query = "bodySHA256=" .. core.sha256(body)
    local signature = signed(URL .. "?" .. query .. "a1")
    assert.same({ a = "1" }, verifier():form(key, signature, query, body))
    query = "bodySHA256=" .. core.sha256 "a=2"
    signature = signed(URL .. "?" .. query .. "a1")
    assert.equal("body_differs",
      select(2, verifier():form(key, signature, query, body)))
    query = "a=1&bodySHA256=" .. core.sha256 ""
    signature = signed(URL .. "?" .. query)
    assert.same({ a = "1" }, verifier():query(key, signature, query))
    query = "a=1&bodySHA256=" .. core.sha256 "x"
    signature = signed(URL .. "?" .. query)
    assert.equal("body_differs",
      select(2, verifier():query(key, signature, query)))
  end)

  it("reads the fields of a GET from the query, and signs it raw", function()
    local query = "b=%32&a=1+&b=1"
    assert.same({ a = "1 ", b = { "1", "2" } },
      verifier():query(key, signed(URL .. "?" .. query), query))
    assert.equal("signature_differs", select(2,
      verifier():query(key, signed(URL .. "?" .. query .. "a1 b1b2"), query)))
    assert.same({}, verifier():query(key, signed(URL), nil))
    assert.equal("malformed", select(2, verifier():query(key, nil, "a=%")))
    assert.equal("too_large",
      select(2, verifier():query(key, nil, ("n"):rep(128))))
  end)

  it("leaves the configured query out of the event", function()
    local v = verifier { url = URL .. "?source=one" }
    local query = "source=one&a=1"
    local event, id = v:query(key, signed(URL .. "?" .. query), query, "t")
    assert.same({ a = "1" }, event)
    local _, same = verifier():query(key, signed(URL .. "?a=1"), "a=1", "t")
    assert.equal(same, id)
    assert.equal("query_differs",
      select(2, v:query(key, signed(URL .. "?a=1"), "a=1")))
    assert.equal("query_differs",
      select(2, v:form(key, signed(URL), nil, "")))
  end)

  local function ids(body, text, query, token, want_twin)
    local event, id, twin = verifier():form(key,
      signed(URL .. (query and "?" .. query or "") .. text), query, body,
      token, want_twin)
    assert.is_table(event)
    return id, twin
  end

  it("gives ids over the token and the fields alone", function()
    local id, twin = ids("ab=c&d=", "abcd", nil, "t", true)
    assert.matches("^" .. ("%x"):rep(32) .. "$", id)
    assert.matches("^" .. ("%x"):rep(32) .. "$", twin)
    assert.same({ id, twin }, { ids("d&ab=c&d=", "abcd", "x=1", "t", true) })
    for _, body in ipairs { "a=bcd", "abcd=", "=abcd", "ab=cd", "ab=&cd=" } do
      local other_id, other_twin = ids(body, "abcd", nil, "t", true)
      assert.not_equal(id, other_id)
      assert.not_equal(twin, other_twin)
    end
    for _, token in ipairs { "", "T", "t\0", "tt", ("t"):rep(9000) } do
      local other_id, same_twin = ids("ab=c&d=", "abcd", nil, token, true)
      assert.not_equal(id, other_id)
      assert.equal(twin, same_twin)
    end
  end)

  it("gives the ids that are asked for", function()
    assert.same({ nil, nil }, { ids("a=1", "a1") })
    local id, twin = ids("a=1", "a1", nil, "t")
    assert.is_string(id)
    assert.is_nil(twin)
    id, twin = ids("a=1", "a1", nil, nil, true)
    assert.is_nil(id)
    assert.is_string(twin)
    assert.has_error(function() ids("a=1", "a1", nil, 1) end)
  end)

  it("gives the shape of fields that a checker finds right", function()
    local v = verifier { fields = core.field_checker { Sid = { "AC" },
      Text = {} } }
    local function shape_of(body)
      local params = {}
      for _, field in ipairs(core.decode_form(body)) do
        local before = params[field[1]]
        params[field[1]] = before and { before, field[2] } or field[2]
      end
      local event, _, _, shape = v:form(key, (key:sign(URL, params)), nil,
        body)
      assert.same(params, event)
      return shape
    end
    local both = shape_of("Sid=" .. AC .. "&Text=")
    assert.is_number(both)
    assert.equal(both, shape_of("other=1&Text=x&Sid=" .. AC))
    local seen = { [both] = true }
    for _, body in ipairs { "", "Text=x", "Sid=" .. AC } do
      local shape = shape_of(body)
      assert.is_nil(seen[shape])
      seen[shape] = true
    end
    for _, body in ipairs { "Sid=", "Sid=AC", "Text=1&Text=2",
      "Sid=" .. AC .. "&Sid=x" } do
      assert.is_nil(shape_of(body))
    end
    v:close()
  end)

  it("gives no shape without a checker", function()
    local signature = key:sign(URL, { a = "1" })
    local event, _, _, shape = verifier():form(key, signature, nil, "a=1")
    assert.same({ a = "1" }, event)
    assert.is_nil(shape)
  end)

  it("takes caps of its own", function()
    local v = verifier { params = 2, name = 3, value = 4, body = 20 }
    assert.same({ abc = "1234", b = "" },
      v:form(key, signed(URL .. "abc1234b"), nil, "abc=1234&b"))
    for _, body in ipairs { "a&b&c", "abcd", "a=12345",
      ("&"):rep(21) } do
      assert.equal("too_large", select(2, v:form(key, nil, nil, body)))
    end
    assert.equal("too_large",
      select(2, v:json(key, nil, nil, ("x"):rep(21))))
    assert.equal("too_large",
      select(2, v:form(key, nil, ("x"):rep(21), "")))
    v = verifier { params = 0 }
    assert.same({}, v:form(key, signed(URL), nil, ""))
    assert.equal("too_large", select(2, v:form(key, nil, nil, "a")))
  end)

  it("refuses bytes that moved between URL, names and values", function()
    local event = "AccountSid" .. AC .. "EventTypeonChannelCreated"
    local signature = signed(URL .. event)
    local v = verifier()
    assert.is_table((v:form(key, signature, nil,
      "AccountSid=" .. AC .. "&EventType=onChannelCreated")))
    assert.is_nil((v:form(key, signature, "?", event)))
    assert.is_nil((verifier { url = URL .. event:sub(1, 5) }
      :form(key, signed(URL .. event), nil, "x" .. event:sub(6))))
  end)

  it("finds the account before it verifies", function()
    local v = verifier { url = URL .. "?AccountSid=mine" }
    local other = "AC" .. ("f"):rep(32)
    assert.equal(AC, v:account("a=1&%41ccountSid=" .. AC, "form"))
    assert.equal(AC, v:account("AccountSid=mine&AccountSid=" .. AC, "query"))
    assert.equal(AC, v:account('[{"AccountSid":"' .. AC .. '"}]', "json"))
    for _, body in ipairs { "", "AccountSid=" .. AC .. "0", "AccountSid",
      "AccountSid=" .. AC:sub(1, -2), "AccountSid=" .. AC:lower(),
      "AccountSid=" .. AC .. "&AccountSid=" .. other,
      "AccountSid=" .. AC .. "&x=%", ("&"):rep(262145) } do
      assert.is_nil((v:account(body, "form")))
    end
    assert.is_nil((v:account('{"AccountSid":"' .. AC, "json")))
    assert.is_nil((v:account("{}", "json")))
  end)
end)

describe("a verifier, compared with the definition,", function()
  local random = math.random

  local function pick(list)
    return list[random(#list)]
  end

  local BYTES = { "a", "b", "A", "'", "&", "=", "+", "%", " ", "\255", "\0",
    "\195\169", "aa", "" }

  local function text(most, without_nul)
    local parts = {}
    for i = 1, random(0, most) do
      parts[i] = pick(BYTES)
    end
    local made = table.concat(parts)
    return without_nul and made:gsub("%z", "") or made
  end

  local function fields()
    local list = {}
    for i = 1, random(0, 30) do
      list[i] = { (text(3, true)), (text(4)) }
    end
    return list
  end

  -- The event as the definition gives it: sorted lists of distinct values.
  local function event_of(list)
    local event, seen = {}, {}
    for _, pair in ipairs(list) do
      local name, value = pair[1], pair[2]
      local id = #name .. ":" .. name .. value
      if not seen[id] then
        seen[id] = true
        event[name] = event[name] or {}
        table.insert(event[name], value)
      end
    end
    for name, values in pairs(event) do
      reference.sort(values)
      event[name] = #values == 1 and values[1] or values
    end
    return event
  end

  it("agrees on random forms", function()
    math.randomseed(20240607)
    for _ = 1, 200 do
      local list = fields()
      local query = pick { false, "", "x=1", "y=''", "b=%27&a" } or nil
      local url = URL .. (query and "?" .. query or "")
      local sent = pick { url, url:gsub("^https://h.example", "%0:443"),
        (url:gsub("'", "%%27")) }
      local algorithm = pick { "HMAC_SHA1", "HMAC_SHA256" }
      local own = core.key(TOKEN, algorithm)
      local signature = reference.signature(TOKEN, sent, list, algorithm)
      local body = core.encode_form(list)
      assert.same(event_of(list),
        verifier():form(own, signature, query, body))
      list[#list + 1] = { "zz", "" }
      assert.is_nil((verifier():form(own, signature, query,
        core.encode_form(list))))
    end
  end)

  it("agrees on a thousand fields in every order", function()
    for _, order in ipairs { "up", "down", "random" } do
      local list = {}
      for i = 1, 1000 do
        local number = order == "up" and i or order == "down" and 1001 - i
          or random(10000)
        list[i] = { ("p"):rep(120) .. number, tostring(number) }
      end
      local signature = reference.signature(TOKEN, URL, list)
      assert.same(event_of(list),
        verifier():form(key, signature, nil, core.encode_form(list)))
    end
  end)

  it("agrees on what the key signs", function()
    for _ = 1, 100 do
      local list = fields()
      local params = event_of(list)
      assert.equal(reference.signature(TOKEN, URL, list),
        (key:sign(URL, params)))
    end
  end)
end)

describe("a verifier's memory of names", function()
  it("tells names of one place apart", function()
    local v = verifier()
    for _, name in ipairs { "Name", "Nose", "", "\0", "Name", "x", "Nose" } do
      local params = { [name] = name .. "1", a = "2" }
      local list = { { name, name .. "1" }, { "a", "2" } }
      local ran, made = pcall(v.form, v, key, (key:sign(URL, params)), nil,
        core.encode_form(list))
      if name ~= "\0" then -- a name with a NUL makes a form malformed
        assert.is_true(ran)
        assert.same(params, made)
      end
    end
  end)
end)

describe("a verifier that is used again while it makes an event", function()
  local finalized

  local proxy = rawget(_G, "newproxy") -- has no finalizers on tables

  -- Garbage whose finalizer runs `action`.
  local function litter(action)
    local function finalize()
      finalized = finalized + 1
      action()
    end
    if proxy then
      getmetatable(proxy(true)).__gc = finalize
    else
      setmetatable({}, { __gc = finalize })
    end
  end

  -- 5.4 collects after 8 KiB at the earliest, or after 32 bytes.
  local function small_steps(on)
    if not proxy then
      collectgarbage("incremental", on and 100 or 200, on and 200 or 100,
        on and 5 or 13)
    else
      collectgarbage("setpause", on and 100 or 200)
      collectgarbage("setstepmul", 200)
    end
  end

  local function many(prefix, count, size)
    local params, list = {}, {}
    for i = 1, count do
      list[i] = { prefix .. i, prefix:rep(size) .. i }
      params[list[i][1]] = list[i][2]
    end
    return core.encode_form(list), (key:sign(URL, params)), params
  end

  -- Within the stack's scratch memory, and beyond.
  for _, shape in ipairs { { 80, 1 }, { 400, 20 } } do
    it("holds none of the other's bytes, of " .. shape[1] .. " fields",
      function()
        local v = verifier()
        local body, signature, event = many("right", shape[1], shape[2])
        -- Names of one size and first letter have one place in the memory.
        local other_body, other_signature = many("rival", shape[1], shape[2])
        local during, round = 0, 0
        finalized = 0
        small_steps(true)
        -- When a finalizer runs within the call is the collector's affair.
        while round < 80 or during == 0 and round < 8000 do
          round = round + 1
          for _ = 1, 20 do
            litter(function()
              assert(v:form(key, other_signature, nil, other_body))
            end)
          end
          -- The collector gets round to the garbage at another allocation of
          -- the call every time.
          collectgarbage("step", round % 60)
          local before = finalized
          local made = v:form(key, signature, nil, body)
          during = during + finalized - before
          assert.same(event, made)
        end
        small_steps(false)
        assert.is_true(during > 0)
      end)
  end

  it("survives being closed by a finalizer", function()
    local body, signature, event = many("right", 400, 20)
    for _ = 1, 50 do
      local v, own = verifier(), core.key(TOKEN)
      litter(function()
        v:close()
        own:close()
      end)
      for _ = 1, 20 do
        local ran, made = pcall(v.form, v, own, signature, nil, body)
        if ran then
          assert.same(event, made)
        else
          assert.matches("closed", made)
          break
        end
      end
    end
  end)
end)
