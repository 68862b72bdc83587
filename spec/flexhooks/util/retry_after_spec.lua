local retry_after = require "flexhooks.util.retry_after"

describe("retry_after.seconds", function()
  local NOW = 784111777 -- Sun, 06 Nov 1994 08:49:37 GMT
  local ROWS = {
    { "0", 0 }, { "1", 1 }, { " 30 ", 30 }, { "120", 120 }, { "1.5", 1.5 },
    { "Sun, 06 Nov 1994 08:49:37 GMT", 0 },
    { "Sun, 06 Nov 1994 08:50:37 GMT", 60 },
    { "Sun, 06 Nov 1994 08:49:00 GMT", 0 },
    { "Mon, 07 Nov 1994 08:49:37 GMT", 86400 },
    { "Wed, 28 Feb 1996 00:00:00 GMT", 825465600 - 784111777 },
    { "Fri, 01 Mar 1996 00:00:00 GMT", 825638400 - 784111777 },
    { "", nil }, { "soon", nil }, { "-1", nil }, { "1e3", nil }, { "0x10",
      nil },
    { "nan", nil }, { "inf", nil }, { "1 2", nil },
    { "Sun, 06 Now 1994 08:49:37 GMT", nil },
    { "Sunday, 06-Nov-94 08:49:37 GMT", nil },
  }
  for _, row in ipairs(ROWS) do
    it("reads " .. ("%q"):format(row[1]), function()
      assert.equal(row[2], retry_after.seconds(row[1], NOW))
    end)
  end

  it("is nil without a header", function()
    assert.is_nil(retry_after.seconds(nil, NOW))
  end)
end)

describe("retry_after.date", function()
  it("reads the one form that is sent, and no other", function()
    assert.equal(784111777, retry_after.date "Sun, 06 Nov 1994 08:49:37 GMT")
    assert.is_nil(retry_after.date "Sun Nov  6 08:49:37 1994")
    assert.is_nil(retry_after.date "")
  end)
end)
