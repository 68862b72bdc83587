--- The settings of a receiver, checked and made ready.
-- @module flexhooks.receiver.settings

local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local events = require "flexhooks.events"
local keys = require "flexhooks.receiver.keys"
local options = require "flexhooks.util.options"
local requests = require "flexhooks.receiver.request"
local router = require "flexhooks.router"
local shared_keys = require "flexhooks.signature.shared_keys"
local tables = require "flexhooks.util.tables"

local M = {}

local FN = "flexhooks.receiver"

local function function_or_object(value)
  if type(value) ~= "function" and type(value) ~= "table"
    and type(value) ~= "userdata" then
    return "must be an object or a function, got " .. type(value)
  end
end

-- A rule for an object of which these methods are called.
local function with_methods(what, ...)
  local names = { ... }
  return { check = function(value)
    local kind = type(value)
    for _, name in ipairs(names) do
      if kind ~= "table" and kind ~= "userdata"
        or type(value[name]) ~= "function" then
        return "must be " .. what .. ", got " .. kind
      end
    end
  end }
end

local SPEC = {
  auth_token = { type = { "string", "table", "function", "boolean" },
    check = function(value)
      return value == true and "must be a token, or false" or nil
    end },
  shared_keys = { type = { "table", "function" } },
  shared_keys_file = { type = "string" },
  public_url = { type = "string" },
  sources = { type = "table", default = {} },
  methods = { type = "table", default = { "POST" } },
  router = { check = function(value)
    return not router.is(value) and "must be a router, got " .. type(value)
      or nil
  end },
  queue = with_methods("a queue", "store"),
  client = { check = function_or_object },
  account_sid = { type = "string", check = function(value)
    if not value:find("^AC" .. ("[0-9a-f]"):rep(32) .. "$") then
      return "must be 'AC' and 32 lower-case hex digits"
    end
  end },
  handler_timeout = { type = "number", default = 12, min = 0.001,
    max = 86400 },
  limits = { type = "table", default = {} },
  dedupe = { default = {}, check = function(value)
    if type(value) ~= "table" and value ~= false then
      return "must be a table or false, got " .. type(value)
    end
  end },
  logger = { type = "function" },
  on_reject = { type = "function" },
  metrics = with_methods("flexhooks.metrics", "inc", "observe"),
}

local LIMITS = {
  body = { type = "integer", default = 262144, min = 1, max = 2 ^ 30 },
  params = { type = "integer", default = 1000, min = 1, max = 2 ^ 20 },
  name = { type = "integer", default = 127, min = 1, max = 2 ^ 20 },
  value = { type = "integer", default = 65536, min = 1, max = 2 ^ 30 },
  depth = { type = "integer", default = 64, min = 1, max = 1000 },
}

local DEDUPE = {
  window = { type = "number", default = 86400, min = 0 },
  entries = { type = "integer", default = 100000, min = 1,
    max = 2 ^ 32 - 1 },
  retries = { type = "integer", default = 1, min = 0, max = 5 },
  twin_window = { type = "number", min = 0 },
  claims = with_methods("a memory of claims", "claim", "settle"),
}

local ATTEMPT = 15 -- seconds that Twilio gives one attempt
local SLACK = 30 -- seconds between the reports of one event

local function config(level, message)
  errors.raise(level + 1, FN .. ": " .. message, "config")
end

