-- Rows of group F: JSON bodies. `{S}` and the like stand for SIDs.
local core = require "flexhooks.core"
local d = require "spec.support.deliveries"
local sids = require "spec.data.sids"

local GOOD = ('{"EventType":"onNew","AccountSid":"%s"'):format(sids.account)
local EVENT = GOOD .. "}"

local function body(text, o)
  return function()
    return d.json(text, o)
  end
end

-- A good event with `old` exchanged for `new`.
local function changed(old, new)
  return (EVENT:gsub(old, new))
end

-- A good event with one more member.
local function member(text)
  return body(GOOD .. "," .. text .. "}")
end

local function query(make)
  return function()
    return d.json(EVENT, { query = make(core.sha256(EVENT)) })
  end
end

local rows = {
  { "good", 200, nil, body(EVENT) },
  { "good with a charset", 200, nil,
    body(EVENT, { content_type = "application/json; charset=UTF-8" }) },
  { "good with spaces", 200, nil, body(" \r\n\t" .. EVENT .. "\n") },
  { "CR LF at the end, not signed", 403, "body_differs", function()
    local request = d.json(EVENT)
    request.body = request.body .. "\r\n"
    return request
  end },
  { "no type", 403, nil, body(EVENT,
    { headers = { ["Content-Type"] = false } }) },
  { "a charset", 415, "content_type",
    body(EVENT, { content_type = "application/json; charset=utf-16" }) },
  { "another JSON", 415, "content_type",
    body(EVENT, { content_type = "application/cloudevents+json" }) },
  { "text/json", 415, "content_type",
    body(EVENT, { content_type = "text/json" }) },
  { "F001", 403, "body_unsigned", function()
    local request = d.json(EVENT)
    request.target = d.target
    request.headers["X-Twilio-Signature"] = d.sign(d.url)
    return request
  end },
  { "F001 another name", 403, "body_unsigned",
    query(function(hash) return "bodysha256=" .. hash end) },
  { "F002", 403, "body_differs",
    query(function() return "bodySHA256=" .. core.sha256 "x" end) },
  { "F002 another body", 403, "body_differs",
    body(EVENT, { sent = EVENT .. " " }) },
  { "F004", 403, "body_differs", query(function(hash)
    return "bodySHA256=" .. hash .. "&bodySHA256=" .. core.sha256 "x"
  end) },
  { "F004 reversed", 403, "body_differs", query(function(hash)
    return "bodySHA256=" .. core.sha256 "x" .. "&bodySHA256=" .. hash
  end) },
  { "F004 the same twice", 403, "body_differs", query(function(hash)
    return "bodySHA256=" .. hash .. "&bodySHA256=" .. hash
  end) },
  { "F006", 403, "body_differs",
    query(function(hash) return "bodySHA256=" .. hash:upper() end) },
  { "F007 63", 403, "body_differs",
    query(function(hash) return "bodySHA256=" .. hash:sub(1, 63) end) },
  { "F007 65", 403, "body_differs",
    query(function(hash) return "bodySHA256=" .. hash .. "0" end) },
  { "F007 empty", 403, "body_differs",
    query(function() return "bodySHA256=" end) },
  { "F007 no value", 403, "body_differs",
    query(function() return "bodySHA256" end) },
  { "F007 base64", 403, "body_differs",
    query(function() return "bodySHA256=" .. ("A"):rep(43) .. "%3D" end) },
  { "F007 escaped", 403, "body_differs", query(function(hash)
    return "bodySHA256=" .. ("%%%02x"):format(hash:byte()) .. hash:sub(2)
  end) },
  { "the hash unsigned", 403, "signature_differs", function()
    local request = d.json(EVENT)
    request.headers["X-Twilio-Signature"] = d.sign(d.url)
    return request
  end },
  { "more query before", 200, nil,
    query(function(hash) return "a=b&bodySHA256=" .. hash end) },
  { "F009", 415, "content_encoding",
    body(EVENT, { headers = { ["Content-Encoding"] = "gzip" } }) },
  { "F017", 400, "malformed", member '"a":1e400' },
  { "F017 negative", 400, "malformed", member '"a":[-1e400]' },
  { "F019", 200, nil, member '"a":[-0,0.1,0.12345678901234567]' },
  { "F022", 400, "malformed", member '"a":1,"a":2' },
  { "F022 the event's type", 400, "malformed", member '"EventType":"onX"' },
  { "F026 control", 400, "malformed", member '"a":"\1"' },
  { "F026 0xff", 400, "malformed", member '"a":"\255"' },
  { "F026 overlong", 400, "malformed", member '"a":"\192\175"' },
  { "F026 a surrogate", 400, "malformed", member '"a":"\\ud800"' },
  { "F032 number", 400, "malformed",
    body(changed('"onNew"', "5")) },
  { "F032 null", 400, "malformed", body(changed('"onNew"', "null")) },
  { "F032 list", 400, "malformed", body(changed('"onNew"', '["a","b"]')) },
  { "F032 object", 400, "malformed", body(changed('"onNew"', '{"a":1}')) },
  { "F032 account", 400, "malformed", body '{"EventType":"onNew"}' },
  { "a documented field", 400, "malformed", member '"TaskSid":5' },
  { "a documented field as a list", 400, "malformed",
    member '"TaskSid":["a"]' },
  { "a documented field as null", 200, nil, member '"TaskSid":null' },
  { "nested", 200, nil, member '"a":{"b":[1,{"c":null}]}' },
  { "E026", 403, "wrong_account",
    body(changed(sids.account, sids.other_account)) },
  { "F039", 400, "malformed", body "a=b&c=d" },
  { "F039 unsigned", 403, nil, body("a=b", { signature = false }) },
  { "an array", 200, nil, body("[" .. EVENT .. "]") },
  { "an array of two", 200, nil, body("[" .. EVENT .. "," .. EVENT .. "]") },
  { "an array with another account", 403, "wrong_account", body("[" .. EVENT
    .. "," .. changed(sids.account, sids.other_account) .. "]") },
  { "a body", 413, "too_large", body(("x"):rep(262145)) },
}

