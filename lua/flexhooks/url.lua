--- URLs: taking apart, encoding, and the delivery overrides that ride in them.
-- @module flexhooks.url

local ascii = require "flexhooks.util.ascii"
local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local options = require "flexhooks.util.options"
local tables = require "flexhooks.util.tables"

local M = {}

--- Takes a URL of any scheme apart. Only printable ASCII is a URL here.
---@param text string
---@return table? parts `scheme`, `user`, `password`, `host`, `port` (integer),
-- `path`, `query`, `fragment`: those that are there, as written
---@return string? wrong what is wrong with it
function M.parse(text)
  if type(text) ~= "string" then
    return nil, "the URL must be a string, got " .. type(text)
  end
  return core.url(text)
end

--- As `parse`, for http and https alone.
---@param text string
---@return table? parts
---@return string? wrong
function M.parse_http(text)
  local parts, wrong = M.parse(text)
  if parts and not ascii.lower(parts.scheme):find "^https?$" then
    return nil, "the URL's scheme must be https or http"
  end
  return parts, wrong
end

local PROXIES = { http = true, https = true, socks4 = true, socks4a = true,
  socks5 = true, socks5h = true }

--- What is wrong with the URL of a proxy, or nil. Without a scheme it is an
-- http proxy; "" is none. Never shows it, since it may hold a password.
---@param text string
---@return string?
function M.proxy_complaint(text)
  if text == "" then
    return nil
  end
  local parts, wrong = M.parse(text:find("://", 1, true) and text
    or "http://" .. text)
  if wrong then
    return "is no proxy's URL: " .. wrong
  elseif not PROXIES[ascii.lower(parts.scheme)] then
    return "must begin with http://, https://, socks4://, socks4a://, "
      .. "socks5:// or socks5h://"
  end
end

