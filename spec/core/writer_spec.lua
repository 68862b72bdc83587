local core = require "flexhooks.core"

-- What is put together in C begins in 8 KiB and moves when it must.
describe("a long text", function()
  it("of JSON is whole around the size at which it moves",
    function()
      for _, size in ipairs { 8180, 8189, 8190, 8191, 8192, 100000 } do
        local text = ("x"):rep(size)
        assert.equal('["' .. text .. '","' .. text .. '"]',
          core.json_text { text, text })
        assert.equal('"' .. ("\\u0001"):rep(size) .. '"',
          core.json_text(("\1"):rep(size)))
      end
    end)

  it("of SQL is whole", function()
    local list, long = {}, ("x'"):rep(5000)
    for i = 1, 20 do
      list[i] = long
    end
    local row = "('" .. ("x''"):rep(5000) .. "')"
    assert.equal((row .. ","):rep(19) .. row,
      core.sql_rows("", list, 1, 1, 20))
  end)

  it("leaves nothing where an error ends it", function()
    for _ = 1, 100 do
      assert.is_false(pcall(core.json_text, { ("x"):rep(100000), print }))
    end
  end)
end)
