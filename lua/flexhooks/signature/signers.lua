--- Keys that may have signed a delivery instead of the one that was chosen:
-- other tokens, other shared keys, the other algorithm, and those that the
-- settings header named before it was changed on the way.
--
-- The value of a variation is { secret, algorithm }.
-- @module flexhooks.signature.signers

local ascii = require "flexhooks.util.ascii"
local settings_header = require "flexhooks.signature.settings_header"
local steps = require "flexhooks.signature.steps"
local tables = require "flexhooks.util.tables"
local values = require "flexhooks.signature.values"

local M = {}

local SHA1, SHA256 = settings_header.SHA1, settings_header.SHA256
local OTHER = { [SHA1] = SHA256, [SHA256] = SHA1 }
local HEADER = settings_header.NAME

local function header_step(hint)
  return { "settings header", hint }
end

local function algorithm_step(hint)
  return { "algorithm", hint }
end

-- Appends a variation with these steps, each { name, hint }.
local function add(list, secret, algorithm, ...)
  local variation = steps.none { secret = secret, algorithm = algorithm }
  for _, step in ipairs { ... } do
    table.insert(variation.names, step[1])
    table.insert(variation.hints, step[2])
  end
  list[#list + 1] = variation
end

local function add_tokens(list, read, candidates)
  for _, variation in ipairs(values.tokens(read.tokens, candidates)) do
    if read.settings then
      table.insert(variation.names, 1, "settings header")
      table.insert(variation.hints, 1, "an auth token signed this, and Twilio "
        .. "sends no " .. HEADER .. " then: something adds the header")
    end
    variation.value = { secret = variation.value, algorithm = SHA1 }
    list[#list + 1] = variation
  end
end

local function signed_by(id)
  return "the shared key " .. id .. " signed this"
end

-- Returns the step to a key if no header, or none that can be read, names one.
local function unnamed(read, id, key)
  local sent = HEADER .. ": " .. settings_header.write(id, key.algorithm)
  if read.settings then
    return header_step("the settings header cannot be read; " .. signed_by(id)
      .. ", with which Twilio sends " .. sent)
  end
  return header_step(signed_by(id) .. ", and the header that says so is "
    .. "missing: let proxies and your server pass on " .. sent)
end

-- Appends the key that the header names; both may have another algorithm.
local function add_named(list, id, key, algorithm)
  local own, other = key.algorithm, OTHER[key.algorithm]
  if algorithm == own then
    add(list, key.secret, own)
    add(list, key.secret, other, algorithm_step(signed_by(id) .. " with "
      .. other .. ", while header and configuration say " .. own .. ": "
      .. "configure the algorithm of the Setting at Twilio, and let nothing "
      .. "rewrite " .. HEADER))
    return
  end
  add(list, key.secret, own, header_step("the header does not say " .. own
    .. ", with which " .. id .. " is configured and signed this: something "
    .. "rewrites " .. HEADER))
  add(list, key.secret, other, algorithm_step("configure " .. id .. " with "
    .. "algorithm = \"" .. other .. "\", with which it signed this"))
end

-- Returns the step to a key while the header names another.
local function other_key(id, named, is_configured)
  local what = signed_by(id) .. ", while the header names " .. named
  if is_configured then
    return { "shared key", what .. ": are their secrets exchanged? Or "
      .. "something rewrites " .. HEADER }
  end
  return header_step(what .. ", which is not configured here: something "
    .. "rewrites " .. HEADER .. ", or one key has two names")
end

local function add_other(list, id, key, step)
  add(list, key.secret, key.algorithm, step)
  add(list, key.secret, OTHER[key.algorithm], step, algorithm_step(
    signed_by(id) .. " with " .. OTHER[key.algorithm] .. ": configure that"))
end

-- Appends the secrets without the blanks and quotes that editors and shells
-- put around them.
local function add_cleaned(list)
  for i = 1, #list do
    local value = list[i].value
    local clean = ascii.trimmed(value.secret, "%s\"'")
    if clean ~= value.secret and clean ~= "" then
      local copy = steps.product({ list[i] }, { steps.one("shared key",
        "the secret has spaces or quotes around it that do not belong to it",
        clean) }, function(from, secret)
          return { secret = secret, algorithm = from.algorithm }
        end)
      list[#list + 1] = copy[1]
    end
  end
end

local function add_shared(list, read)
  local named, algorithm, beside
  if read.settings then
    named, algorithm, beside = settings_header.read(read.settings)
    named = named or beside
  end
  for _, id in ipairs(tables.sorted_keys(read.shared)) do
    local key = read.shared[id]
    if id == named then
      add_named(list, id, key, algorithm)
    elseif named then
      add_other(list, id, key, other_key(id, named, read.shared[named]))
    else
      add_other(list, id, key, unnamed(read, id, key))
    end
  end
end

--- Returns the keys that may have signed.
---@param read flexhooks.signature.Delivery
---@param candidates string[] further auth tokens
---@return table[]
function M.list(read, candidates)
  local list, shared = {}, {}
  add_tokens(list, read, candidates)
  add_shared(shared, read)
  add_cleaned(shared)
  for _, variation in ipairs(shared) do
    list[#list + 1] = variation
  end
  return list
end

return M
