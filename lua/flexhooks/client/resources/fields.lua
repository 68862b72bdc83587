--- What parameters of the API may hold, and the texts they are sent as.
--
-- A field is a function of the given value; it returns the texts (one for each
-- time the parameter is repeated), or nil and what is wrong with the value.
-- @module flexhooks.client.resources.fields

local encode = require "flexhooks.client.encode"
local events = require "flexhooks.events"
local ids = require "flexhooks.util.ids"
local json = require "flexhooks.json"
local options = require "flexhooks.util.options"
local tables = require "flexhooks.util.tables"
local url = require "flexhooks.url"
local webhook_url = require "flexhooks.url.webhook"

local M = {}

--- Any text.
function M.text(value)
  if type(value) ~= "string" then
    return nil, "must be a string, got " .. type(value)
  end
  return { value }
end

--- A text that is not empty.
function M.word(value)
  if value == "" then
    return nil, "must not be empty"
  end
  return M.text(value)
end

--- One of some words.
---@param words string[]
function M.one_of(words)
  return function(value)
    for _, word in ipairs(words) do
      if value == word then
        return { word }
      end
    end
    local hint = options.suggestion(value, words)
    return nil, "must be one of " .. table.concat(words, ", ") .. hint
  end
end

--- A table, sent as JSON, or a text that is JSON already.
function M.json(value)
  if type(value) == "table" then
    local text, wrong = encode.json(value)
    return text and { text }, wrong and "cannot be sent as JSON: " .. wrong
  end
  if type(value) ~= "string" then
    return nil, "must be a table or a JSON text, got " .. type(value)
  end
  local decoded, wrong = json.decode(value)
  if type(decoded) ~= "table" then
    return nil, "must be the text of a JSON object" .. (wrong and ": " .. wrong
      or "")
  end
  return { value }
end

--- An identifier with a shape.
---@param check fun(value: any): string? from `flexhooks.ids`
function M.id(check)
  return function(value)
    local wrong = check(value)
    return not wrong and { value } or nil, wrong
  end
end

--- A webhook object, for its ttid.
function M.webhook(value)
  if type(value) ~= "table" or type(value.ttid) ~= "string" then
    return nil, "must be a webhook (give a ttid as webhook_ttid)"
  end
  return M.id(ids.ttid)(value.ttid)
end

--- The URL that events are delivered to; delivery overrides ride in its
-- fragment.
function M.delivery_url(value)
  if type(value) ~= "string" then
    return nil, "must be a string, got " .. type(value)
  end
  local parts, wrong = url.parse_http(value)
  if not parts then
    return nil, "is no delivery URL: " .. wrong
  elseif webhook_url.is_hidden(value) then
    return nil, "has **** in the place of its password: write the password"
  end
  return { value }
end

-- More names than any catalogue has: a mistake, found before they are
-- compared.
local MAX_EVENTS = 256

local function add_event(name, known, seen, list)
  local canonical = events.canonical(name)
  if not canonical then
    return "names no event: '" .. tostring(name):sub(1, 64) .. "'"
      .. options.suggestion(name, known)
  end
  if not seen[canonical] then
    seen[canonical] = true
    list[#list + 1] = canonical
  end
end

--- Event names: aliases made canonical, each once; "*" stands for all.
function M.events(value)
  if type(value) ~= "table" then
    return nil, "must be a list of event names, got " .. type(value)
  end
  local known, seen, list = events.names(), {}, {}
  if #value > MAX_EVENTS then
    return nil, "must not have more than " .. MAX_EVENTS .. " names"
  end
  for _, name in ipairs(value) do
    for _, each in ipairs(name == "*" and known or { name }) do
      local wrong = add_event(each, known, seen, list)
      if wrong then
        return nil, wrong
      end
    end
  end
  if #list == 0 then
    return nil, "must name at least one event"
  elseif not tables.is_list(value) then
    return nil, "must be a list of event names without holes"
  end
  return list
end

return M
