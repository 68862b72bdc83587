--- Shared keys as they are configured: a table, the environment or a file.
-- No message holds a secret.
-- @module flexhooks.signature.shared_keys

local core = require "flexhooks.core"
local settings_header = require "flexhooks.signature.settings_header"

local M = {}

--- The variable of the environment: `id=secret`, several separated by spaces.
M.VARIABLE = "FLEXHOOKS_SHARED_KEYS"

local MAX_FILE = 64 * 1024
local MAX_SECRET = 4096
local BOM = "\239\187\191"

---@class flexhooks.SharedKey
---@field secret string
---@field algorithm string

local ID_SHAPE = "an id is webhooks_sharedkey_ and 1 to 64 letters, digits "
  .. "and underscores"

local function secret_complaint(secret)
  if type(secret) ~= "string" then
    return "must have a string as secret, got " .. type(secret)
  elseif secret == "" then
    return "must have a secret that is not empty"
  elseif #secret > MAX_SECRET then
    return "must have a secret of at most " .. MAX_SECRET .. " bytes"
  end
end

local KNOWN = { secret = true, algorithm = true }

local function table_complaint(given)
  for name in pairs(given) do
    if not KNOWN[name] then
      return "must have 'secret' and 'algorithm' alone, has '"
        .. tostring(name) .. "'"
    end
  end
  local algorithm = given.algorithm
  if algorithm ~= nil and (type(algorithm) ~= "string"
    or not settings_header.algorithm(algorithm)) then
    return "must have HMAC_SHA256 or HMAC_SHA1 as algorithm"
  end
end

--- Returns the shared key that a configured value stands for: a secret, or a
-- table with `secret` and `algorithm`; or nil and a complaint.
---@param given any
---@return flexhooks.SharedKey?
---@return string? complaint
function M.key(given)
  local key = given
  if type(given) == "table" then
    local wrong = table_complaint(given)
    if wrong then
      return nil, wrong
    end
  elseif type(given) == "string" then
    key = { secret = given }
  else
    return nil, "must be a secret or a table with one, got " .. type(given)
  end
  local wrong = secret_complaint(key.secret)
  if wrong then
    return nil, wrong
  end
  return { secret = key.secret, algorithm = key.algorithm
    and settings_header.algorithm(key.algorithm) or settings_header.SHA256 }
end

--- Returns the keys of a table id -> secret or { secret, algorithm }; or nil
-- and a complaint.
---@param given table
---@return table<string, flexhooks.SharedKey>?
---@return string? complaint
function M.of_table(given)
  local keys = {}
  for id, value in pairs(given) do
    if not settings_header.is_id(id) then
      return nil, "has a name that is not the id of a shared key: "
        .. ID_SHAPE
    end
    local key, wrong = M.key(value)
    if not key then
      return nil, "['" .. id .. "'] " .. wrong
    end
    keys[id] = key
  end
  return keys
end

--- Returns the key of the options `shared_key`, `shared_key_id` and
-- `algorithm` by its id, or nothing if none is given; or nil and a complaint.
---@param options table
---@return table<string, flexhooks.SharedKey>?
---@return string? complaint that begins with "option"
function M.of_options(options)
  local id, secret = options.shared_key_id, options.shared_key
  if id == nil and secret == nil and options.algorithm == nil then
    return {}
  elseif id == nil or secret == nil then
    return nil, ("option '%s' is missing: a shared key has an id and a secret")
      :format(secret == nil and "shared_key" or "shared_key_id")
  end
  local keys, wrong = M.of_table { [id] = {
    secret = secret, algorithm = options.algorithm } }
  return keys, wrong and "option 'shared_key' " .. wrong
end

-- Adds `id=secret` to the keys, or returns a complaint.
local function add(keys, text)
  local id, secret = text:match "^([^=]*)=(.*)$"
  if not id then
    return "is not id=secret"
  elseif not settings_header.is_id(id) then
    return "does not begin with the id of a shared key: " .. ID_SHAPE
  elseif keys[id] then
    return "names " .. id .. " again"
  end
  local key, wrong = M.key(secret)
  keys[id] = key
  return wrong and id .. " " .. wrong
end

--- Returns the keys of the environment's text; or nil and a complaint.
---@param text string
---@return table<string, flexhooks.SharedKey>?
---@return string? complaint
function M.of_text(text)
  local keys, number = {}, 0
  for word in text:gmatch "%S+" do
    number = number + 1
    local wrong = add(keys, word)
    if wrong then
      return nil, ("word %d %s; a secret with white space needs a file")
        :format(number, wrong)
    end
  end
  return keys
end

local function keys_of_lines(text)
  local keys, number = {}, 0
  for line in (text .. "\n"):gmatch "(.-)\r?\n" do
    number = number + 1
    local wrong = line:find "%S" and add(keys, line)
    if wrong then
      return nil, ("line %d %s"):format(number, wrong)
    end
  end
  if next(keys) == nil then
    return nil, "holds no keys"
  end
  return keys
end

--- Returns the keys of a file with `id=secret` on each line; or nil and a
-- complaint that names the file. Others than its owner must not have access.
---@param path string
---@return table<string, flexhooks.SharedKey>?
---@return string? complaint
function M.of_file(path)
  local text, mode = core.read_file(path, MAX_FILE + 1)
  if not text then
    return nil, "cannot be read: " .. mode
  elseif mode % 64 ~= 0 then
    return nil, path .. " is open to others than its owner: chmod 600 "
      .. path
  elseif #text > MAX_FILE then
    return nil, path .. " is larger than 64 KiB"
  end
  local keys, wrong = keys_of_lines((text:gsub("^" .. BOM, "")))
  return keys, wrong and path .. " " .. wrong
end

local function environment()
  local text = os.getenv(M.VARIABLE)
  return text ~= "" and text or nil
end

--- Returns the keys that settings ask for: of `shared_keys` or
-- `shared_keys_file`, else of the environment; or nil and a complaint. A
-- function that knows keys is returned as it is.
---@param settings { shared_keys: table|function|nil,
--- shared_keys_file: string? }
---@return table<string, flexhooks.SharedKey>|function|nil
---@return string? complaint that names the option or the variable
function M.find(settings)
  local given, path = settings.shared_keys, settings.shared_keys_file
  local keys, wrong
  if given ~= nil and path ~= nil then
    return nil, "give shared_keys or shared_keys_file, not both"
  elseif type(given) == "function" then
    return given
  elseif given ~= nil then
    keys, wrong = M.of_table(given)
    return keys, wrong and "option 'shared_keys' " .. wrong
  elseif path ~= nil then
    keys, wrong = M.of_file(path)
    return keys, wrong and "option 'shared_keys_file': " .. wrong
  end
  keys, wrong = M.of_text(environment() or "")
  return keys, wrong and M.VARIABLE .. ": " .. wrong
end

return M
