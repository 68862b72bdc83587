local requests = require "flexhooks.receiver.request"
local rows = require "spec.data.receiver.requests"

describe("a request", function()
  for i, row in ipairs(rows.targets) do
    it("has a path and a query, row " .. i, function()
      local path, query = requests.split_target(row[1])
      assert.equal(row[2], path)
      assert.equal(row[3], query)
    end)
  end

  for i, row in ipairs(rows.escapes) do
    it("may have a bad escape, row " .. i, function()
      assert.equal(row[2], requests.has_bad_escape(row[1]))
    end)
  end

  for i, row in ipairs(rows.queries) do
    it("has fields in its query, row " .. i, function()
      assert.same(row[2], requests.query_fields(row[1]))
    end)
  end

  it("says what its body is", function()
    assert.equal("form", requests.content_kind(nil))
    assert.equal("form", requests.content_kind
      "application/x-www-form-urlencoded")
    assert.equal("json", requests.content_kind "APPLICATION/JSON ; x=y")
    assert.is_nil(requests.content_kind "")
    assert.is_nil(requests.content_kind "json")
  end)

  it("says whether its body is as it was sent", function()
    assert.is_true(requests.is_plain(nil))
    assert.is_true(requests.is_plain "")
    assert.is_true(requests.is_plain " IDENTITY\t")
    assert.is_false(requests.is_plain "gzip")
    assert.is_false(requests.is_plain "identity, gzip")
  end)

  it("has headers under names of any case, joined where repeated", function()
    local names = { ["content-type"] = true, ["x-a"] = true }
    local picked = requests.pick_headers({ ["Content-Type"] = "a",
      ["X-A"] = { "b", "c" }, Other = "d", [5] = "e" }, names)
    assert.same({ ["content-type"] = "a", ["x-a"] = "b, c" }, picked)
    picked = requests.pick_headers({ ["X-A"] = "b", ["x-a"] = "b" }, names)
    assert.same({ ["x-a"] = "b, b" }, picked)
  end)

  it("are strings, or lists of them", function()
    for _, value in ipairs { 5, true, print, { 5 }, { {} } } do
      local picked, wrong = requests.pick_headers({ ["X-A"] = value },
        { ["x-a"] = true })
      assert.is_nil(picked)
      assert.equal("x-a", wrong)
    end
  end)
end)
