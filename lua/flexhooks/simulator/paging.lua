--- Pages of a list, as the service cuts them.
-- @module flexhooks.simulator.paging

local api_error = require "flexhooks.simulator.api_error"
local json = require "flexhooks.json"

local M = {}

local function whole(query, name, low, high, default)
  local text = query:get(name)
  if text == nil then
    return default
  end
  local value = text:match("^%d+$") and tonumber(text)
  if not value or value < low or value > high then
    api_error.bad(name .. " must be a whole number from " .. low .. " to "
      .. high)
  end
  return value
end

-- A token names the last thing shown, so that a deletion between two pages
-- neither repeats nor skips any other thing.
local function last_shown(query)
  local token = query:get("PageToken")
  if token == nil then
    return nil
  end
  local number = token:match("^PT(%d+)$")
  if not number then
    api_error.bad("PageToken is not one that this list gave out")
  end
  return tonumber(number)
end

-- Index of the first thing of the page.
local function start(things, after, page, size)
  if not after then
    return page * size + 1
  end
  for index, thing in ipairs(things) do
    if thing.number > after then
      return index
    end
  end
  return #things + 1
end

---@param things table[] each with a rising `number`
---@param query flexhooks.simulator.Form
---@param url string the list's own address, without a query
---@param keep string? further query that the pages' addresses repeat
---@return table[] page
---@return table meta without `key`
function M.cut(things, query, url, keep)
  local size = whole(query, "PageSize", 1, 1000, 50)
  local page = whole(query, "Page", 0, 1e9, 0)
  local first = start(things, last_shown(query), page, size)
  local shown = {}
  for index = first, math.min(first + size - 1, #things) do
    shown[#shown + 1] = things[index]
  end
  local function address(number, token)
    return string.format("%s?%sPageSize=%d&Page=%d%s", url, keep or "", size,
      number, token and "&PageToken=PT" .. token or "")
  end
  local more = #shown > 0 and first + #shown <= #things
  return shown, {
    page = page,
    page_size = size,
    first_page_url = address(0),
    previous_page_url = page > 0 and address(page - 1) or json.null,
    url = address(page),
    next_page_url = more and address(page + 1, shown[#shown].number)
      or json.null,
  }
end

return M
