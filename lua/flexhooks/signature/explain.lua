--- Why does a signature not match? A search through the variations of a
-- delivery, nearest first, and a report for a person.
-- @module flexhooks.signature.explain

local ascii = require "flexhooks.util.ascii"
local core = require "flexhooks.core"
local delivery = require "flexhooks.signature.delivery"
local settings_header = require "flexhooks.signature.settings_header"
local signers = require "flexhooks.signature.signers"
local steps = require "flexhooks.signature.steps"
local urls = require "flexhooks.signature.urls"
local values = require "flexhooks.signature.values"

local M = {}

local MAX_STEPS = 4 -- as far as anything is looked for
local MAX_TRIES = 20000
local MAX_BYTES = 2e7 -- signed in all

local NO_SIGNATURE = "There is no signature: the X-Twilio-Signature header is "
  .. "missing. A proxy may drop it."
local NO_URL = "The url must begin with https:// or http://."

---@class flexhooks.signature.Report
---@field matched boolean would some variation have matched?
---@field variation string? its steps; "none" where it matches as it is
---@field advice string what to set
---@field url string? the URL that was signed
---@field tried integer signatures computed
local Report = { __name = "flexhooks.signature.report" }
Report.__index = Report

--- The report as text.
function Report:__tostring()
  if self.variation == "none" then
    return "The signature matches."
  end
  if self.tried == 0 then
    return self.advice
  end
  local head = self.matched
      and "The signature would match with a change: " .. self.variation .. "."
    or "The signature matches no variation (" .. self.tried .. " tried)."
  local signed = self.url and "\nSigned URL: " .. self.url or ""
  return head .. signed .. "\n" .. self.advice
end

local function report(fields)
  fields.tried = fields.tried or 0
  return setmetatable(fields, Report)
end

local function check_texts(list)
  for _, text in ipairs(list) do
    if type(text) ~= "string" or text == "" then
      return "must be a list of strings that are not empty"
    end
  end
end

local TEXTS = { type = "table", default = {}, check = check_texts }

local SPEC = { signature = { type = "string" }, urls = TEXTS, hosts = TEXTS,
  auth_tokens = TEXTS, signature_settings = { type = "string" },
  shared_keys = { type = "table" } }

-- Lists of variations by their number of steps.
local function by_steps(list, change)
  local sorted = {}
  for _, variation in ipairs(list) do
    local count = #variation.names
    sorted[count] = sorted[count] or {}
    table.insert(sorted[count], variation)
    if change then
      variation.value = change(variation.value)
    end
  end
  return sorted
end

-- Calls visit(url, params, signer) for every three whose steps add up to
-- `total`, until it returns true.
local function each_of(space, total, visit)
  for u = 0, total do
    for p = 0, total - u do
      for _, signer in ipairs(space.signers[total - u - p] or {}) do
        for _, params in ipairs(space.params[p] or {}) do
          for _, url in ipairs(space.urls[u] or {}) do
            if visit(url, params, signer) then
              return true
            end
          end
        end
      end
    end
  end
end

local function search(space, signatures, budget)
  local found
  local tried = 0
  local function visit(url, params, signer)
    tried = tried + 1
    local signature = signer.value:sign(url.value, params.value)
    local as = signature and signatures[signature]
    if as then
      found = { url, params, signer, as }
    end
    return found or tried >= budget
  end
  for total = 0, MAX_STEPS do
    if each_of(space, total, visit) then
      break
    end
  end
  return found, tried
end

