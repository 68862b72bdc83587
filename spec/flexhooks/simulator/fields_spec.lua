local api_error = require "flexhooks.simulator.api_error"
local fields = require "flexhooks.simulator.fields"
local form = require "flexhooks.simulator.form"

local function refused(message, f, ...)
  local ok, err = pcall(f, ...)
  assert.is_false(ok)
  assert.is_true(api_error.is(err), tostring(err))
  assert.equal(400, err.status)
  assert.equal(message, err.message)
end

describe("simulator.fields", function()
  it("requires", function()
    local sent = form.parse "A=1&E="
    assert.equal("1", fields.required(sent, "A"))
    assert.equal("1", fields.required(sent, "B", "A"))
    refused("Missing required parameter B in the post body",
      fields.required, sent, "B", "C")
    refused("Missing required parameter E in the post body",
      fields.required, sent, "E")
  end)

  it("takes one of several, or nothing", function()
    assert.equal("b", fields.one_of("F", "b", { "a", "b" }))
    assert.is_nil(fields.one_of("F", nil, { "a" }))
    refused("F must be one of a, b", fields.one_of, "F", "c", { "a", "b" })
  end)

  it("knows a SID's shape", function()
    local sid = "KD" .. ("aF09"):rep(8)
    assert.equal(sid, fields.sid("S", sid, "KD"))
    assert.is_nil(fields.sid("S", nil, "KD"))
    for _, wrong in ipairs { "", "KD", sid .. "0", sid:sub(1, 33),
      "UO" .. sid:sub(3), sid:sub(1, 33) .. "g", sid:sub(1, 33) .. "\n" } do
      refused("S must be KD and 32 hexadecimal digits", fields.sid, "S", wrong,
        "KD")
    end
    assert.is_false(fields.is_sid(nil, "KD"))
  end)

  it("decodes objects alone", function()
    assert.same({ a = 1 }, fields.object("O", ' {"a":1}'))
    assert.is_nil(fields.object("O", nil))
    for _, wrong in ipairs { "", "1", "[]", "null", '"{}"', "{", "{}x" } do
      refused("O must be a JSON object", fields.object, "O", wrong)
    end
  end)

  it("takes absolute http URLs alone", function()
    for _, url in ipairs { "http://h", "HTTPS://h.example:1/p?q#f" } do
      assert.equal(url, fields.url("U", url))
    end
    for _, wrong in ipairs { "", "h", "//h", "https://", "https:///p",
      "ftp://h", "https://h/\r\n", "https://h/" .. ("x"):rep(2040) } do
      refused("U must be an absolute http or https URL", fields.url, "U",
        wrong)
    end
  end)
end)
