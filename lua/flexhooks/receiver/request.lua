--- Reading of a request's line and headers. Nothing is normalised: a path is
-- the configured one, byte for byte, or another.
-- @module flexhooks.receiver.request

local ascii = require "flexhooks.util.ascii"
local settings_header = require "flexhooks.signature.settings_header"

local M = {}

--- Path and query of a request's target: what stands in an absolute form
-- before the path was not signed and counts for nothing.
---@param target string
---@return string path as received
---@return string? query without its `?`; nil where there is none
function M.split_target(target)
  if target:find "^[A-Za-z][A-Za-z0-9+.-]*://" then
    target = target:match "^[^:]+://[^/?]*(.*)$"
    if target:sub(1, 1) ~= "/" then
      target = "/" .. target
    end
  end
  local mark = target:find("?", 1, true)
  if not mark then
    return target
  end
  return target:sub(1, mark - 1), target:sub(mark + 1)
end

local function decode(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

--- The fields of a query that we configured ourselves.
---@param query string
---@return table<string, string>
function M.query_fields(query)
  local fields = {}
  for piece in query:gmatch "[^&]+" do
    local name, value = piece:match "^([^=]*)=?(.*)$"
    fields[decode(name)] = decode(value)
  end
  return fields
end

--- Does the path hold a `%` without two hex digits?
---@param path string
---@return boolean
function M.has_bad_escape(path)
  return path:gsub("%%[0-9A-Fa-f][0-9A-Fa-f]", ""):find("%", 1, true) ~= nil
end

local KINDS = {
  ["application/x-www-form-urlencoded"] = "form",
  ["application/json"] = "json",
}

--- Kinds of what is usually sent, and needs no parsing.
M.USUAL = {
  ["application/x-www-form-urlencoded"] = "form",
  ["application/json"] = "json",
  ["application/x-www-form-urlencoded; charset=UTF-8"] = "form",
  ["application/x-www-form-urlencoded; charset=utf-8"] = "form",
  ["application/json; charset=utf-8"] = "json",
}

local function parameters_fit(text)
  for parameter in text:gmatch "[^;]+" do
    parameter = ascii.trimmed(parameter)
    local name, value = parameter:match "^([^ \t=]+)=(.*)$"
    if not name and parameter ~= "" then
      return false
    end
    if name == "charset" and value ~= "utf-8" and value ~= '"utf-8"' then
      return false
    end
  end
  return true
end

--- What a content type says the body is. One that is absent says form, which
-- covers every byte of the body too.
---@param value string?
---@return "form"|"json"|nil kind nil for anything else, also another charset
function M.content_kind(value)
  if value == nil then
    return "form"
  end
  local media, rest = ascii.lower(value):match "^[ \t]*([^; \t]*)[ \t]*(.*)$"
  local kind = KINDS[media]
  if not kind or not (rest == "" or rest:sub(1, 1) == ";")
    or not parameters_fit(rest) then
    return nil
  end
  return kind
end

--- Is the body as it was sent?
---@param value string?
---@return boolean
function M.is_plain(value)
  local coding = ascii.trimmed(ascii.lower(value or ""))
  return coding == "" or coding == "identity"
end

-- Joins two values of one header. The joined text never matches what one value
-- would; the settings header's parts could, and so it has a text of its own.
local SETTINGS = ascii.lower(settings_header.NAME)

local function joined(name, before, text)
  if not before then
    return text
  end
  return name == SETTINGS and settings_header.REPEATED
    or before .. ", " .. text
end

-- A header's value as text; nil if it is neither a string nor a list of them.
local function text_of(name, value)
  if type(value) ~= "table" then
    return type(value) == "string" and value or nil
  end
  local text
  for _, each in ipairs(value) do
    if type(each) ~= "string" then
      return nil
    end
    text = joined(name, text, each)
  end
  return text or ""
end

--- The headers that a receiver reads, from a table with names in any case. The
-- values of one that came more than once are joined.
---@param headers table<string, string|string[]>
---@param names table<string, true> lower-case
---@return table<string, string>? picked
---@return string? name of a header that is neither a string nor a list
function M.pick_headers(headers, names)
  local picked = {}
  for name, value in pairs(headers) do
    local lower = type(name) == "string" and ascii.lower(name)
    if names[lower] then
      local text = text_of(lower, value)
      if not text then
        return nil, lower
      end
      picked[lower] = joined(lower, picked[lower], text)
    end
  end
  return picked
end

return M
