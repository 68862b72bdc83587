--- Where commands take credentials from: the environment, a file, or a person
-- at the terminal; never the arguments, which every user of the machine can
-- read.
-- @module flexhooks.cli.settings

local prompt = require "flexhooks.cli.prompt"
local errors = require "flexhooks.error"
local output = require "flexhooks.cli.output"
local secret_file = require "flexhooks.cli.secret_file"
local shared_keys = require "flexhooks.signature.shared_keys"

local M = {}

--- Adds the options of every command that signs or verifies.
function M.configure_token(parser)
  parser:option("--auth-token-file",
    "File that holds the auth token. Default: $TWILIO_AUTH_TOKEN.")
    :argname("FILE")
end

--- Adds the option of every command that signs or verifies with shared keys.
function M.configure_shared_keys(parser)
  parser:option("--shared-keys-file", "File of shared keys, id=secret on each "
    .. "line, open to its owner alone. Default: $FLEXHOOKS_SHARED_KEYS.")
    :argname("FILE")
end

--- Adds the options of every command that may sign with a shared key.
function M.configure_signer(parser)
  M.configure_token(parser)
  M.configure_shared_keys(parser)
  parser:option("--shared-key", "Id of the shared key that signs. Default: "
    .. "the auth token signs; if there is none, the only shared key.")
    :argname("ID")
  M.configure_algorithm(parser)
end

--- Adds the option for the algorithm of shared keys that come from a file or
-- the environment.
function M.configure_algorithm(parser)
  parser:option("--algorithm", "Algorithm of the shared keys. Default: "
    .. "HMAC_SHA256."):choices({ "HMAC_SHA256", "HMAC_SHA1" })
end

--- Adds the options of every command that calls the API.
function M.configure(parser)
  M.configure_token(parser)
  parser:option("--api-secret-file", "File that holds the secret of the API "
    .. "key $TWILIO_API_KEY. Default: $TWILIO_API_SECRET."):argname("FILE")
end

--- Reads the number of an option, for argparse's `convert`.
---@param option string as it is written
---@return fun(text: string): number?, string?
function M.number(option)
  return function(text)
    local number = tonumber(text)
    if not number then
      return nil, option .. " takes a number, not '" .. text .. "'"
    end
    return number
  end
end