local function environment(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

local function check_required(given, level)
  given.public_url = given.public_url or environment "FLEXHOOKS_PUBLIC_URL"
  if given.auth_token == nil then
    given.auth_token = environment "TWILIO_AUTH_TOKEN"
  end
  if not given.public_url then
    config(level + 1, "option 'public_url' is missing: set it, or "
      .. "FLEXHOOKS_PUBLIC_URL, to the URL that is registered at Twilio")
  end
  if given.auth_token == nil then
    config(level + 1, "option 'auth_token' is missing: set it, or "
      .. "TWILIO_AUTH_TOKEN, to the account's primary auth token; false "
      .. "accepts shared keys alone")
  end
  if not given.router and not given.queue then
    config(level + 1, "option 'router' is missing: set it, or 'queue'")
  end
end

local function shared_source(given, level)
  local configured, wrong = shared_keys.find(given)
  if not configured then
    config(level + 1, wrong)
  end
  local shared = keys.shared(configured, given.handler_timeout)
  if given.auth_token == false and not shared then
    config(level + 1, "option 'auth_token' is false and there are no shared "
      .. "keys: set shared_keys, or " .. shared_keys.VARIABLE)
  end
  return shared
end

local function key_source(given, level)
  if given.auth_token == false then
    return nil
  elseif type(given.auth_token) == "function" then
    return nil, keys.lookup(given.auth_token, given.handler_timeout)
  end
  local tokens = given.auth_token
  if type(tokens) == "string" then
    tokens = { tokens }
  end
  if not tables.is_list(tokens) then
    config(level + 1, "option 'auth_token' must be a list without holes")
  end
  local list, wrong = keys.of(tokens)
  if not list then
    config(level + 1, "option 'auth_token' " .. wrong)
  end
  return list
end

local METHODS = { GET = true, POST = true }

local function method_set(list, level)
  local set, names = {}, {}
  for _, name in ipairs(tables.is_list(list) and list or { false }) do
    if not METHODS[name] then
      errors.raise(level + 1, FN .. ": option 'methods' must be a list of "
        .. "'POST' and 'GET'")
    end
    if not set[name] then
      names[#names + 1] = name
    end
    set[name] = true
  end
  if #names == 0 then
    errors.raise(level + 1, FN .. ": option 'methods' is empty")
  end
  table.sort(names)
  return set, names
end

-- Path and query of a configured URL, cut out as they stand.
local function cut_url(url)
  local tail = url:gsub("#.*$", ""):match "^%a+://[^/?]*(.*)$" or ""
  local path, query = tail:match "^([^?]*)%??(.*)$"
  return path == "" and "/" or path, query
end

-- What keeps every delivery from a URL that is a URL otherwise, or nil.
local function unreachable(url, path)
  if url:find "[\128-\255]" then
    return "the URL holds a character beyond ASCII: percent-encode it, or "
      .. "write the host in its xn-- form, as it is registered"
  elseif requests.has_bad_escape(path) then
    return "the URL's path holds a % without two hexadecimal digits"
  end
end

-- One signed URL; a message never shows it, since it may hold a password.
local function route(option, url, label, limits, level)
  if type(url) ~= "string" then
    config(level + 1, ("option '%s': a URL must be string, got %s")
      :format(option, type(url)))
  end
  if type(label) ~= "string" or label == "" then
    config(level + 1, ("option '%s': a label must be string, got %s")
      :format(option, label == "" and "an empty one" or type(label)))
  end
  local verifier, _, wrong
  if #url > 2048 then
    wrong = "the URL is longer than 2048 bytes"
  else
    verifier, _, wrong = core.verifier {
      url = url, params = limits.params, name = limits.name,
      value = limits.value, body = limits.body, fields = events.check_fields,
    }
  end
  local path, query = cut_url(url)
  wrong = wrong or unreachable(url, path)
  if wrong then
    config(level + 1, ("option '%s': %s"):format(option, wrong))
  end
  return {
    path = path, query = query, query_fields = requests.query_fields(query),
    source = label, verifier = verifier,
    -- By kind of delivery; to look a method up in a table costs less.
    verify = { form = verifier.form, query = verifier.query,
      json = verifier.json },
  }
end

local function longest_query_first(a, b)
  if #a.query ~= #b.query then
    return #a.query > #b.query
  end
  return a.source < b.source
end

-- What tells URLs apart: they are signed without a fragment, and with or
-- without userinfo.
local function signed_part(url)
  return (url:gsub("#.*$", ""):gsub("^(%a+://)[^/?]*@", "%1"))
end

-- path -> routes; and how many labels there are.
local function route_table(given, limits, level)
  local routes, label_of, labels, count = {}, {}, {}, 0
  local function add(option, url, label)
    local r = route(option, url, label, limits, level + 2)
    local signed = signed_part(url)
    if (label_of[signed] or label) ~= label then
      config(level + 2, "option 'sources': a signed URL has two labels (its "
        .. "userinfo, and what follows its #, are not signed)")
    end
    label_of[signed] = label
    routes[r.path] = routes[r.path] or {}
    table.insert(routes[r.path], r)
    count = count + (labels[label] and 0 or 1)
    labels[label] = true
  end
  for url, label in pairs(given.sources) do
    add("sources", url, label)
  end
  local public = given.public_url
  if not given.sources[public] then
    add("public_url", public, label_of[signed_part(public)] or "default")
  end
  for _, list in pairs(routes) do
    table.sort(list, longest_query_first)
  end
  return routes, count
end

local function dedupe_rule(given, sources, level)
  if given == false then
    return nil
  end
  local rule = options.check(FN .. " (dedupe)", DEDUPE, given, level + 1)
  rule.twin_window = rule.twin_window or ATTEMPT * (rule.retries + 1) + SLACK
  rule.sources = sources
  return rule
end

--- Checks what was given to a receiver; raises at the caller's caller.
---@param given table
---@return table settings
function M.read(given)
  local level = 3
  local s = options.check(FN, SPEC, given, level - 1)
  check_required(s, level)
  s.limits = options.check(FN .. " (limits)", LIMITS, s.limits, level - 1)
  s.keys, s.lookup = key_source(s, level)
  s.shared = shared_source(s, level)
  s.methods, s.method_names = method_set(s.methods, level)
  s.routes, s.source_count = route_table(s, s.limits, level)
  s.rule = dedupe_rule(s.dedupe, s.source_count, level - 1)
  s.auth_token, s.shared_keys = nil, nil
  return s
end

return M