local BROKEN = {
  -- F011, F012
  "{", "[1", '{"a":1', "", " ", EVENT .. "x", EVENT .. EVENT, EVENT .. " \0",
  EVENT .. "\0", EVENT .. ",", "[" .. EVENT .. ",]", "[," .. EVENT .. "]",
  "{'a':1}", "{a:1}", "{" .. '"a"' .. "}", "/**/" .. EVENT, "//\n" .. EVENT,
  -- F014
  "\239\187\191" .. EVENT, "\255\254{\0}\0", "\0{\0}", "\254\255\0{\0}",
  -- F027
  "null", "true", "1", '"x"', "[]", "{}", "[[]]", "[null]", "[{}]",
  "[" .. EVENT .. ",null]", "[null," .. EVENT .. "]", "[" .. EVENT .. ",[]]",
  "[" .. EVENT .. ",5]", "[" .. EVENT .. ',"x"]', "[[" .. EVENT .. "]]",
}
for i, text in ipairs(BROKEN) do
  rows[#rows + 1] = { "broken " .. i, 400, "malformed", body(text) }
end

for _, number in ipairs { "NaN", "Infinity", "-Infinity", "0x10", "+1", "01",
  ".5", "1.", "1e", "-", "1e+", "--1", "nan", "inf" } do
  rows[#rows + 1] = { "F016 " .. number, 400, "malformed",
    member('"a":[' .. number .. "]") }
end

local deep = ("["):rep(62) .. ("]"):rep(62)
rows[#rows + 1] = { "depth 63", 200, nil, member('"a":' .. deep) }
rows[#rows + 1] = { "depth 65", 400, "malformed",
  member('"a":[[' .. deep .. "]]") }
rows[#rows + 1] = { "F024", 400, "malformed",
  member('"' .. ("k"):rep(128) .. '":1') }
rows[#rows + 1] = { "a whole name", 200, nil,
  member('"' .. ("k"):rep(127) .. '":1') }
rows[#rows + 1] = { "F024 unsigned", 403, nil, function()
  return d.json(GOOD .. ',"' .. ("k"):rep(128) .. '":1}',
    { signature = false })
end }

return rows
