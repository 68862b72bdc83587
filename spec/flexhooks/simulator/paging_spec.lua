local api_error = require "flexhooks.simulator.api_error"
local form = require "flexhooks.simulator.form"
local json = require "flexhooks.json"
local paging = require "flexhooks.simulator.paging"

local function things(n)
  local list = {}
  for i = 1, n do
    list[i] = { number = i * 10 }
  end
  return list
end

local function cut(list, query, keep)
  local page, meta = paging.cut(list, form.parse(query), "http://h/list", keep)
  local numbers = {}
  for i, thing in ipairs(page) do
    numbers[i] = thing.number
  end
  return numbers, meta
end

describe("simulator.paging", function()
  it("shows fifty where nothing was asked", function()
    local page, meta = cut(things(51), "")
    assert.equal(50, #page)
    assert.equal(50, meta.page_size)
    assert.equal(0, meta.page)
    assert.equal("http://h/list?PageSize=50&Page=0", meta.first_page_url)
    assert.equal("http://h/list?PageSize=50&Page=0", meta.url)
    assert.equal(json.null, meta.previous_page_url)
    assert.equal("http://h/list?PageSize=50&Page=1&PageToken=PT500",
      meta.next_page_url)
  end)

  it("ends without another page", function()
    for _, n in ipairs { 0, 1, 2 } do
      local page, meta = cut(things(n), "PageSize=2")
      assert.equal(n, #page)
      assert.equal(json.null, meta.next_page_url)
    end
  end)

  it("goes on behind the token, whatever the page's number", function()
    local page, meta = cut(things(5), "PageSize=2&Page=7&PageToken=PT20")
    assert.same({ 30, 40 }, page)
    assert.equal(7, meta.page)
    assert.equal("http://h/list?PageSize=2&Page=6", meta.previous_page_url)
    assert.same({}, (cut(things(5), "PageToken=PT50")))
    assert.same({ 30 }, (cut(things(3), "PageToken=PT21")))
  end)

  it("counts pages without a token", function()
    assert.same({ 30, 40 }, (cut(things(5), "PageSize=2&Page=1")))
  end)

  it("repeats the list's own query", function()
    local _, meta = cut(things(2), "PageSize=1", "Type=global&")
    assert.equal("http://h/list?Type=global&PageSize=1&Page=1&PageToken=PT10",
      meta.next_page_url)
  end)

  it("refuses what is no page", function()
    for _, query in ipairs { "PageSize=0", "PageSize=1001", "PageSize=x",
      "PageSize=1.5", "PageSize=-1", "PageSize=", "Page=-1", "PageToken=x",
      "PageToken=PT", "PageToken=PT1x" } do
      local ok, err = pcall(cut, things(2), query)
      assert.is_false(ok, query)
      assert.is_true(api_error.is(err), tostring(err))
      assert.equal(20001, err.code)
    end
  end)
end)