--- A variable of the environment; an empty one counts as absent.
---@return string?
function M.env(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

local NO_TOKEN = "no auth token: set TWILIO_AUTH_TOKEN, or name a file that "
  .. "holds it with --auth-token-file"

local function ask_for_token()
  if not prompt.possible() then
    return nil, errors.new("config", NO_TOKEN)
  end
  local account = M.env "TWILIO_ACCOUNT_SID"
  return prompt.secret("Auth token" .. (account and " of " .. account or "")
    .. " (not shown): ")
end

--- The auth token, or nil and an error of kind `config`.
---@param given table the parsed arguments
---@return string?
---@return flexhooks.Error?
function M.auth_token(given)
  if given.auth_token_file then
    return secret_file.read("--auth-token-file", given.auth_token_file)
  end
  local token = M.env "TWILIO_AUTH_TOKEN"
  if token then
    return token
  end
  return ask_for_token()
end

--- Returns the shared keys of the file, else of the environment, by id; or nil
-- and an error of kind `config`.
---@param given table the parsed arguments
---@return table<string, flexhooks.SharedKey>?
---@return flexhooks.Error?
function M.shared_keys(given)
  local keys, wrong
  if given.shared_keys_file then
    keys, wrong = shared_keys.of_file(given.shared_keys_file)
    wrong = wrong and "--shared-keys-file: " .. wrong
  else
    keys, wrong = shared_keys.find {}
  end
  if not keys then
    return nil, errors.new("config", wrong)
  end
  for _, key in pairs(keys) do
    key.algorithm = given.algorithm or key.algorithm
  end
  return keys
end

-- Returns the id that was asked for, or the only one; nil if none was asked
-- for and there are none.
local function choose_key(given, keys)
  local id = given.shared_key
  if id and not keys[id] then
    return nil, errors.new("config", "there is no shared key " .. id .. ": "
      .. "set FLEXHOOKS_SHARED_KEYS, or name a file that holds it with "
      .. "--shared-keys-file")
  end
  local first = id or next(keys)
  if first and not id and next(keys, first) then
    return nil, errors.new("config", "there are several shared keys: choose "
      .. "one with --shared-key")
  end
  return first
end

local function by_token(given)
  local token, err = M.auth_token(given)
  return token and { auth_token = token }, err
end

--- Returns the key that signs, as `testing.request` takes it; or nil and an
-- error of kind `config`.
---@param given table the parsed arguments
---@return { auth_token: string? }|{ shared_key: string, shared_key_id: string,
--- algorithm: string }|nil
---@return flexhooks.Error?
function M.signer(given)
  local asked = given.shared_key or given.shared_keys_file
  if not asked and (given.auth_token_file or M.env "TWILIO_AUTH_TOKEN") then
    return by_token(given)
  end
  local keys, err = M.shared_keys(given)
  local id
  if keys then
    id, err = choose_key(given, keys)
  end
  if err then
    return nil, err
  elseif not id then
    return by_token(given)
  elseif not asked then
    output.say("signed with %s ($%s)", id, shared_keys.VARIABLE)
  end
  return { shared_key_id = id, shared_key = keys[id].secret,
    algorithm = keys[id].algorithm }
end

-- The file's secret belongs to the environment's API key.
local function api_key(given)
  local key = M.env "TWILIO_API_KEY"
  if not key then
    return nil, errors.new("config", "--api-secret-file needs TWILIO_API_KEY, "
      .. "the key that the secret is of")
  end
  local secret, err = secret_file.read("--api-secret-file",
    given.api_secret_file)
  if not secret then
    return nil, err
  end
  return { api_key = key, api_secret = secret }
end

local NO_CREDENTIALS = "no credentials: set TWILIO_ACCOUNT_SID and "
  .. "TWILIO_AUTH_TOKEN (or TWILIO_API_KEY and TWILIO_API_SECRET), or name a "
  .. "file that holds the secret with --auth-token-file or --api-secret-file"

-- Options of a client; none where it finds all it needs in the environment.
local function credentials(given)
  if given.api_secret_file then
    return api_key(given)
  elseif not given.auth_token_file and (M.env "TWILIO_AUTH_TOKEN"
    or M.env "TWILIO_API_KEY" and M.env "TWILIO_API_SECRET") then
    return {}
  elseif given.auth_token_file
    or M.env "TWILIO_ACCOUNT_SID" and prompt.possible() then
    local token, err = M.auth_token(given)
    return token and { auth_token = token }, err
  end
  return nil, errors.new("config", NO_CREDENTIALS)
end

--- The queue's URL that was typed, or nil; an error where it shows a password.
---@return string? url
---@return flexhooks.Error? err of kind `config`
function M.typed_queue(given)
  if given.queue and given.queue:match "^%a+://[^/]*:[^/]*@" then
    return nil, errors.new("config", "--queue shows a password to every user "
      .. "of the machine: set FLEXHOOKS_QUEUE instead")
  end
  return given.queue
end

--- An error where no other process could see the queue of this name.
---@param name string its URL
---@return flexhooks.Error? err of kind `config`
function M.unshared(name)
  return name:lower():find "^memory:" and errors.new("config", "a queue in "
    .. "memory is its process's own: flexhooks serve handles what it stores "
    .. "there; nobody else sees it") or nil
end

--- The queue's URL that was asked for, or nil; an error where it shows a
-- password, or where no other process could see the queue.
---@return string? url
---@return flexhooks.Error? err of kind `config`
function M.queue(given)
  local url, err = M.typed_queue(given)
  url = not err and (url or M.env "FLEXHOOKS_QUEUE") or nil
  err = err or url and M.unshared(url)
  if err then
    return nil, err
  end
  return url
end

--- An API client on the environment's account.
---@param given table the parsed arguments
---@return flexhooks.Client?
---@return flexhooks.Error?
function M.client(given)
  local options, err = credentials(given)
  if not options then
    return nil, err
  end
  if next(options) then
    options.account_sid = M.env "TWILIO_ACCOUNT_SID"
    options.instance_sid = M.env "FLEX_INSTANCE_SID"
  end
  return require("flexhooks").client(options)
end

return M
