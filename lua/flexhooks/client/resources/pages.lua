--- Walks a list of the API, page by page.
-- @module flexhooks.client.resources.pages

local responses = require "flexhooks.client.response"
local errors = require "flexhooks.error"
local tables = require "flexhooks.util.tables"

local M = {}

local Pager = { __name = "flexhooks.pager" }
Pager.__index = Pager

-- A server that always has another page is stopped here.
local MAX_PAGES = 10000

--- Makes a pager; nothing is fetched before `next`.
---@param walk table session, base (function → path, or nil, err), query
--- (pairs), key (of the records where the answer does not name it), read
--- (record → item, or nil, wrong), limit, call
---@return table
function M.new(walk)
  walk.records, walk.at, walk.given, walk.pages = {}, 1, 0, 0
  walk.seen = {}
  return setmetatable(walk, Pager)
end

local function records_of(data, default_key)
  local meta = data.meta == nil and {} or data.meta
  if type(meta) ~= "table" then
    return nil, "meta is not an object"
  end
  local key = meta.key == nil and default_key or meta.key
  local records = type(key) == "string" and data[key]
  if type(records) ~= "table" or not tables.is_list(records) then
    return nil, tostring(key) .. " is not a list"
  end
  local link = meta.next_page_url
  if link ~= nil and type(link) ~= "string" then
    return nil, "meta.next_page_url is not a string"
  end
  return records, link
end

-- Where the next page is: on our own origin, and not where we have been.
local function follow(self, link)
  if link == nil or link == "" then
    self.url = nil
    return
  end
  self.url = self.session:own(link)
  if not self.url then
    return "meta.next_page_url leads to another server"
  end
  if self.seen[self.url] then
    return "meta.next_page_url leads back to a page already read"
  end
  if self.pages >= MAX_PAGES then
    return "there are more than " .. MAX_PAGES .. " pages"
  end
  self.seen[self.url] = true
end

local function first_request(self)
  local path, err = self.base(self.call)
  if not path then
    return nil, err
  end
  return { method = "GET", path = path, query = self.query }
end

local function fetch(self)
  local request, err
  if self.pages == 0 then
    request, err = first_request(self)
  else
    request = { method = "GET", url = self.url }
  end
  if not request then
    return nil, err
  end
  local data, answer = self.session:call(request, self.call)
  if not data then
    return nil, answer
  end
  self.pages = self.pages + 1
  self.seen[request.url] = true
  self.request, self.answer = request, answer
  local records, link = records_of(data, self.key)
  local wrong = records and follow(self, link)
  if not records or wrong then
    return nil, responses.blame(errors.new("protocol", "in the answer, "
      .. (wrong or link)), request, answer)
  end
  self.records, self.at = records, 1
  return true
end

--- The next item; nil at the end; nil and an error where a page cannot be had.
---@return table? item
---@return flexhooks.Error? err
function Pager:next()
  if self.given >= (self.limit or math.huge) then
    return nil
  end
  while self.records[self.at] == nil do
    if self.pages > 0 and not self.url then
      return nil
    end
    local ok, err = fetch(self)
    if not ok then
      return nil, err
    end
  end
  local item, wrong = self.read(self.records[self.at])
  if not item then
    local err = errors.new("protocol", "in the answer, " .. wrong)
    return nil, responses.blame(err, self.request, self.answer)
  end
  self.at, self.given = self.at + 1, self.given + 1
  return item
end

return M
