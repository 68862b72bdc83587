local events = require "flexhooks.events"
local fields = require "flexhooks.client.resources.fields"
local ids = require "flexhooks.util.ids"
local sids = require "spec.data.sids"

local TTID = "flex_interactionwebhook_01jke8z8vte4ette30t5w9h081"

local function refuses(field, value, part)
  local texts, wrong = field(value)
  assert.is_nil(texts)
  assert.matches(part, wrong, 1, true)
end

describe("fields.text and fields.word", function()
  it("take texts, whole", function()
    assert.same({ "a\0b" }, fields.text "a\0b")
    assert.same({ "" }, fields.text "")
    assert.same({ "closed" }, fields.word "closed")
  end)

  it("refuse what is none", function()
    for _, value in ipairs { 5, true, {}, print } do
      refuses(fields.text, value, "must be a string, got " .. type(value))
      refuses(fields.word, value, "must be a string, got " .. type(value))
    end
    refuses(fields.word, "", "must not be empty")
  end)
end)

describe("fields.one_of", function()
  local field = fields.one_of { "global", "interaction" }

  it("takes one of its words", function()
    assert.same({ "global" }, field "global")
    refuses(field, "globl", "must be one of global, interaction (did you mean "
      .. "'global'?)")
    refuses(field, "Global", "did you mean 'global'?")
    refuses(field, 5, "must be one of global, interaction")
  end)
end)

describe("fields.json", function()
  it("encodes tables and passes on texts that are objects", function()
    assert.same({ '{"properties":{"a":1},"type":"sms"}' },
      fields.json { type = "sms", properties = { a = 1 } })
    assert.same({ "{}" }, fields.json {})
    assert.same({ ' {"type": "sms"} ' }, fields.json ' {"type": "sms"} ')
  end)

  it("refuses what the API could not read", function()
    local cycle = {}
    cycle.a = cycle
    refuses(fields.json, cycle,
      "cannot be sent as JSON: it contains itself")
    local many = {}
    for i = 1, 1e5 do
      many[i] = i
    end
    refuses(fields.json, { a = { many } }, "more than 20000 values")
    refuses(fields.json, { f = print }, "a function cannot be encoded")
    refuses(fields.json, { 1, [1000000] = 1 }, "mostly holes")
    refuses(fields.json, { a = 0 / 0 }, "not finite")
    refuses(fields.json, "sms", "must be the text of a JSON object")
    refuses(fields.json, "", "must be the text of a JSON object")
    refuses(fields.json, "5", "must be the text of a JSON object")
    refuses(fields.json, '{"a":1', "must be the text of a JSON object: ")
    refuses(fields.json, 5, "must be a table or a JSON text, got number")
  end)
end)

describe("fields.id and fields.webhook", function()
  it("check shapes", function()
    local field = fields.id(ids.sid "HQ")
    assert.same({ sids.make "HQ" }, field(sids.make "HQ"))
    refuses(field, sids.interaction, "must be a SID: HQ")
    assert.same({ TTID }, fields.webhook { ttid = TTID })
    refuses(fields.webhook, TTID,
      "must be a webhook (give a ttid as webhook_ttid)")
    refuses(fields.webhook, {}, "must be a webhook")
    refuses(fields.webhook, { ttid = 5 }, "must be a webhook")
    refuses(fields.webhook, { ttid = "../x" }, "must be a ttid")
  end)
end)

describe("fields.delivery_url", function()
  for _, url in ipairs {
    "https://company.com/flex/events", "http://127.0.0.1:8080/x?a=b",
    "https://company.com/flex/events#rc=3&rp=all", "https://company.com",
  } do
    it("takes " .. url, function()
      assert.same({ url }, fields.delivery_url(url))
    end)
  end

  for _, url in ipairs {
    "", "company.com/flex", "/flex/events", "ftp://company.com/", "https://",
    "https:///x", "mailto:a@b.example", "javascript:alert(1)",
    "https://company.com/a b", "https://company.com/\r\nX: y",
    "https://company.com/\0", "https://company.com/\t",
      "https://company.com/\127",
    "https://caf\195\169.example/", "https://company.com/" .. ("x"):rep(8192),
  } do
    it("refuses " .. url:sub(1, 40):gsub("%c", "?"), function()
      local texts, wrong = fields.delivery_url(url)
      assert.is_nil(texts)
      assert.is_string(wrong)
      assert.not_matches("[%c]", wrong)
    end)
  end

  it("refuses what is no text", function()
    refuses(fields.delivery_url, 5, "must be a string, got number")
  end)
end)

describe("fields.events", function()
  it("makes names canonical, each once, in the order given", function()
    assert.same({ "onParticipantLeft", "onChannelStatusUpdated" },
      fields.events {
      "onParticipantLeft", "onChannelUpdated", "onChannelStatusUpdated",
      "onParticipantLeft" })
  end)

  it("knows all of them by a star", function()
    assert.same(events.names(), fields.events { "*" })
    assert.equal("onParticipantLeft", fields.events { "onParticipantLeft",
      "*" }[1])
    assert.equal(#events.names(), #fields.events { "onParticipantLeft", "*" })
  end)

  it("refuses the rest", function()
    refuses(fields.events, {}, "must name at least one event")
    refuses(fields.events, { a = "onChannelCreated" }, "at least one event")
    refuses(fields.events, { "onChannelCreated", nil, "onParticipantLeft" },
      "without holes")
    refuses(fields.events, { "onChannelCreated", a = "onParticipantLeft" },
      "without holes")
    refuses(fields.events, "onChannelCreated", "must be a list of event names")
    refuses(fields.events, { "onChanelCreated" }, "names no event: "
      .. "'onChanelCreated' (did you mean 'onChannelCreated'?)")
    refuses(fields.events, { "onChannelCreated", 5 }, "names no event: '5'")
    refuses(fields.events, { {} }, "names no event: ")
    refuses(fields.events, { ("x"):rep(100000) }, "names no event: ")
    local many = {}
    for i = 1, 10000 do
      many[i] = "onChannelCreated"
    end
    refuses(fields.events, many, "must not have more than 256 names")
  end)
end)
