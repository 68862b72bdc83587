local core = require "flexhooks.core"
local events = require "flexhooks.events"
local errors = require "flexhooks.error"
local rows = require "spec.data.events"
local sids = require "spec.data.sids"

local function changed(name, changes)
  local raw = {}
  for k, v in pairs(rows.good[name]) do
    raw[k] = v
  end
  for k, v in pairs(changes) do
    raw[k] = v or nil
  end
  return raw
end

describe("the catalogue of events", function()
  it("lists seven names, sorted, in a table of the caller's own", function()
    local names = {
      "onChannelCreateFailed", "onChannelCreated", "onChannelStatusUpdated",
      "onInteractionCreated", "onParticipantJoined", "onParticipantLeft",
      "onParticipantUpdated",
    }
    assert.same(names, events.names())
    events.names()[1] = "spoilt"
    assert.same(names, events.names())
  end)

  it("knows the older name of one", function()
    assert.equal("onChannelStatusUpdated", events.canonical "onChannelUpdated")
    for _, name in ipairs(events.names()) do
      assert.equal(name, events.canonical(name))
    end
    for _, other in ipairs { "onNew", "", 5, true, {} } do
      assert.is_nil(events.canonical(other))
    end
    assert.is_nil(events.canonical(nil))
    assert.is_nil(events.canonical(0 / 0))
  end)

  it("raises for a name it has not, and suggests one", function()
    local ok, err = pcall(events.check, "f", "onChanelCreated")
    assert.is_false(ok)
    assert.equal("argument", err.kind)
    assert.is_truthy(
      err.message:find("did you mean 'onChannelCreated'", 1, true))
    ok, err = pcall(events.check, "f", 5)
    assert.is_false(ok)
    assert.is_truthy(err.message:find("f: ", 1, true))
    assert.is_truthy(errors.is(err))
  end)

  it("describes the fields of each event", function()
    local fields = events.fields "onChannelUpdated"
    assert.same({ type = "string", required = true, sid = { "CH", "CF" } },
      fields.MediaChannelSid)
    assert.same({ type = "string", required = true }, fields.ChannelStatus)
    assert.same({ type = "integer", required = true },
      events.fields("onChannelCreateFailed").ErrorCode)
    assert.is_false(events.fields("onParticipantJoined").TaskSid.required)
    assert.is_nil(events.fields "onNew")
    fields.MediaChannelSid.sid[1] = "spoilt"
    local again = events.fields "onChannelCreated"
    assert.equal("CH", again.MediaChannelSid.sid[1])
  end)

  it("gives each field one type", function()
    assert.equal("integer", events.field_type "ErrorCode")
    assert.equal("string", events.field_type "TaskSid")
    assert.is_nil(events.field_type "Tag")
  end)
end)

describe("events.normalize", function()
  for name, good in pairs(rows.good) do
    it("takes " .. name, function()
      local event, wire = events.normalize(changed(name, {}))
      assert.equal(name, wire)
      local expected = changed(name, {})
      expected.ErrorCode = tonumber(good.ErrorCode)
      assert.same(expected, event)
    end)
  end

  for i, row in ipairs(rows.refused) do
    it("refuses row " .. i .. ": " .. row[3], function()
      local event, wrong = events.normalize(changed(row[1], row[2]))
      assert.is_nil(event)
      assert.is_truthy(wrong:find(row[3], 1, true), wrong)
    end)
  end

  for i, row in ipairs(rows.accepted) do
    it("accepts row " .. i, function()
      local raw = changed(row[1], row[2])
      local came = raw.EventType
      local event, wire = events.normalize(raw)
      assert.is_table(event, wire)
      assert.equal(came, wire)
      for field, value in pairs(row[3]) do
        assert.same(value or nil, event[field])
      end
    end)
  end

  it("gives ErrorCode as an integer, whatever number came", function()
    local raw = changed("onChannelCreateFailed", { ErrorCode = 45600.0 })
    assert.equal("45600", tostring(events.normalize(raw).ErrorCode))
  end)

  it("never shows a value in what is wrong", function()
    local secret = "KD-very-private"
    local _, wrong = events.normalize(changed("onChannelCreated",
      { InteractionSid = secret }))
    assert.is_nil(wrong:find(secret, 1, true))
  end)

  it("keeps thirty unknown fields", function()
    local raw = changed("onChannelCreated", {})
    for i = 1, 30 do
      raw["Extra" .. i] = "v" .. i
    end
    local event = events.normalize(raw)
    assert.equal("v30", event.Extra30)
    assert.equal(sids.channel, event.ChannelSid)
  end)
end)

