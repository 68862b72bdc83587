--- URLs that may have been signed instead of the one that was given: what
-- proxies and frameworks do to a URL, undone.
-- @module flexhooks.signature.urls

local ascii = require "flexhooks.util.ascii"
local core = require "flexhooks.core"
local steps = require "flexhooks.signature.steps"
local tables = require "flexhooks.util.tables"

local M = {}

local HINTS = {
  scheme = "Twilio signs the scheme that is registered; where TLS ends at a "
    .. "proxy, what you see is another",
  host = "Twilio signs the host that is registered, not the one a proxy calls",
  port = "Twilio signs the registered port, whatever port you listen on",
  path = "the path must be the registered one to the byte: no slash more or "
    .. "less, nothing decoded",
  query = "take the query from the request line as it came: not parsed, not "
    .. "sorted, not encoded again",
  url = "one of your candidate URLs is the registered one",
  hash = "the query that came with the request is missing: it carries "
    .. "bodySHA256",
}

-- A URL's parts, or nil where it is none.
local function split(url)
  local scheme, authority, path = url:match "^(%a+)://([^/?#]*)([^?#]*)"
  if not scheme then
    return nil
  end
  authority = authority:gsub("^.*@", "")
  local host, port = authority:match "^(.-)(:%d*)$"
  return { scheme = scheme, host = host or authority, port = port or "",
    path = path, query = url:match "^[^?#]*%?([^#]*)" }
end

local function with(parts, changes)
  local changed = tables.merged(parts, changes)
  changed.query = changed.query or nil
  return changed
end

local function schemes(parts)
  local other = ascii.lower(parts.scheme) == "https" and "http" or "https"
  return { steps.none {},
    steps.one("scheme", HINTS.scheme, { scheme = other }) }
end

local function ports(parts)
  local default = ascii.lower(parts.scheme) == "https" and ":443" or ":80"
  local list = { steps.none {} }
  for _, port in ipairs { "", default } do
    if port ~= parts.port then
      list[#list + 1] = steps.one("port", HINTS.port, { port = port })
    end
  end
  return list
end

local function unescaped(text)
  return (text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

local function paths(parts)
  local path = parts.path
  local other = path:match "^(.+)/$" or path .. "/"
  local list = { steps.none {},
    steps.one("slash", HINTS.path, { path = other }) }
  if path:find "%%%x%x" then
    list[#list + 1] = steps.one("path encoding", HINTS.path,
      { path = unescaped(path) })
  end
  return list
end

-- The pieces of a query in the order of their bytes.
local function sorted(query)
  local pieces = {}
  for piece in query:gmatch "[^&]+" do
    pieces[#pieces + 1] = piece
  end
  table.sort(pieces)
  return table.concat(pieces, "&")
end

local function reversed(query)
  local pieces = {}
  for piece in query:gmatch "[^&]+" do
    table.insert(pieces, 1, piece)
  end
  return table.concat(pieces, "&")
end

local function encoded_again(query)
  local fields = core.decode_form(query)
  return fields and core.encode_form(fields)
end

local function cased(change)
  return function(query)
    return (query:gsub("%%%x%x", change))
  end
end

local QUERY_CHANGES = {
  { "query order", sorted },
  { "query order", reversed },
  { "query encoding", encoded_again },
  { "query encoding", unescaped },
  { "query encoding", cased(ascii.upper) },
  { "query encoding", cased(ascii.lower) },
  { "query encoding", function(q) return (q:gsub("+", "%%20")) end },
  { "query encoding", function(q) return (q:gsub("%%20", "+")) end },
  { "query encoding", function(q) return (q:gsub("'", "%%27")) end },
  { "no query", function() return false end },
}

local function queries(parts)
  if not parts.query then
    return { steps.none {},
      steps.one("empty query", HINTS.query, { query = "" }) }
  end
  local list, seen = { steps.none {} }, { [parts.query] = true }
  for _, change in ipairs(QUERY_CHANGES) do
    local query = change[2](parts.query)
    if query ~= nil and not seen[query] then
      seen[query] = true
      list[#list + 1] = steps.one(change[1], HINTS.query, { query = query })
    end
  end
  return list
end

local function text_of(parts)
  return parts.scheme .. "://" .. parts.host .. parts.port .. parts.path
    .. (parts.query and "?" .. parts.query or "")
end

local function hosts(candidates)
  local list = { steps.none {} }
  for _, candidate in ipairs(candidates) do
    local host, port = candidate:match "^(.-)(:%d+)$"
    list[#list + 1] = steps.one("host", HINTS.host,
      { host = host or candidate, port = port or "" })
  end
  return list
end

-- Appends a step to `url`, where it is one.
local function add_url(list, name, url)
  local parts = url and split(url)
  if parts then
    list[#list + 1] = steps.one(name, HINTS[name], parts)
  end
end

--- URLs that may have been signed; none where `url` is no URL.
---@param url string
---@param candidates { urls: string[], hosts: string[], hashed: string? }
--- `hashed` is the URL with the hash of the body in its query
---@return table[]
function M.list(url, candidates)
  local parts = split(url)
  local list = parts and { steps.none(parts) } or {}
  add_url(list, "hash", parts and candidates.hashed)
  for _, candidate in ipairs(parts and candidates.urls or {}) do
    add_url(list, "url", candidate)
  end
  list = steps.product(list, schemes, with)
  list = steps.product(list, hosts(candidates.hosts), with)
  list = steps.product(list, ports, with)
  list = steps.product(list, paths, with)
  list = steps.product(list, queries, with)
  for _, variation in ipairs(list) do
    variation.value = text_of(variation.value)
  end
  return list
end

return M
