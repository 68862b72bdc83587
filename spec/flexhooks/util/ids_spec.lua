local ids = require "flexhooks.util.ids"

local HEX = ("0123456789abcdef"):rep(2)

describe("ids.sid", function()
  local check = ids.sid "KD"

  it("takes two letters and 32 hexadecimal digits in any case", function()
    assert.is_nil(check("KD" .. HEX))
    assert.is_nil(check("KD" .. HEX:upper()))
  end)

  for what, value in pairs {
    ["another prefix"] = "AC" .. HEX,
    ["a prefix in the wrong case"] = "kd" .. HEX,
    ["31 digits"] = "KD" .. HEX:sub(2),
    ["33 digits"] = "KD" .. HEX .. "0",
    ["another letter"] = "KD" .. HEX:sub(2) .. "g",
    ["a NUL at the end"] = "KD" .. HEX .. "\0",
    ["a NUL inside"] = "KD" .. HEX:sub(2) .. "\0",
    ["a line end"] = "KD" .. HEX .. "\n",
    ["a path"] = "KD" .. HEX .. "/../x",
    ["nothing"] = "",
    ["a number"] = 5,
    ["a table"] = {},
  } do
    it("refuses " .. what, function()
      assert.matches("KD and 32 hexadecimal digits", check(value))
    end)
  end

  it("refuses nil", function()
    assert.is_string(check(nil))
  end)
end)

describe("ids.ttid", function()
  it("takes any length that is no longer than a name", function()
    assert.is_nil(
      ids.ttid "flex_interactionwebhook_01jke8z8vte4ette30t5w9h081")
    assert.is_nil(ids.ttid "flex_interactionwebhook_xxxxxxxxxxxxxxxxxxx")
    assert.is_nil(ids.ttid "flex_interactionwebhook_1")
  end)

  for _, value in ipairs {
    "", "flex_interactionwebhook_", "flex_interactionwebhook_../Accounts",
    "flex_interactionwebhook_1?x=1", "flex_interactionwebhook_1#", "01jke8z8",
    "flex_interactionwebhook_%2e%2e", "flex_interactionwebhook_1\0",
    "xflex_interactionwebhook_1", "flex_interactionwebhook_" .. ("1"):rep(999),
    "KD" .. HEX, 5, {},
  } do
    it("refuses " .. tostring(value):sub(1, 60), function()
      assert.matches("must be a ttid", ids.ttid(value))
    end)
  end
end)

describe("ids.ttid_time", function()
  it("reads the milliseconds of a UUIDv7", function()
    assert.equal(1738867188.602,
      ids.ttid_time "flex_interactionwebhook_01jke8z8vte4ette30t5w9h081")
    assert.equal(1761934290.269,
      ids.ttid_time "flex_interactionwebhook_01k8xqfbaxfh5tpnqm2psh6238")
  end)

  for what, ttid in pairs {
    ["a suffix of zeroes"] =
      "flex_interactionwebhook_00000000000000000000000000",
    ["a shorter suffix"] = "flex_interactionwebhook_01jke8z8vte4ette30t5w9h08",
    ["a longer suffix"] =
      "flex_interactionwebhook_01jke8z8vte4ette30t5w9h0811",
    ["a letter that is no digit"] =
      "flex_interactionwebhook_01jke8z8vte4ette30t5w9h08u",
    ["more than 128 bits"] =
      "flex_interactionwebhook_81jke8z8vte4ette30t5w9h081",
    ["another version"] = "flex_interactionwebhook_01jke8z8vt84ette30t5w9h081",
    ["another variant"] = "flex_interactionwebhook_01jke8z8vte4e0te30t5w9h081",
    ["no ttid"] = "01jke8z8vte4ette30t5w9h081",
    ["a number"] = 7,
  } do
    it("is nil for " .. what, function()
      assert.is_nil(ids.ttid_time(ttid))
    end)
  end

  it("is nil for nil", function()
    assert.is_nil(ids.ttid_time(nil))
  end)
end)
