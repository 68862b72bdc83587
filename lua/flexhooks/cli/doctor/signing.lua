--- The doctor's look at the account's webhook rules: which key signs the
-- deliveries to a receiver's URLs, and does the receiver have it?
-- @module flexhooks.cli.doctor.signing

local errors = require "flexhooks.error"
local shared_keys = require "flexhooks.signature.shared_keys"
local subscriptions = require "flexhooks.cli.doctor.webhooks"

local M = {}

local SERVICE = "https://webhooks.twilio.com"
local PATH = "/v1/Webhooks/"
local PAGES = 20
local CHECK = "signing"

-- Returns the address of a resource: the service's own, or a stand-in's.
local function address(client, name)
  local path = PATH .. name
  if client.base_url:find "^https://[%w.-]+%.twilio%.com$" then
    return SERVICE .. path
  end
  return path
end

local function tables_of(list)
  local found = {}
  for _, one in ipairs(type(list) == "table" and list or {}) do
    found[#found + 1] = type(one) == "table" and one or nil
  end
  return found
end

-- Reads all rules, page by page. Returns them, or nil and an error.
local function read_rules(client)
  local rules, token = {}, nil
  for _ = 1, PAGES do
    local body, err = client:request("GET", address(client, "Rules"),
      { query = { pageSize = 100, pageToken = token }, max_retries = 1 })
    if not body then
      return nil, err
    end
    local meta = type(body.meta) == "table" and body.meta or {}
    for _, rule in ipairs(tables_of(body[meta.key or "rules"])) do
      rules[#rules + 1] = rule
    end
    token = meta.nextToken or meta.next_token
    if type(token) ~= "string" or token == "" then
      break
    end
  end
  return rules
end

-- Returns how well a rule fits a URL: an exact rule before any prefix, a
-- longer one before a shorter one, the default last; nil if it does not.
local function fit(rule, url)
  local value, prefix = rule.value, rule.prefix
  if rule.matchType == "EXACT_MATCH" and type(value) == "string" then
    local bare = url:gsub("%?.*$", "")
    return (url == value or bare:gsub("/$", "") == value:gsub("/$", ""))
      and 1e6 + #value or nil
  elseif rule.matchType == "PREFIX_MATCH" and type(prefix) == "string" then
    return url:sub(1, #prefix) == prefix and #prefix or nil
  end
  return rule.matchType == "DEFAULT" and 0 or nil
end

--- Returns the rule that is evaluated for a URL, or nil.
---@param rules table[]
---@param url string
---@return table?
function M.rule_for(rules, url)
  local best, best_fit
  local signed = subscriptions.signed(url)
  for _, rule in ipairs(rules) do
    local how = fit(rule, signed)
    if how and (not best or how > best_fit) then
      best, best_fit = rule, how
    end
  end
  return best
end

-- Returns the shared key that is configured for an id; nil if there is none,
-- or nil and an error of the application's function.
local function configured(keys, id)
  if type(keys) ~= "function" then
    return keys[id]
  end
  local ok, given, err = pcall(keys, id)
  if not ok or given == nil or given == false then
    return nil, not ok and given or err
  end
  return shared_keys.key(given)
end

local function check_token(check, url, why)
  if check.auth_token == false then
    check.report:add(CHECK, "fail", url .. " is signed with the auth token ("
      .. why .. "), which the application refuses", "make a rule for this "
      .. "URL whose Setting names a shared key, or drop auth_token = false")
    return
  end
  check.report:add(CHECK, "pass", url .. " is signed with the auth token: "
    .. why)
end

local function check_key(check, url, signature)
  local id, algorithm = signature.sharedKeyId, signature.algorithm
  local key, err = configured(check.keys, id)
  if err then
    check.report:add(CHECK, "fail", id .. " cannot be looked up: "
      .. tostring(err), "the application's shared_keys function failed")
  elseif not key then
    check.report:add(CHECK, "fail", url .. " is signed with the shared key "
      .. id .. ", which is not configured: every event is refused", "add it "
      .. "to shared_keys, or to " .. shared_keys.VARIABLE)
  elseif algorithm and key.algorithm ~= algorithm then
    check.report:add(CHECK, "fail", url .. " is signed with " .. id .. " and "
      .. algorithm .. ", but the key is configured for " .. key.algorithm,
      "configure it as { secret = …, algorithm = \"" .. algorithm .. "\" }")
  else
    check.report:add(CHECK, "pass", url .. " is signed with the shared key "
      .. id)
    check.signers[id] = { shared_key_id = id, shared_key = key.secret,
      algorithm = key.algorithm }
  end
end

-- Reads one Setting of a rule and looks at its signature.
local function check_setting(check, url, rule, id)
  local setting, err = check.client:request("GET",
    address(check.client, "Settings/" .. id), { max_retries = 1 })
  if not setting then
    check.report:add(CHECK, "warn", "the Setting " .. id .. " of "
      .. tostring(rule.id) .. " cannot be read: " .. tostring(err),
      "may these credentials read it?")
    return
  end
  local signature = type(setting.signature) == "table" and setting.signature
    or {}
  if type(signature.sharedKeyId) == "string" then
    check_key(check, url, signature)
  elseif tostring(signature.type):lower() == "none" then
    check.report:add(CHECK, "fail", url .. " is not signed at all: the "
      .. "Setting " .. id .. " says so, and every event is refused",
      "let the rule name a Setting that signs")
  else
    check_token(check, url, "the Setting " .. id .. " names no shared key")
  end
end

local function check_url(check, rules, url)
  local rule = M.rule_for(rules, url)
  if not rule then
    check_token(check, url, "no webhook rule matches it")
    return
  end
  for _, reference in ipairs(tables_of(rule.settings)) do
    if type(reference.settingId) == "string"
      and reference.settingId:find "^[%w_]+$" then
      check_setting(check, url, rule, reference.settingId)
    end
  end
end

local function why_not(err)
  return errors.is(err) and (err.kind == "not_found" or err.kind == "auth")
end

--- Looks at how each URL is signed.
---@param report table
---@param client flexhooks.Client
---@param urls string[] the receiver's
---@param keys table<string, flexhooks.SharedKey>|function configured ones
---@param auth_token any the application's; false refuses it
---@return table<string, table> signers by id: keys that sign and are known
function M.check(report, client, urls, keys, auth_token)
  local check = { report = report, client = client, keys = keys,
    auth_token = auth_token, signers = {} }
  local rules, err = read_rules(client)
  if not rules then
    report:add(CHECK, why_not(err) and "skip" or "warn",
      "the webhook rules cannot be read: " .. tostring(err),
      "a rule may sign this URL with a shared key")
    return check.signers
  end
  for _, url in ipairs(urls) do
    check_url(check, rules, url)
  end
  return check.signers
end

return M
