local form = require "flexhooks.simulator.form"

describe("simulator.form", function()
  it("decodes names and values", function()
    local decoded = form.parse "a=1&b=x+y%26%c3%A4&c=&d"
    assert.equal("1", decoded:get "a")
    assert.equal("x y&\195\164", decoded:get "b")
    assert.equal("", decoded:get "c")
    assert.equal("", decoded:get "d")
    assert.is_nil(decoded:get "e")
  end)

  it("keeps every value of a repeated name, in order", function()
    local decoded = form.parse "e=1&x=&e=2&%65=3"
    assert.same({ "1", "2", "3" }, decoded:all "e")
    assert.equal("1", decoded:get "e")
  end)

  it("takes the first name that was sent", function()
    local decoded = form.parse "Filters=a&Filters=b"
    assert.same({ "a", "b" }, decoded:all("WebhookEvents", "Filters"))
    assert.is_nil(decoded:all("WebhookEvents", "Events"))
  end)

  it("leaves what is no escape as it is", function()
    assert.equal("%zz%4", form.parse("a=%zz%4"):get "a")
    assert.equal("=", form.parse("a=="):get "a")
  end)

  it("takes nothing for nothing", function()
    assert.is_nil(form.parse(nil):get "a")
    assert.is_nil(form.parse(""):get "a")
  end)

  describe("basic", function()
    local function basic(value)
      return { form.basic(value) }
    end

    it("reads user and password", function()
      assert.same({ "AC1", "tok" }, basic "Basic QUMxOnRvaw==")
      assert.same({ "u", "p:q" }, basic "basic dTpwOnE=")
      assert.same({ "u", "" }, basic "Basic dTo=")
    end)

    it("reads nothing from anything else", function()
      for _, value in ipairs { "", "Basic", "Basic ", "Bearer dTpw",
        "Basic !!!!", "Basic dXA=", "Basic OnA=", "Basic dTpw x" } do
        assert.same({}, basic(value))
      end
      assert.same({}, basic(nil))
    end)
  end)
end)
