local core = require "flexhooks.core"
local delivery = require "flexhooks.signature.delivery"

local URL = "https://h/x?y=1#z"

local function read(changes, more)
  local given = { auth_token = "t", url = URL }
  for name, value in pairs(changes) do
    given[name] = value
  end
  return delivery.read("fn", given, more)
end

describe("delivery.is_form", function()
  it("knows a form by its media type, or by none", function()
    for _, kind in ipairs { "application/x-www-form-urlencoded",
      "APPLICATION/X-WWW-FORM-URLENCODED;charset=UTF-8",
      " application/x-www-form-urlencoded ; a=b", "" } do
      assert.is_true(delivery.is_form(kind))
    end
    assert.is_true(delivery.is_form(nil))
    for _, kind in ipairs { "application/json", "text/plain",
      "application/x-www-form-urlencodedx", "multipart/form-data" } do
      assert.is_false(delivery.is_form(kind))
    end
  end)
end)

describe("delivery.grouped", function()
  it("lists the values of each name", function()
    assert.same({ a = { "2", "1" }, b = { "" } }, delivery.grouped {
      { "a", "2" }, { "b", "" }, { "a", "1" } })
    assert.same({}, delivery.grouped {})
  end)
end)

describe("delivery.read", function()
  it("splits the URL and lists the tokens", function()
    local made = read {}
    assert.same({ "t" }, made.tokens)
    assert.equal("https://h/x", made.base)
    assert.equal("y=1", made.query)
    assert.is_nil(read({ url = "https://h/x#?y" }).query)
    assert.equal("", read({ url = "https://h/x?" }).query)
    assert.same({ "a", "b" }, read({ auth_token = { "a", "b" } }).tokens)
  end)

  it("tells forms, GETs and other bodies", function()
    local made = read { body = "a=1&a=%32" }
    assert.is_true(made.form)
    assert.is_false(made.get)
    assert.same({ { "a", "1" }, { "a", "2" } }, made.fields)
    made = read { body = "{}", content_type = "application/json" }
    assert.is_false(made.form)
    assert.same({}, made.fields)
    assert.is_true(read({ method = "Get" }).get)
    assert.equal("", read({}).body)
  end)

  it("encodes parameters as the body they stand for", function()
    local made = read { params = { a = { "x y", 2 } } }
    assert.is_true(made.from_params)
    assert.equal("a=x+y&a=2", made.body)
    assert.equal(core.encode_form(made.fields), made.body)
    assert.is_false(read({ params = {} }).from_params)
  end)

  it("takes further options, and no others", function()
    local _, checked = read({ extra = 1 }, { extra = { type = "number" } })
    assert.equal(1, checked.extra)
    assert.has_error(function() read { extra = 1 } end)
  end)
end)