describe("events.recut", function()
  it("finds nothing in a good event, however much it lacks", function()
    for name, good in pairs(rows.good) do
      local event = events.normalize(changed(name, { Extra = "x" }))
      assert.is_nil(events.recut(event))
      for field in pairs(good) do
        if field ~= "EventType" then
          event = changed(name, { [field] = false })
          assert.is_nil(events.recut(event), field)
        end
      end
    end
    assert.is_nil(events.recut { EventType = "onNew", Task = "Sid" })
  end)

  it("lets new fields pass that begin as a missing SID does", function()
    local event = changed("onParticipantJoined", { TaskSid = false,
      InstanceSid = false, TaskSids = "none", InstanceSidV2 = sids.instance,
      Task = "Sid", TaskSidX = "WT" .. sids.task })
    assert.is_nil(events.recut(event))
    event.TaskSidW = "T" .. ("0"):rep(32)
    assert.is_truthy(events.recut(event):find("TaskSid is missing", 1, true))
  end)

  it("finds a field that is cut elsewhere", function()
    local event = changed("onParticipantJoined",
      { TaskSid = false, TaskSi = "d" .. sids.task })
    assert.is_truthy(events.recut(event):find("TaskSid is missing", 1, true))
    event.TaskSi = { "d" .. sids.task, "x" }
    assert.is_nil(events.recut(event))
    event.TaskSidW = { "x", "y" }
    assert.is_string(events.recut(event))
  end)
end)

describe("events.of_fields", function()
  local URL = "https://company.example/events"
  local key = core.key "token"
  local verifier = core.verifier { url = URL, fields = events.check_fields }

  teardown(function()
    verifier:close()
    key:close()
  end)

  -- The fields as a delivery brings them, and their shape.
  local function received(params)
    local list = {}
    for name, value in pairs(params) do
      for _, one in ipairs(type(value) == "table" and value or { value }) do
        list[#list + 1] = { name, tostring(one) }
      end
    end
    local fields, _, _, shape = verifier:form(key, (key:sign(URL, params)),
      nil, core.encode_form(list))
    return assert(fields), shape
  end

  local function looked_at(fields, is_query)
    local event, note = events.normalize(fields)
    local wrong = event and not is_query and events.recut(event)
    return not wrong and event or nil, wrong or note
  end

  local VALUES = { false, "", "x", { "x", "y" }, sids.task, sids.instance }

  local function check(params, is_query)
    local wanted, wanted_note = looked_at((received(params)), is_query)
    local fields, shape = received(params)
    local event, note = events.of_fields(fields, is_query, shape)
    assert.same(wanted, event)
    assert.equal(wanted_note, note)
    return shape
  end

  it("is normalize and recut, whatever came before", function()
    local shapes = 0
    for name in pairs(rows.good) do
      for _, field in ipairs { "InstanceSid", "TaskSid", "EventType",
        "ErrorCode", "FlexInstanceSid", "ChannelStatus", "TaskSi" } do
        for _, value in ipairs(VALUES) do
          local raw = changed(name, { [field] = value })
          raw.ErrorCode = raw.ErrorCode and tostring(raw.ErrorCode)
          shapes = shapes + (check(raw, false) and 1 or 0)
          check(raw, true)
        end
      end
    end
    assert.is_true(shapes > 100)
  end)

  it("knows the older name by sight too", function()
    local raw = changed("onChannelStatusUpdated",
      { EventType = "onChannelUpdated" })
    for _ = 1, 2 do
      local fields, shape = received(raw)
      local event, wire = events.of_fields(fields, false, shape)
      assert.equal("onChannelStatusUpdated", event.EventType)
      assert.equal("onChannelUpdated", wire)
    end
  end)
end)
