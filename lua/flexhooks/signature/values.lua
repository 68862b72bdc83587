--- Parameters, tokens and signatures that may have been meant instead of those
-- that were given: what parsers, settings and headers do to them, undone.
-- @module flexhooks.signature.values

local ascii = require "flexhooks.util.ascii"
local core = require "flexhooks.core"
local steps = require "flexhooks.signature.steps"
local tables = require "flexhooks.util.tables"

local M = {}

-- Where there are more parameters, no single one of them is varied.
local FEW = 40

local function unescaped(text)
  return (text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

local RAW = "parse the body once, from the bytes that came"

local function latin1_to_utf8(value)
  return (value:gsub("[\128-\255]", function(c)
    local code = c:byte()
    return string.char(0xC0 + math.floor(code / 64), 0x80 + code % 64)
  end))
end

local function utf8_to_latin1(value)
  return (value:gsub("([\194\195])([\128-\191])", function(lead, rest)
    return string.char((lead:byte() - 0xC0) * 64 + rest:byte() - 0x80)
  end))
end

local function decoded_again(value)
  return unescaped((value:gsub("+", " ")))
end

local function trimmed(value)
  return ascii.trimmed(value, "%s")
end

local VALUE_CHANGES = {
  { "values trimmed", RAW, trimmed },
  { "body parsed again", "a + was read as a space twice; " .. RAW,
    function(v) return (v:gsub(" ", "+")) end },
  { "body parsed again", "a + was read as a space twice; " .. RAW,
    function(v) return (v:gsub("^ (%d)", "+%1")) end },
  { "values still encoded", "decode the parameters before you pass them",
    decoded_again },
  { "values still encoded", "decode the parameters before you pass them",
    unescaped },
  { "line ends", "something rewrites line ends; " .. RAW,
    function(v) return (v:gsub("\r\n", "\n")) end },
  { "line ends", "something rewrites line ends; " .. RAW,
    function(v) return (v:gsub("\r?\n", "\r\n")) end },
  { "character set", "something recodes the body; " .. RAW, latin1_to_utf8 },
  { "character set", "something recodes the body; " .. RAW, utf8_to_latin1 },
}

local function mapped(fields, change)
  local list, changed = {}, false
  for i, field in ipairs(fields) do
    local value = change(field[2])
    list[i] = { field[1], value }
    changed = changed or value ~= field[2]
  end
  return changed and list or nil
end

-- Files end with a line break where no delivery does.
local function without_break(fields)
  local list = tables.merged(fields)
  local name, value = list[#list][1], list[#list][2]
  list[#list] = { name, (value:gsub("\r?\n$", "")) }
  return list[#list][2] ~= value and list or nil
end

local function kept(fields, keep)
  local list = {}
  for i, field in ipairs(fields) do
    if keep(field, i) then
      list[#list + 1] = field
    end
  end
  return #list < #fields and list or nil
end

-- The fields with each repeated name once, its values made one by `merge`.
local function merged(fields, merge)
  local list, values = {}, {}
  for _, field in ipairs(fields) do
    if not values[field[1]] then
      values[field[1]] = {}
      list[#list + 1] = field[1]
    end
    table.insert(values[field[1]], field[2])
  end
  if #list == #fields then
    return nil
  end
  for i, name in ipairs(list) do
    list[i] = { name, merge(values[name]) }
  end
  return list
end

local function split_at_commas(fields)
  local list = {}
  for _, field in ipairs(fields) do
    for part in (field[2] .. ","):gmatch "(.-),%s*" do
      list[#list + 1] = { field[1], part }
    end
  end
  return #list > #fields and list or nil
end

local REPEATS = "a repeated parameter is signed once for each distinct value; "
  .. "pass a list of its values"

local function add(list, name, hint, fields)
  if fields then
    list[#list + 1] = steps.one(name, hint, fields)
  end
end

local function add_repeats(list, fields)
  add(list, "duplicates joined", REPEATS, merged(fields, function(values)
    return table.concat(values, ",")
  end))
  add(list, "duplicates joined", REPEATS, split_at_commas(fields))
  add(list, "duplicates dropped", REPEATS, merged(fields, function(values)
    return values[1]
  end))
  add(list, "duplicates dropped", REPEATS, merged(fields, function(values)
    return values[#values]
  end))
end

-- A value that lost a space at its end, or its beginning, before we saw it.
local function add_trimmed(list, fields)
  if #fields > FEW then
    return
  end
  for i, field in ipairs(fields) do
    for _, value in ipairs { field[2] .. " ", " " .. field[2],
      field[2] .. "\n" } do
      local copy = tables.merged(fields)
      copy[i] = { field[1], value }
      add(list, "value trimmed", "do not trim " .. field[1] .. "; " .. RAW,
        copy)
    end
  end
end

-- Frameworks put the query's fields and the body's into one table.
local function without_query(fields, query)
  local names = {}
  for _, field in ipairs(core.decode_form(query or "") or {}) do
    names[field[1]] = true
  end
  return kept(fields, function(field)
    return not names[field[1]]
  end)
end

local function add_empty(list, fields)
  local hint = "parameters were added that were not sent; " .. RAW
  add(list, "empty parameters", hint, kept(fields, function(field)
    return field[2] ~= ""
  end))
  for i, field in ipairs(#fields <= FEW and fields or {}) do
    add(list, "empty parameters", hint, kept(fields, function(_, k)
      return k ~= i or field[2] ~= ""
    end))
  end
end

--- Parameters that may have been signed.
---@param fields table[] { name, value } pairs
---@param query string? the URL's
---@return table[]
function M.params(fields, query)
  local list = { steps.none(fields) }
  if #fields == 0 then
    return list
  end
  add(list, "URL alone", "a GET, or a body that is no form, signs the URL "
    .. "alone: set method or content_type", {})
  add(list, "query's parameters", "pass the body's parameters without the "
    .. "query's", without_query(fields, query))
  add(list, "line break added", "the body ends with a line break that was "
    .. "not delivered, as editors and echo add one", without_break(fields))
  for _, change in ipairs(VALUE_CHANGES) do
    add(list, change[1], change[2], mapped(fields, change[3]))
  end
  add_repeats(list, fields)
  add_empty(list, fields)
  add_trimmed(list, fields)
  return list
end

local OTHER_TOKEN = "another of your tokens signed this: the account's (or "
  .. "sub-account's) primary auth token is the one that signs"

local function cleaned(token)
  return ascii.trimmed(token, "%s\"'")
end

--- Tokens that may have signed; the values are tokens.
---@param tokens string[] given
---@param candidates string[]
---@return table[]
function M.tokens(tokens, candidates)
  local list = {}
  for _, token in ipairs(tokens) do
    list[#list + 1] = steps.none(token)
  end
  for i, token in ipairs(candidates) do
    list[#list + 1] = steps.one("token", OTHER_TOKEN .. " (number " .. i
      .. " of auth_tokens)", token)
  end
  for i = 1, #list do
    local token = cleaned(list[i].value)
    if token ~= list[i].value and token ~= "" then
      list[#list + 1] = steps.one("token", "the token has spaces or quotes "
        .. "around it that do not belong to it", token)
    end
  end
  return list
end

--- Texts the signature may have been, by text.
---@param signature string
---@return table<string, table>
function M.signatures(signature)
  local hint = "the X-Twilio-Signature header was altered: pass it on as it "
    .. "came"
  local list = {}
  for _, text in ipairs { trimmed(signature),
    (signature:gsub(" ", "+")), unescaped(signature), cleaned(signature) } do
    list[text] = steps.one("signature", hint, text)
  end
  list[signature] = steps.none(signature)
  return list
end

return M
