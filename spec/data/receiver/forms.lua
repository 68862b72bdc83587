-- Rows of group E, and G where an event's fields decide: form bodies.
local core = require "flexhooks.core"
local d = require "spec.support.deliveries"
local sids = require "spec.data.sids"

-- Fields that are sent and signed.
local function fields(changes)
  return function()
    return d.post { fields = d.fields(changes) }
  end
end

-- A body of these bytes behind a good event, with a good signature for what
-- `signed` adds.
local function tail(bytes, signed)
  return function()
    return d.post { body = d.encode(d.fields()) .. bytes,
      signed = d.fields(signed) }
  end
end

local function only(body, signed)
  return function()
    return d.post { body = body, signed = signed or {} }
  end
end

-- Signed with some fields and sent with others that spell the same bytes.
local function recut(signed, sent)
  return function()
    local before = d.fields(signed)
    local after = {}
    for name, value in pairs(before) do
      after[name] = value
    end
    for name, value in pairs(sent) do
      after[name] = value or nil
    end
    assert(d.sign(d.url, before) == d.sign(d.url, after), "other bytes")
    return d.post { fields = after, signed = before }
  end
end

local function typed(content_type, headers)
  return function()
    return d.post { content_type = content_type, headers = headers }
  end
end

local function many(n)
  local changes = {}
  for i = 1, n - 9 do
    changes[("F%05d"):format(i)] = "v"
  end
  return fields(changes)
end

local F = "application/x-www-form-urlencoded"

