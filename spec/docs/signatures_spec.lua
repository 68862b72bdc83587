local page = require "spec.support.page"
local process = require "spec.support.process"

describe("docs/signatures.md", function()
  it("holds snippets that run", function()
    local path = process.folder() .. "/signatures.md.lua"
    process.write(path, page.program "docs/signatures.md")
    local status, out, err = process.run { process.lua, path }
    assert.equal("", err)
    assert.equal(0, status)
    assert.equal("28\thttps://company.com/flex/events\n"
      .. "44\tkey=webhooks_sharedkey_01k2,algorithm=HMAC_SHA256\n"
      .. "The signature would match with a change: scheme, slash.\n"
      .. "Signed URL: https://company.com/flex/events\n", out:match
      "^.-\n.-\n.-\n.-\n")
  end)

  it("names every reason that a receiver gives", function()
    local text = process.read "docs/signatures.md"
    for _, file in ipairs { "receiver/verification", "receiver/keys",
      "signature/settings_header", "signature" } do
      local source = process.read("lua/flexhooks/" .. file .. ".lua")
      for reason in source:gmatch '"(settings_%l+)"' do
        assert.matches("`" .. reason .. "`", text, 1, true)
      end
      for reason in source:gmatch '"(key_%l+)"' do
        assert.matches("`" .. reason .. "`", text, 1, true)
      end
      for reason in source:gmatch '"(algorithm_%l+)"' do
        assert.matches("`" .. reason .. "`", text, 1, true)
      end
    end
  end)
end)
