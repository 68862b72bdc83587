--- Requests in the wire's form: parameters, bodies, headers, targets.
--
-- Functions here return nil and what is wrong; who called the public function
-- raises it.
-- @module flexhooks.client.encode

local ascii = require "flexhooks.util.ascii"
local core = require "flexhooks.core"
local json = require "flexhooks.json"
local settings = require "flexhooks.client.settings"
local url = require "flexhooks.url"

local M = {}

-- More than any call has; a table beyond it is a mistake, found early.
local MAX_VALUES = 1000
local MAX_NODES = 20000
local MAX_DEPTH = 64

-- Nodes left after counting those of `value`; nil where there are too many.
local function count_down(value, left, depth)
  if depth == 0 then
    return nil
  end
  for _, element in next, value do
    left = left - 1
    if left > 0 and type(element) == "table" then
      left = count_down(element, left, depth - 1)
    end
    if not left or left <= 0 then
      return nil
    end
  end
  return left
end

--- A value as JSON, unless it is larger than any request: a mistake is found
-- before it costs memory.
---@param value any
---@return string? text
---@return string? wrong
function M.json(value)
  if type(value) == "table" and not count_down(value, MAX_NODES,
    MAX_DEPTH) then
    return nil, "it contains itself, is nested deeper than " .. MAX_DEPTH
      .. " tables or has more than " .. MAX_NODES .. " values"
  end
  return json.encode(value)
end

-- What a value without a text is.
local function name_of(value)
  return type(value) == "number" and "one that is not finite" or type(value)
end

local function is_array(value)
  local count = 0
  for key in next, value do
    if type(key) ~= "number" then
      return false
    end
    count = count + 1
  end
  return count == #value
end

--- The texts that a parameter's value is sent as: an array's elements each, a
-- table as JSON.
---@param value any
---@return string[]? texts
---@return string? wrong
function M.texts(value)
  if type(value) ~= "table" then
    local text = ascii.text(value)
    if not text then
      return nil, "must be a string, number, boolean or table, got "
        .. name_of(value)
    end
    return { text }
  end
  if not is_array(value) then
    local text, wrong = M.json(value)
    return text and { text }, wrong
  end
  if #value > MAX_VALUES then
    return nil, "must not have more than " .. MAX_VALUES .. " values"
  end
  local texts = {}
  for i, element in ipairs(value) do
    local text, wrong
    if type(element) == "table" then
      text, wrong = M.json(element)
    else
      text = ascii.text(element)
    end
    if not text then
      return nil, "[" .. i .. "] " .. (wrong or "must be a string, number, "
        .. "boolean or table, got " .. name_of(element))
    end
    texts[i] = text
  end
  return texts
end