--- Percent-encodes everything but letters, digits and `-._~`.
---@param text string
---@return string
function M.encode(text)
  return (text:gsub("[^A-Za-z0-9%-._~]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

-- Adds a name's pairs; returns what is wrong, or nil.
local function add_pairs(list, name, value)
  if type(name) ~= "string" then
    return "names must be strings, got " .. type(name)
  end
  local values = type(value) == "table" and value or { value }
  for _, v in ipairs(values) do
    local text = ascii.text(v)
    if not text then
      return "'" .. name .. "' must be a string, a finite number, a boolean "
        .. "or a list of them"
    end
    list[#list + 1] = { name, text }
  end
  if not tables.is_list(values) then
    return "'" .. name .. "' must be a list without holes"
  end
end

--- A table of parameters as `{ name, value }` pairs of strings, sorted by
-- name; a list as value becomes as many pairs.
---@param params table<string, string|number|boolean|table>
---@return table? list
---@return string? wrong
function M.pairs(params)
  local list = {}
  for _, name in ipairs(tables.sorted_keys(params)) do
    local wrong = add_pairs(list, name, params[name])
    if wrong then
      return nil, wrong
    end
  end
  return list
end

--- `params` as a query, without the question mark.
---@param params table<string, string|number|boolean|table>
---@return string? query
---@return string? wrong
function M.query(params)
  local list, wrong = M.pairs(params)
  if not list then
    return nil, wrong
  end
  for i, pair in ipairs(list) do
    list[i] = M.encode(pair[1]) .. "=" .. M.encode(pair[2])
  end
  return table.concat(list, "&")
end

--- `text` with `query` added to the one it has, before its fragment.
---@return string
function M.add_query(text, query)
  if query == "" then
    return text
  end
  local before, fragment = text:match "^([^#]*)(.*)$"
  local joint = "?"
  if before:find("?", 1, true) then
    joint = before:find "[?&]$" and "" or "&"
  end
  return before .. joint .. query .. fragment
end

-- --- delivery overrides --------------------------------------------------

local RETRY_ON = { ["4xx"] = true, ["5xx"] = true, ct = true, rt = true,
  all = true }

local function milliseconds(least, most)
  return function(text)
    local ms = text:match "^%d+$" and tonumber(text)
    return ms and ms >= least and ms <= most
  end
end

-- The overrides in the order in which they are written, each with the test
-- that its value has to pass.
local ORDER = { "rc", "rp", "ct", "rt", "tt" }
local VALID = {
  rc = function(text)
    return text:find "^[0-5]$"
  end,
  rp = function(text)
    for condition in (text .. ","):gmatch "([^,]*)," do
      if not RETRY_ON[condition] then
        return false
      end
    end
    return true
  end,
  ct = milliseconds(100, 10000),
  rt = milliseconds(100, 15000),
  tt = milliseconds(100, 15000),
}

local function check_conditions(value)
  local list = type(value) == "table" and value or { value }
  if #list == 0 then
    return "must name at least one of 4xx, 5xx, ct, rt, all"
  elseif not tables.is_list(list) then
    return "must be a list without holes"
  end
  for _, condition in ipairs(list) do
    if not RETRY_ON[condition] then
      return "must be one, or a list, of 4xx, 5xx, ct, rt, all"
        .. options.suggestion(tostring(condition), RETRY_ON)
    end
  end
end

local DELIVERY = {
  retries = { type = "integer", min = 0, max = 5 },
  retry_on = { type = { "string", "table" }, check = check_conditions },
  connect_timeout = { type = "number", min = 0.1, max = 10 },
  read_timeout = { type = "number", min = 0.1, max = 15 },
  total_timeout = { type = "number", min = 0.1, max = 15 },
}

local function in_milliseconds(seconds)
  return seconds and ("%d"):format(math.floor(seconds * 1000 + 0.5))
end

local function overrides(given)
  local conditions = given.retry_on
  if type(conditions) == "table" then
    conditions = table.concat(conditions, ",")
  end
  return {
    rc = given.retries and ("%d"):format(given.retries),
    rp = conditions,
    ct = in_milliseconds(given.connect_timeout),
    rt = in_milliseconds(given.read_timeout),
    tt = in_milliseconds(given.total_timeout),
  }
end

-- The overrides that a URL has already: a list of { name, value }, or nil and
-- what is wrong.
local function read_fragment(fragment)
  local list = {}
  for pair in (fragment or ""):gmatch "[^&]+" do
    local name, value = pair:match "^(%w+)=([%w,%-]*)$"
    if not name then
      return nil, "the fragment must hold delivery overrides alone, as in "
        .. "#rc=3&rp=5xx"
    elseif VALID[name] and not VALID[name](value) then
      return nil, "the fragment's override '" .. name .. "' has no valid value"
    end
    list[#list + 1] = { name, value }
  end
  return list
end

-- What is changed is written once, however often it was there.
local function merge(list, changes)
  local parts, written = {}, {}
  for _, pair in ipairs(list) do
    local name = pair[1]
    if not (changes[name] and written[name]) then
      parts[#parts + 1] = name .. "=" .. (changes[name] or pair[2])
    end
    written[name] = true
  end
  for _, name in ipairs(ORDER) do
    if changes[name] and not written[name] then
      parts[#parts + 1] = name .. "=" .. changes[name]
    end
  end
  return table.concat(parts, "&")
end

--- Adds Twilio's connection overrides to a webhook URL. They ride in the
-- fragment, which is never sent to the server and never signed. Overrides that
-- the URL has already are kept unless named here.
---@param url string http or https
---@param given table `retries` (0 to 5), `retry_on` ("4xx", "5xx", "ct"
-- connect time-out, "rt" read time-out, "all", or a list of them),
-- `connect_timeout` (0.1 to 10 seconds), `read_timeout`, `total_timeout` (0.1
-- to 15 seconds)
---@return string url
function M.delivery(url, given)
  local fn = "flexhooks.delivery_url"
  options.argument(fn, 1, { type = "string", required = true }, url)
  local checked = options.check(fn, DELIVERY, given)
  local parts, wrong = M.parse_http(url)
  local list
  if parts then
    list, wrong = read_fragment(parts.fragment)
  end
  if wrong then
    errors.raise(2, fn .. ": " .. wrong)
  end
  local fragment = merge(list, overrides(checked))
  local bare = url:gsub("#.*", "")
  return fragment == "" and bare or bare .. "#" .. fragment
end

return M
