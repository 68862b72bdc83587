local expect = require "flexhooks.http.expect"

describe("http.expect", function()
  for _, row in ipairs {
    { "2xx", { 200, 204, 299 }, { 199, 300, 404, 500 }, "2xx" },
    { "5xx", { 500, 599 }, { 200, 499, 600 }, "5xx" },
    { 404, { 404 }, { 403, 405, 200 }, "404" },
    { 200.0, { 200 }, { 201 }, "200" },
    { { "2xx", 404 }, { 200, 299, 404 }, { 403, 302 }, "2xx, 404" },
    { { 200, 201 }, { 200, 201 }, { 202 }, "200, 201" },
  } do
    it("knows which statuses are " .. row[4], function()
      assert.is_nil(expect.complaint(row[1]))
      for _, status in ipairs(row[2]) do
        assert.is_true(expect.has(row[1], status))
      end
      for _, status in ipairs(row[3]) do
        assert.is_false(expect.has(row[1], status))
      end
      assert.equal(row[4], expect.text(row[1]))
    end)
  end

  for what, value in pairs {
    ["a status as text"] = "200", ["no class"] = "2XX", ["a prefix"] = "2xxx",
    ["interim answers"] = "1xx", ["no status"] = 199, ["none either"] = 600,
    ["a fraction"] = 200.5, ["NaN"] = 0 / 0, ["infinity"] = math.huge,
    ["true"] = true, ["a function"] = print, ["an empty list"] = {},
    ["a list with a hole"] = { 200, nil, 204 }, ["a list in a list"] = { {} },
    ["a map"] = { [200] = true }, ["a list with more"] = { 200, x = 1 },
    ["a list with a text"] = { "2xx", "404" },
  } do
    it("refuses " .. what, function()
      assert.matches("must be a class of statuses", expect.complaint(value), 1,
        true)
    end)
  end

  it("names the element that is wrong", function()
    assert.matches("element 2 ", expect.complaint { 200, "404" }, 1, true)
  end)
end)
