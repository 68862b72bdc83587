local outcomes = require "flexhooks.receiver.outcomes"
local json = require "flexhooks.json"

describe("the answers", function()
  it("are JSON, with a status each", function()
    for name, answer in pairs(outcomes) do
      if type(answer) == "table" then
        assert.is_table(json.decode(answer.body), name)
        assert.equal("application/json", answer.headers["content-type"])
        assert.is_number(answer.status)
      end
    end
  end)

  it("name the methods that are allowed", function()
    local answer = outcomes.allowing { "GET", "POST" }
    assert.equal("GET, POST", answer.headers.allow)
    assert.equal(405, answer.status)
    assert.is_nil(outcomes.method.headers.allow)
  end)

  it("say when to come again", function()
    assert.equal("5", outcomes.unavailable.headers["retry-after"])
  end)
end)
