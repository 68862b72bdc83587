--- Where commands take credentials from: the environment or a file, never the
-- arguments, which every user of the machine can read.
-- @module flexhooks.cli.settings

local errors = require "flexhooks.error"

local M = {}

--- Adds the options that every command with credentials has.
function M.configure(parser)
  parser:option("--auth-token-file",
    "File that holds the auth token. Default: $TWILIO_AUTH_TOKEN.")
    :argname("FILE")
end

local function read(path)
  local file, why = io.open(path, "rb")
  local text = file and file:read("*a")
  if file then
    file:close()
  end
  if not text then
    return nil, errors.new("config", "cannot read --auth-token-file: "
      .. (why or path .. " is not a file"))
  end
  return text
end

--- A variable of the environment; an empty one counts as absent.
---@return string?
function M.env(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

--- The auth token, or nil and an error of kind `config`.
---@param given table the parsed arguments
---@return string?
---@return flexhooks.Error?
function M.auth_token(given)
  local token = M.env("TWILIO_AUTH_TOKEN")
  if given.auth_token_file then
    local text, err = read(given.auth_token_file)
    if not text then
      return nil, err
    end
    token = text:match("^%s*(%S+)%s*$")
  end
  if not token then
    return nil, errors.new("config",
      "no auth token: set TWILIO_AUTH_TOKEN, or name a file that holds it "
      .. "with --auth-token-file")
  end
  return token
end

--- The queue's URL that was asked for, or nil; an error where it shows a
-- password.
---@return string? url
---@return flexhooks.Error? err of kind `config`
function M.queue(given)
  if given.queue and given.queue:match "^%a+://[^/]*:[^/]*@" then
    return nil, errors.new("config", "--queue shows a password to every user "
      .. "of the machine: set FLEXHOOKS_QUEUE instead")
  end
  return given.queue or M.env "FLEXHOOKS_QUEUE"
end

--- An API client on the environment's account.
---@return flexhooks.Client?
---@return flexhooks.Error?
function M.client(given)
  local flexhooks = require "flexhooks"
  if not given.auth_token_file then
    return flexhooks.client()
  end
  local token, err = M.auth_token(given)
  if not token then
    return nil, err
  end
  return flexhooks.client {
    account_sid = M.env("TWILIO_ACCOUNT_SID"),
    auth_token = token,
  }
end

return M
