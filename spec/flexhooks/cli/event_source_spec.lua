local argparse = require "argparse"
local event_source = require "flexhooks.cli.event_source"
local process = require "spec.support.process"

local function read(...)
  local parser = argparse "x"
  event_source.configure(parser)
  parser:option "--count":convert(tonumber)
  parser:option "--concurrency":convert(tonumber)
  return event_source.read(parser:parse { ... })
end

local function file(text)
  return process.write(process.folder() .. "/events", text)
end

local THREE = [[
{"EventType":"onChannelCreated","InteractionSid":"a"}
{"EventType":"onChannelCreated","InteractionSid":"b"}
{"EventType":"onParticipantLeft","InteractionSid":"a"}
]]

describe("cli.event_source", function()
  it("makes an event up, with fields and SIDs of its own each time",
    function()
      local source = assert(read("onChannelCreated", "MediaChannelType=a=b",
        "--count", "3"))
      assert.equal(3, source.count)
      assert.is_false(source.single)
      local first, second = source.lists(1)[1].event, source.lists(2)[1].event
      assert.equal("a=b", first.MediaChannelType)
      assert.not_equal(first.InteractionSid, second.InteractionSid)
      assert.is_true(read("onChannelCreated").single)
    end)

  it("plays a scenario, with fields in all of its events", function()
    local source = assert(read("--scenario", "failed", "MediaChannelType=sms"))
    assert.equal(1, source.count)
    for _, item in ipairs(source.lists(1)) do
      assert.equal("sms", item.event.MediaChannelType)
    end
  end)

  it("reads captured events: in one line, or by interaction", function()
    local path = file(THREE)
    local source = assert(read("--events", path, "A=1"))
    assert.equal(1, source.count)
    assert.equal(3, #source.lists(1))
    assert.equal("1", source.lists(1)[3].event.A)
    source = assert(read("--events", path, "--concurrency", "2", "--count",
      "2"))
    assert.equal(4, source.count)
    assert.equal(2, #source.lists(1))
    assert.equal(source.lists(2), source.lists(4))
  end)

  it("says what it was not told", function()
    for wanted, arguments in pairs {
      ["name one of an event"] = {},
      ["name one of an event,"] = { "--scenario", "failed", "--events", "-" },
      ["'agent' is not of the form"] = { "onChannelCreated", "agent" },
      ["'onChannelCreated' is not of the form"] =
        { "onChannelCreated", "--scenario", "failed" },
      ["cannot read the events"] = { "--events", "/nonexistent" },
    } do
      local source, err = read((table.unpack or unpack)(arguments))
      assert.is_nil(source)
      assert.matches(wanted, err.message)
    end
    assert.has_error(function()
      read "onChanelCreated"
    end)
  end)
end)
