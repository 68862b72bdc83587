local address = require "flexhooks.server.address"

describe("address.parse", function()
  local GOOD = {
    ["127.0.0.1:9180"] = { "127.0.0.1", 9180 },
    ["localhost:0"] = { "localhost", 0 },
    [":9180"] = { "127.0.0.1", 9180 },
    ["9180"] = { "127.0.0.1", 9180 },
    ["[::1]:9180"] = { "::1", 9180 },
    ["0.0.0.0:65535"] = { "0.0.0.0", 65535 },
  }
  for text, expected in pairs(GOOD) do
    it("reads " .. text, function()
      assert.same(expected, { address.parse(text) })
    end)
  end

  for _, text in ipairs { "", "host", "host:", "host:65536", "host:-1",
    "::1:80", "[::1]", "host:80x", "http://host:80", "ho st:80", "[x]:80" } do
    it("refuses '" .. text .. "'", function()
      local host, wrong = address.parse(text)
      assert.is_nil(host)
      assert.matches("must be host:port", wrong)
    end)
  end

  it("reads what format wrote", function()
    for _, host in ipairs { "127.0.0.1", "::1", "h.example" } do
      assert.same({ host, 80 }, { address.parse(address.format(host, 80)) })
    end
  end)
end)