local function add_all(list, more)
  for _, element in ipairs(more) do
    local known = false
    for _, present in ipairs(list) do
      known = known or present == element
    end
    if not known then
      list[#list + 1] = element
    end
  end
end

local BODY_CHANGES = {
  function(body) return body end,
  function(body) return body .. "\n" end,
  function(body) return body:match "^.*%S" or "" end,
  function(body) return (body:gsub("\r\n", "\n")) end,
  function(body) return (body:gsub("\r?\n", "\r\n")) end,
}

-- Does the body have the hash that the URL carries? If so, after which change?
local function find_hash(read, hash)
  if read.from_params then
    return nil
  end
  for i, change in ipairs(BODY_CHANGES) do
    if core.sha256(change(read.body)) == hash then
      return i
    end
  end
end

-- What is to be said of the body, where the URL was signed with these fields.
local function judge_body(read, url, params, names, hints)
  local hash = url:match "[?&]bodySHA256=([^&]*)"
  local change = hash and find_hash(read, hash)
  if hash and not change then
    add_all(names, { "body" })
    add_all(hints, { "the body is not the one that was hashed: give the raw "
      .. "bytes that came, before any parser" })
  elseif hash and change > 1 then
    add_all(names, { "body" })
    add_all(hints, { "line ends or spaces of the body were changed: hash the "
      .. "bytes that came" })
  elseif not hash and next(params) == nil and read.body ~= "" then
    add_all(names, { "body unsigned" })
    add_all(hints, { "the signature covers the URL alone and the URL has no "
      .. "bodySHA256, so this body may be anybody's" })
  end
end

local URL_STEPS = { scheme = true, host = true, port = true, slash = true,
  url = true, ["path encoding"] = true }

local function advise(names, hints, url)
  local lines = {}
  for _, name in ipairs(names) do
    if URL_STEPS[name] then
      lines[1] = "Set public_url to " .. url:match "^[^?]*"
        .. ", which is what is registered."
    end
  end
  for _, hint in ipairs(hints) do
    lines[#lines + 1] = ascii.upper(hint:sub(1, 1)) .. hint:sub(2) .. "."
  end
  return table.concat(lines, "\n")
end

local function matched(read, found, tried)
  local names, hints = {}, {}
  for _, variation in ipairs(found) do
    add_all(names, variation.names)
    add_all(hints, variation.hints)
  end
  local url = found[1].value
  judge_body(read, url, found[2].value, names, hints)
  return report { matched = true, variation = table.concat(names, ", "),
    advice = advise(names, hints, url), url = url, tried = tried }
end

local function looks_like_key(token)
  return token:find "^SK%x+$" and #token == 34
    or #token == 32 and token:find "^%w+$" and token:find "[G-Zg-zA-F]"
end

-- What the length of the signature says.
local function suspect_signature(list, read)
  local size = #read.signature
  if size == 44 and next(read.shared) == nil then
    list[#list + 1] = "A signature of 44 characters is a shared key's with "
      .. "HMAC_SHA256. Give shared_keys, and the header "
      .. settings_header.NAME .. " as signature_settings."
  elseif size ~= 28 and size ~= 44 then
    list[#list + 1] = "A signature is 28 characters of base64, or 44 by "
      .. "HMAC_SHA256; this has " .. size .. ". Is it from another header?"
  end
end

-- What the header says of a key that was not given.
local function suspect_settings(list, read)
  local id, reason = settings_header.read(read.settings or "")
  if id and not read.shared[id] then
    list[#list + 1] = "The settings header names " .. id .. ", which is not "
      .. "among the shared keys: give its secret."
  elseif read.settings and reason == "algorithm_unknown" then
    list[#list + 1] = "The settings header names an algorithm that is "
      .. "neither HMAC_SHA1 nor HMAC_SHA256."
  elseif read.settings and not id then
    list[#list + 1] = "The settings header cannot be read: Twilio sends "
      .. settings_header.write("webhooks_sharedkey_…", "HMAC_SHA256") .. "."
  end
end

local function suspect_tokens(list, read)
  for _, token in ipairs(read.tokens) do
    if token:find "^AC%x+$" and #token == 34 then
      list[#list + 1] = "The token given is an account SID."
    elseif looks_like_key(token) then
      list[#list + 1] = "The token given looks like an API key or its secret; "
        .. "those never sign. Use the account's primary auth token."
    end
  end
end

-- What can be said if nothing matched.
local function suspicions(read)
  local list = {}
  suspect_signature(list, read)
  suspect_settings(list, read)
  suspect_tokens(list, read)
  list[#list + 1] = "Most often it is another account's or an older token, or "
    .. "a URL that differs from the registered one. Give candidates: urls, "
    .. "hosts, auth_tokens, shared_keys."
  return table.concat(list, "\n")
end

-- A body that is no form has a hash in the URL, which may have been dropped.
local function urls_of(read, given)
  local hashed
  if not read.form and not (read.query or ""):find("bodySHA256", 1, true) then
    hashed = read.base .. "?" .. (read.query and read.query .. "&" or "")
      .. "bodySHA256=" .. core.sha256(read.body)
  end
  return urls.list(given.url, { urls = given.urls, hosts = given.hosts,
    hashed = hashed })
end

local function params_of(read)
  if read.form and not read.get then
    return values.params(read.fields, read.query)
  end
  local list = values.params({}, nil)
  local fields = core.decode_form(read.body)
  if fields and #fields > 0 then
    list[2] = steps.one("form", "it was signed as a form sent by POST: set "
      .. "method and content_type", fields)
  end
  return list
end

--- Makes the report of `flexhooks.signature.explain`.
---@param fn string the public function's name
---@param request table
---@param check fun(read: flexhooks.signature.Delivery): boolean?
---@return flexhooks.signature.Report
function M.run(fn, request, check)
  local read, given = delivery.read(fn, request, SPEC)
  if check(read) then
    return report { matched = true, variation = "none", advice = "" }
  end
  local signature = read.signature or ""
  local candidates = urls_of(read, given)
  if signature == "" or #candidates == 0 then
    return report { matched = false,
      advice = signature == "" and NO_SIGNATURE or NO_URL }
  end
  local keys = signers.list(read, given.auth_tokens)
  local space = {
    urls = by_steps(candidates),
    params = by_steps(params_of(read), delivery.grouped),
    signers = by_steps(keys, function(signer)
      return core.key(signer.secret, signer.algorithm)
    end),
  }
  local budget = math.min(MAX_TRIES, MAX_BYTES / (#read.body + 200))
  local found, tried = search(space, values.signatures(signature), budget)
  for _, key in ipairs(keys) do
    key.value:close()
  end
  if found then
    return matched(read, found, tried)
  end
  return report { matched = false, tried = tried,
    advice = suspicions(read) }
end

return M
