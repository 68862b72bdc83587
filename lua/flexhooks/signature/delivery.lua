--- What a person passes to `sign`, `validate` and `explain`, made regular.
-- @module flexhooks.signature.delivery

local ascii = require "flexhooks.util.ascii"
local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local options = require "flexhooks.util.options"
local shared_keys = require "flexhooks.signature.shared_keys"
local tables = require "flexhooks.util.tables"

local M = {}

local MAX_TOKENS = 16

local function check_tokens(value)
  if type(value) == "boolean" then
    return value and "must be a token, a list of tokens, or false" or nil
  end
  local tokens = type(value) == "table" and value or { value }
  if #tokens < 1 or #tokens > MAX_TOKENS then
    return "must be a token or a list of 1 to " .. MAX_TOKENS
  end
  if not tables.is_list(tokens) then
    return "must be a list without holes"
  end
  for _, token in ipairs(tokens) do
    if type(token) ~= "string" or token == "" then
      return "must be a token that is not empty, or a list of such"
    end
  end
end

local function is_text(value)
  return type(value) == "string"
    or type(value) == "number" and value - value == 0
end

local function check_params(params)
  for name, value in pairs(params) do
    if type(name) ~= "string" then
      return "must have strings as names, got a " .. type(name)
    end
    local values = type(value) == "table" and value or { value }
    if not tables.is_list(values) then
      return "must have strings, or lists of strings without holes, as values"
    end
    for _, element in ipairs(values) do
      if not is_text(element) then
        return "must have strings, or lists of strings, as values"
      end
    end
  end
end

local SPEC = {
  auth_token = { type = { "string", "table", "boolean" },
    check = check_tokens },
  shared_key = { type = "string" },
  shared_key_id = { type = "string" },
  algorithm = { type = "string" },
  url = { type = "string", required = true },
  method = { type = "string", default = "POST" },
  params = { type = "table", check = check_params },
  body = { type = "string" },
  content_type = { type = "string" },
}

--- Is this content type a form's? One that is not given is.
---@param content_type string?
---@return boolean
function M.is_form(content_type)
  local media = (content_type or ""):match "^%s*([^;%s]*)"
  return media == ""
    or ascii.lower(media) == "application/x-www-form-urlencoded"
end

local function text_of(value)
  return type(value) == "number" and ascii.digits(value) or value
end

-- { { name, value }, … } of a table name -> value or list of values.
local function pairs_of(params)
  local list = {}
  for name, value in pairs(params) do
    for _, element in ipairs(type(value) == "table" and value or { value }) do
      list[#list + 1] = { name, text_of(element) }
    end
  end
  return list
end

--- { name = list of values } of { name, value } pairs.
---@param fields table[]
---@return table<string, string[]>
function M.grouped(fields)
  local params = {}
  for _, field in ipairs(fields) do
    params[field[1]] = params[field[1]] or {}
    table.insert(params[field[1]], field[2])
  end
  return params
end

---@class flexhooks.signature.Delivery
---@field tokens string[]
---@field shared table<string, flexhooks.SharedKey>
---@field settings string? the settings header
---@field url string
---@field base string the URL up to its query
---@field query string? raw
---@field signature string?
---@field get boolean
---@field form boolean does the body hold fields?
---@field body string raw; what `params` encode as where they were given
---@field from_params boolean
---@field fields table[] { name, value } pairs; none where they cannot be read

-- All shared keys that were given.
local function shared_of(fn, checked)
  local keys, wrong = shared_keys.of_options(checked)
  if keys and checked.shared_keys then
    local more
    more, wrong = shared_keys.of_table(checked.shared_keys)
    wrong = wrong and "option 'shared_keys' " .. wrong
    keys = tables.merged(more, keys)
  end
  if wrong then
    errors.raise(4, fn .. ": " .. wrong)
  end
  return keys
end

--- Reads the options of `fn`; raises for a mistake, above the caller.
---@param fn string the public function's name
---@param given table
---@param more table<string, table>? rules of further options
---@return flexhooks.signature.Delivery delivery
---@return table checked the options
function M.read(fn, given, more)
  local rules = {}
  for _, set in ipairs { SPEC, more or {} } do
    for name, rule in pairs(set) do
      rules[name] = rule
    end
  end
  local checked = options.check(fn, rules, given, 2)
  local from_params = checked.params ~= nil and next(checked.params) ~= nil
  if from_params and checked.body then
    errors.raise(3, fn .. ": give params or body, not both")
  end
  local fields = from_params and pairs_of(checked.params) or nil
  local form = not checked.body or M.is_form(checked.content_type)
  local tokens, shared = checked.auth_token or {}, shared_of(fn, checked)
  if next(shared) == nil and not checked.auth_token then
    errors.raise(3, fn .. ": option 'auth_token' is missing, and so is a "
      .. "shared key")
  end
  return {
    tokens = type(tokens) == "table" and tokens or { tokens },
    shared = shared,
    settings = checked.signature_settings,
    url = checked.url,
    base = checked.url:match "^[^?#]*",
    query = checked.url:match "^[^?#]*%?([^#]*)",
    signature = checked.signature,
    get = ascii.upper(checked.method) == "GET",
    form = form,
    body = checked.body or core.encode_form(fields or {}),
    from_params = from_params,
    fields = fields or form and core.decode_form(checked.body or "") or {},
  }, checked
end

return M
