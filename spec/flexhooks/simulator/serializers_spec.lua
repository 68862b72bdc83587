local json = require "flexhooks.json"
local serializers = require "flexhooks.simulator.serializers"

describe("simulator.serializers", function()
  it("addresses what it shows", function()
    local interaction = { sid = "KD1", channels = {} }
    local channel = { sid = "UO1", type = "sms", status = "active",
      interaction = interaction }
    interaction.channels[1] = channel
    local url = "http://h/v1/Interactions/KD1/Channels/UO1"
    assert.equal("http://h/v1/Interactions/KD1/Channels",
      serializers.interaction("http://h", interaction).links.channels)
    assert.equal(url, serializers.channel("http://h", channel).url)
    assert.equal(url .. "/Participants/UT1", serializers.participant(
      "http://h", { sid = "UT1", type = "agent", channel = channel }).url)
    assert.equal(url .. "/Invites/KG1", serializers.invite("http://h",
      { sid = "KG1", channel = channel }).url)
    assert.equal(url .. "/Transfers/UX1", serializers.transfer("http://h",
      { sid = "UX1", channel = channel }).url)
  end)

  it("writes lists as arrays, empty ones too", function()
    assert.equal('{"data":[],"meta":{"key":"data","page":0}}',
      json.encode(serializers.page("data", {}, { page = 0 })))
    assert.equal('{"data":[{"a":1},{"a":2}],"meta":{"key":"data"}}',
      json.encode(serializers.page("data", { { a = 1 }, { a = 2 } }, {})))
    assert.equal('{"deliveries":[],"events":[{"a":1}],"pending":false}',
      json.encode(serializers.journal({ { a = 1 } }, {}, false)))
  end)
end)