--- `{ { name, text }, … }`, sorted by name, of a table of parameters.
---@param params table<string, any>
---@return table[]? pairs
---@return string? wrong
function M.pairs(params)
  local names = {}
  for name in next, params do
    if type(name) ~= "string" then
      return nil, "names must be strings, got " .. type(name)
    end
    names[#names + 1] = name
    if #names > MAX_VALUES then
      return nil, "must not have more than " .. MAX_VALUES .. " names"
    end
  end
  table.sort(names)
  local list = {}
  for _, name in ipairs(names) do
    local texts, wrong = M.texts(params[name])
    if not texts then
      return nil, "'" .. name .. "' " .. wrong
    end
    for _, text in ipairs(texts) do
      list[#list + 1] = { name, text }
    end
  end
  return list
end

--- Adds pairs to a URL's query.
---@return string
function M.with_query(target, list)
  if #list == 0 then
    return target
  end
  return target .. (target:find("?", 1, true) and "&" or "?")
    .. core.encode_form(list)
end

-- Headers that belong to the client or to the connection.
local RESERVED = {}
for name in ([[authorization host content-length transfer-encoding connection
  te upgrade trailer expect keep-alive proxy-connection
  proxy-authorization]]):gmatch "%S+" do
  RESERVED[name] = true
end

local TOKEN = "^[A-Za-z0-9!#$%%&'*+.^_`|~-]+$"

local function header_complaint(name, text)
  if type(name) ~= "string" or not name:find(TOKEN) then
    return "names must be HTTP tokens"
  end
  if RESERVED[ascii.lower(name)] then
    return "'" .. name .. "' is set by the client"
  end
  if not text then
    return "'" .. name .. "' must be a string"
  end
  if text:find "[%z\1-\31\127]" then
    return "'" .. name .. "' must not hold control characters"
  end
  if #text > 8192 then
    return "'" .. name .. "' must not be longer than 8192 bytes"
  end
end

--- Headers of the caller's, checked, over defaults.
---@param given table<string, string>
---@param defaults table<string, string>
---@return table? headers a table of its own
---@return string? wrong
function M.headers(given, defaults)
  local headers, present, count = {}, {}, 0
  for name, value in next, given do
    local text = ascii.text(value)
    local wrong = header_complaint(name, text)
    count = count + 1
    if wrong or count > 100 then
      return nil, wrong or "must not be more than 100"
    end
    headers[name] = text
    present[ascii.lower(name)] = true
  end
  for name, value in pairs(defaults) do
    if not present[ascii.lower(name)] then
      headers[name] = value
    end
  end
  return headers
end

--- A form's body and its content type.
---@param list table[] pairs
---@return string body
---@return string content_type
function M.form(list)
  return core.encode_form(list), "application/x-www-form-urlencoded"
end

local BODIES = { "form", "json", "body" }

--- The body of a request and its content type.
---@param given table at most one of `form`, `json`, `body`
---@return string? body nil also where there is none
---@return string? content_type
---@return string? wrong
function M.body(given)
  local chosen
  for _, name in ipairs(BODIES) do
    if given[name] ~= nil then
      if chosen then
        return nil, nil,
          "give '" .. chosen .. "' or '" .. name .. "', not both"
      end
      chosen = name
    end
  end
  if chosen == "form" then
    local list, wrong = M.pairs(given.form)
    if not list then
      return nil, nil, "option 'form': " .. wrong
    end
    return M.form(list)
  elseif chosen == "json" then
    local text, wrong = M.json(given.json)
    return text, "application/json", wrong and "option 'json': " .. wrong
  end
  return given.body
end

-- Twilio's hosts, on their own port, by name and nothing after it.
local function is_twilio(parts)
  return ascii.lower(parts.scheme) == "https"
    and (not parts.port or parts.port == 443)
    and ascii.lower(parts.host):find "^[%w%-.]*[%w%-]%.twilio%.com$" ~= nil
end

--- Where a path or URL leads, if credentials may go there.
---@param target string a path that begins with one slash, or an absolute URL
---@param client table `base_url` and `origin`
---@return string? url
---@return string? wrong
function M.target(target, client)
  if type(target) ~= "string" then
    return nil, "must be a path or a URL, got " .. type(target)
  end
  if #target > 8192 then
    return nil, "must not be longer than 8192 bytes"
  end
  if target:find "[^\33-\126]" or target:find "[\\#]" then
    return nil, "must not hold spaces, control characters, non-ASCII bytes, "
      .. "backslashes or a fragment: percent-encode them"
  end
  if target:sub(1, 1) == "/" then
    return client.base_url .. target
  end
  local parts, wrong = url.parse_http(target)
  if not parts then
    return nil, "must be a path that begins with '/', or a URL: " .. wrong
  end
  if parts.user then
    return nil, "must not hold a user name or password"
  end
  if settings.origin(parts) ~= client.origin and not is_twilio(parts) then
    return nil, "must be at https://*.twilio.com or at base_url: the client's "
      .. "credentials go nowhere else (flexhooks.http asks other services)"
  end
  return target
end

-- What stands for a segment of a path that names one object among many.
local SID = "^%u%u" .. ("%x"):rep(32) .. "$"
local TTID = "flex_interactionwebhook_"

local function placeholder(segment)
  if segment:sub(1, #TTID) == TTID then
    return "{ttid}"
  elseif #segment == 34 and segment:find(SID) then
    return "{sid}"
  end
end

-- A path with placeholders. Every request has one made, so segments are found
-- by plain searches; those that are too short to name anything are no strings.
local function template_of(path)
  local out, done, from = "", 1, 2
  while from <= #path do
    local slash = path:find("/", from, true) or #path + 1
    if slash - from > #TTID then
      local stands = placeholder(path:sub(from, slash - 1))
      if stands then
        out = out .. path:sub(done, from - 1) .. stands
        done = slash
      end
    end
    from = slash + 1
  end
  return done == 1 and path or out .. path:sub(done)
end

--- The path of a URL, and the endpoint that its rate is counted under: SIDs
-- and ttids are one endpoint whatever they name.
---@param method string
---@param target string an absolute URL
---@return string path
---@return string endpoint
function M.endpoint(method, target)
  local query = target:find("?", 1, true)
  local whole = query and target:sub(1, query - 1) or target
  local slash = whole:find("/", #"https://" + 1, true) or #whole + 1
  local path = whole:sub(slash)
  return path, method .. " " .. whole:sub(1, slash - 1) .. template_of(path)
end

return M