local rows = {
  { "good", 200, nil, fields {} },
  { "E001", 400, "malformed", only "" },
  { "E002", 400, "malformed", only("a", { a = "" }) },
  { "E002 behind an event", 200, nil, tail("&a", { a = "" }) },
  { "CR LF at the end, not signed", 403, "signature_differs", tail "\r\n" },
  { "CR LF at the end, signed", 200, nil,
    tail("&a=b\r\n", { a = "b\r\n" }) },
  { "E004", 200, nil, tail("&a==b", { a = "=b" }) },
  { "E007 %", 400, "malformed", tail "%" },
  { "E007 %4", 400, "malformed", tail "&a=%4" },
  { "E009", 400, "malformed", tail("&%00=x", { ["\0"] = "x" }) },
  { "E009 within", 400, "malformed", tail("&a%00b=x", { ["a\0b"] = "x" }) },
  { "a NUL in a value", 200, nil, tail("&a=%00", { a = "\0" }) },
  { "E011", 200, nil, tail("&a=%ff%fe", { a = "\255\254" }) },
  { "E012", 200, nil, tail("&a=%c0%af", { a = "\192\175" }) },
  { "E014", 200, nil, tail("&a=\128\255", { a = "\128\255" }) },
  { "E016 plus", 200, nil, tail("&a=+", { a = " " }) },
  { "E016 %2B", 200, nil, tail("&a=%2B", { a = "+" }) },
  { "E016 %20", 200, nil, tail("&a=%20", { a = " " }) },
  { "E016 plus signed as plus", 403, "signature_differs",
    tail("&a=+", { a = "+" }) },
  { "E017", 200, nil, function()
    return d.post { body = d.encode(d.fields()):gsub("AccountSid",
      "%%41ccount%%53id") }
  end },
  { "E019", 200, nil, tail("&a=2&a=1", { a = { "1", "2" } }) },
  { "E021", 403, "signature_differs", tail("&a=2&a=1", { a = "2" }) },
  { "E022", 403, "signature_differs", tail("&a=2&a=1", { a = "2,1" }) },
  { "repeated with one value", 200, nil, tail("&a=1&a=1", { a = "1" }) },
  { "E024", 400, "malformed", function()
    local names, text = {}, ""
    for name in pairs(d.fields()) do
      names[#names + 1] = name
    end
    table.sort(names)
    for _, name in ipairs(names) do
      text = text .. name .. d.fields()[name]
    end
    return d.post { fields = { A = text:sub(2) } }
  end },
  { "a type that swallowed a field", 400, "malformed", recut({
    EventType = "onChannelCreated", InstanceSid = sids.instance,
  }, { EventType = "onChannelCreatedInstanceSid" .. sids.instance,
    InstanceSid = false }) },
  { "an older type that swallowed a field", 400, "malformed", recut({
    EventType = "onChannelUpdated", InstanceSid = sids.instance,
  }, { EventType = "onChannelUpdatedInstanceSid" .. sids.instance,
    InstanceSid = false }) },
  { "an unknown type that begins like a known one", 200, nil,
    fields { EventType = "onChannelCreatedTwice", TaskSid = false } },
  { "an enumeration that swallowed a field", 400, "malformed",
    recut({}, { ParticipantType = "agentTaskSid" .. sids.task,
      TaskSid = false }) },
  { "a name that swallowed a byte", 400, "malformed",
    recut({}, { ParticipantTypea = "gent", ParticipantType = false }) },
  { "a name that swallowed its value", 400, "malformed",
    recut({}, { ParticipantTypeagent = "", ParticipantType = false }) },
  { "a name that lost a byte", 400, "malformed",
    recut({}, { ParticipantTyp = "eagent", ParticipantType = false }) },
  { "a name that lost all but one", 400, "malformed",
    recut({}, { T = "askSid" .. sids.task, TaskSid = false }) },
  { "an unknown name that lost a byte", 200, nil,
    recut({ Tag = "xy" }, { Ta = "gxy", Tag = false }) },
  { "a longer name beside the known one", 200, nil,
    fields { ParticipantTypeName = "x" } },
  { "a longer name of another event's field", 200, nil,
    fields { ChannelStatusReason = "x", ErrorCodes = "1" } },
  { "a message that names a field", 200, nil, function()
    return d.post { fields = { EventType = "onChannelCreateFailed",
      AccountSid = sids.account, ErrorCode = "1",
      ErrorMessage = "the ChannelSid is wrong" } }
  end },
  { "bytes moved from a value to a name", 400, nil, function()
    return d.post { signed = d.fields(), fields = d.fields {
      AccountSid = false,
      ["AccountSidAC"] = sids.account:sub(3),
    } }
  end },
  { "bytes moved to the path", 404, "unknown_path", function()
    return d.post { url = d.url .. "AccountSid" .. sids.account,
      fields = d.fields { AccountSid = false } }
  end },
  { "E026", 403, "wrong_account",
    fields { AccountSid = sids.other_account } },
  { "E026 in an unknown event", 403, "wrong_account",
    fields { AccountSid = sids.other_account, EventType = "onNew" } },
  { "E026 that is no event", 403, "wrong_account",
    fields { AccountSid = sids.other_account, EventType = false } },
  { "E027 31", 400, "malformed",
    fields { AccountSid = "AC" .. ("a"):rep(31) } },
  { "E027 33", 400, "malformed",
    fields { AccountSid = "AC" .. ("a"):rep(33) } },
  { "E027 upper case", 400, "malformed",
    fields { AccountSid = "AC" .. ("A"):rep(32) } },
  { "E027 lower case", 400, "malformed",
    fields { AccountSid = "ac" .. ("a"):rep(32) } },
  { "E027 no hex", 400, "malformed",
    fields { AccountSid = "AC" .. ("z"):rep(32) } },
  { "two accounts", 400, "malformed",
    fields { AccountSid = { sids.account, sids.other_account } } },
  { "the same account twice", 200, nil, tail("&AccountSid=" .. sids.account) },
  { "two event types", 400, "malformed",
    fields { EventType = { "onChannelCreated", "onParticipantJoined" } } },
  { "no event type", 400, "malformed", fields { EventType = false } },
  { "an empty event type", 400, "malformed", fields { EventType = "" } },
  { "no interaction", 400, "malformed", fields { InteractionSid = false } },
  { "a SID too long", 400, "malformed",
    fields { InteractionSid = sids.interaction .. "0" } },
  { "another kind of SID", 400, "malformed",
    fields { ChannelSid = sids.participant } },
  { "E029", 200, nil, fields { __index = "a", __gc = "b", __newindex = "c",
    constructor = "d", __proto__ = "e", __metatable = "f" } },
  { "E031", 413, "too_large", many(1001) },
  { "E031 unsigned", 413, "too_large", function()
    local request = many(1001)()
    request.headers["X-Twilio-Signature"] = nil
    return request
  end },
  { "E031 with a bad escape", 413, "too_large", function()
    local request = many(1001)()
    request.body = request.body .. "&a=%"
    return request
  end },
  { "E031 all", 200, nil, many(1000) },
  { "E032 100", 200, nil, many(100) },
  { "E032 101", 200, nil, many(101) },
  { "E034", 413, "too_large", fields { a = ("x"):rep(65537) } },
  { "E034 all", 200, nil, fields { a = ("x"):rep(65536) } },
  { "E034 escaped", 200, nil, tail("&a=" .. ("%78"):rep(65536),
    { a = ("x"):rep(65536) }) },
  { "a name", 413, "too_large", fields { [("x"):rep(128)] = "" } },
  { "a whole name", 200, nil, fields { [("x"):rep(127)] = "" } },
  { "an escaped name", 200, nil, tail("&" .. ("%78"):rep(127) .. "=",
    { [("x"):rep(127)] = "" }) },
  { "a body", 413, "too_large", only(("x"):rep(262145)) },
  { "a body of another type", 413, "too_large", function()
    return d.post { body = ("x"):rep(262145), content_type = "text/plain" }
  end },
  { "E041", 200, nil, typed(F .. "; charset=UTF-8") },
  { "E041 small", 200, nil, typed(F .. ";charset=utf-8") },
  { "E041 any case", 200, nil,
    typed "Application/X-WWW-Form-URLencoded;CHARSET=Utf-8" },
  { "E041 tabs", 200, nil, typed("\t" .. F .. "\t;\tcharset=utf-8\t") },
  { "E041 quoted", 200, nil, typed(F .. '; charset="utf-8"') },
  { "E041 bare", 200, nil, typed(F) },
  { "E041 a semicolon", 200, nil, typed(F .. ";") },
  { "E041 another parameter", 200, nil, typed(F .. "; x=y; charset=utf-8") },
  { "absent", 200, nil, typed(false) },
  { "E042", 415, "content_type", typed(F .. "; charset=utf-7") },
  { "E042 utf-16", 415, "content_type", typed(F .. "; charset=utf-16") },
  { "E042 latin", 415, "content_type", typed(F .. "; charset=ISO-8859-1") },
  { "E042 empty", 415, "content_type", typed(F .. "; charset=") },
  { "E042 both", 415, "content_type",
    typed(F .. "; charset=utf-8; charset=utf-7") },
  { "E044", 415, "content_type", typed "multipart/form-data; boundary=x" },
  { "a longer type", 415, "content_type", typed(F .. "x") },
  { "a shorter type", 415, "content_type",
    typed "application/x-www-form-urlencode" },
  { "two types", 415, "content_type", typed(F .. ", application/json") },
  { "a list of types", 415, "content_type", typed { F, F } },
  { "words behind", 415, "content_type", typed(F .. " x") },
  { "no parameter", 415, "content_type", typed(F .. "; x") },
  { "an empty type", 415, "content_type", typed "" },
  { "text", 415, "content_type", typed "text/plain" },
  { "any", 415, "content_type", typed "*/*" },
  { "octets", 415, "content_type", typed "application/octet-stream" },
  { "B022", 415, "content_encoding",
    typed(F, { ["Content-Encoding"] = "gzip" }) },
  { "br", 415, "content_encoding",
    typed(F, { ["content-encoding"] = "br" }) },
  { "stacked", 415, "content_encoding",
    typed(F, { ["CONTENT-ENCODING"] = "identity, gzip" }) },
  { "identity", 200, nil, typed(F, { ["Content-Encoding"] = "Identity" }) },
  { "E046 right", 200, nil, function()
    local url = d.url .. "?bodySHA256=" .. core.sha256(d.encode(d.fields()))
    return d.post { url = url }
  end },
  { "E046 wrong", 403, "body_differs", function()
    return d.post { url = d.url .. "?bodySHA256=" .. core.sha256 "x" }
  end },
  { "E047 a space before", 400, "malformed", function()
    return d.post { fields = d.fields { AccountSid = false,
      [" AccountSid"] = sids.account } }
  end },
  { "E047 a byte order mark", 400, "malformed", function()
    return d.post { fields = d.fields { AccountSid = false,
      ["\239\187\191AccountSid"] = sids.account } }
  end },
  { "E047 trimmed", 403, "signature_differs", function()
    return d.post { body = " " .. d.encode(d.fields()) }
  end },
  { "E047 a space in a value", 400, "malformed",
    fields { AccountSid = sids.account .. " " } },
  { "E049 plus", 200, nil, tail("&a=" .. ("+"):rep(10000),
    { a = (" "):rep(10000) }) },
  { "E049 %20", 200, nil, tail("&a=" .. ("%20"):rep(21000),
    { a = (" "):rep(21000) }) },
  { "G001", 200, nil, fields { EventType = "onNew" } },
  { "G001 nothing else known", 200, nil, function()
    return d.post { fields = { EventType = "onNew",
      AccountSid = sids.account } }
  end },
  { "the older name", 200, nil, fields { EventType = "onChannelUpdated",
    InstanceSid = sids.instance, ChannelStatus = "active" } },
}

for _, bad in ipairs { "%", "%4", "%zz", "%G0", "%%41", "%4%41", "%-1",
  "% 1" } do
  for name, signature in pairs { U = false, S = true } do
    rows[#rows + 1] = { "E006 " .. name .. " " .. bad, 400, "malformed",
      function()
        return d.post { body = d.encode(d.fields()) .. "&a=" .. bad,
          signature = signature and nil, signed = d.fields { a = bad } }
      end }
  end
end

local extra = {}
for i = 1, 30 do
  extra["Extra" .. i] = "value " .. i
end
rows[#rows + 1] = { "G002", 200, nil, fields(extra) }

return rows
