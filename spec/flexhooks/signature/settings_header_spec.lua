local header = require "flexhooks.signature.settings_header"
local headers = require "spec.data.settings_headers"

describe("the settings header", function()
  for _, row in ipairs(headers.lawful) do
    it("names a key and an algorithm: " .. row[1], function()
      assert.same({ row[3], row[4] }, { header.read(row[2]) })
    end)
  end

  for _, row in ipairs(headers.hostile) do
    it("names no key: " .. row[1], function()
      local id, reason = header.read(row[2])
      assert.is_nil(id)
      assert.equal(row[4], reason)
    end)
  end

  it("tells the key beside an unknown algorithm", function()
    assert.same({ nil, "algorithm_unknown", "webhooks_sharedkey_1" },
      { header.read "key=webhooks_sharedkey_1,algorithm=none" })
  end)

  it("names no key if it came more than once", function()
    assert.is_nil((header.read(header.REPEATED)))
  end)

  it("is written as Twilio writes it", function()
    local text = header.write("webhooks_sharedkey_1", "HMAC_SHA256")
    assert.equal("key=webhooks_sharedkey_1,algorithm=HMAC_SHA256", text)
    assert.equal("webhooks_sharedkey_1", (header.read(text)))
  end)
end)

describe("an id of a shared key", function()
  it("has a prefix and 1 to 64 letters, digits and underscores", function()
    for _, rest in ipairs { "0", "aZ_9", ("x"):rep(64) } do
      assert.is_true(header.is_id("webhooks_sharedkey_" .. rest))
    end
    for _, id in ipairs { "", "webhooks_sharedkey_", "x", 5, {}, false,
      "webhooks_sharedkey_" .. ("x"):rep(65), " webhooks_sharedkey_1",
      "webhooks_sharedkey_1\n", "webhooks_sharedkey_a-b" } do
      assert.is_false(header.is_id(id))
    end
    assert.is_false(header.is_id(nil))
  end)
end)

describe("an algorithm's name", function()
  it("counts in any case", function()
    assert.equal("HMAC_SHA256", header.algorithm "hmac_sha256")
    assert.equal("HMAC_SHA1", header.algorithm "HMAC_SHA1")
    assert.is_nil(header.algorithm "HMAC_SHA384")
    assert.is_nil(header.algorithm "")
  end)
end)
