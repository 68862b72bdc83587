--- flexhooks verify: does a signature match, and if not, why?
-- @module flexhooks.cli.verify

local errors = require "flexhooks.error"
local output = require "flexhooks.cli.output"
local secret_file = require "flexhooks.cli.secret_file"
local settings = require "flexhooks.cli.settings"
local signature = require "flexhooks.signature"

local M = {}

M.summary = "Check a signature, and say why it does not match."
M.example = [[
flexhooks verify --url https://company.com/flex/events --body request.txt \
   --signature 'nZyNMe4sFTtOhTzSd+vOXTzuYGA=']]

--- Adds the command's arguments to its parser.
function M.configure(parser)
  parser:option("--url", "The URL as registered, with the query of a GET.")
    :argname("URL"):count(1)
  parser:option("--signature", "What X-Twilio-Signature held.")
    :argname("TEXT"):count(1)
  parser:option("--signature-settings", "What "
    .. "X-Twilio-Webhooks-Signature-Settings held, if it came.")
    :argname("TEXT")
  parser:option("--body", "File that holds the body, byte for byte; - for "
    .. "standard input."):argname("FILE")
  parser:option("--method", "How it was delivered. Default: POST with a body, "
    .. "else GET."):choices({ "POST", "GET" })
  parser:option("--content-type", "The body's content type. Default: a form.")
    :argname("TYPE")
  parser:option("--also-url", "Another URL that may have been signed; repeat "
    .. "it for more. $FLEXHOOKS_PUBLIC_URL is one."):argname("URL"):count("*")
  parser:option("--also-host", "Another host, or host:port, that may have "
    .. "been signed."):argname("HOST"):count("*")
  parser:option("--also-token-file", "File that holds another auth token that "
    .. "may have signed."):argname("FILE"):count("*")
  parser:flag("--json", "Print JSON.")
  settings.configure_token(parser)
  settings.configure_shared_keys(parser)
  settings.configure_algorithm(parser)
end

local function read_body(path)
  if path == nil then
    return nil
  elseif path == "-" then
    return io.stdin:read("*a")
  end
  local file, why = io.open(path, "rb")
  local body = file and file:read("*a")
  if file then
    file:close()
  end
  if not body then
    return nil, errors.new("config", "cannot read --body: "
      .. (why or path .. " is not a file"))
  end
  return body
end

-- What else may have signed, or have been signed.
local function candidates(given)
  local found = { urls = given.also_url, hosts = given.also_host,
    auth_tokens = { settings.env "TWILIO_API_SECRET" } }
  local public = settings.env "FLEXHOOKS_PUBLIC_URL"
  if public and public ~= given.url then
    table.insert(found.urls, public)
  end
  for _, path in ipairs(given.also_token_file) do
    local token, err = secret_file.read("--also-token-file", path)
    if not token then
      return nil, err
    end
    table.insert(found.auth_tokens, token)
  end
  return found
end

local function explain(request, found, given)
  request.urls, request.hosts = found.urls, found.hosts
  request.auth_tokens = found.auth_tokens
  local report = signature.explain(request)
  if given.json then
    output.json { valid = false, matched = report.matched,
      variation = report.variation, advice = report.advice, url = report.url,
      tried = report.tried }
  else
    print(tostring(report))
  end
end

local function matched(given)
  if given.json then
    output.json { valid = true, matched = true }
  else
    print("The signature matches.")
  end
  return true
end

-- The auth token is asked for only if nothing else can have signed.
local function keys_of(given)
  local keys, err = settings.shared_keys(given)
  if not keys then
    return nil, nil, err
  elseif next(keys) ~= nil and not given.auth_token_file
    and not settings.env "TWILIO_AUTH_TOKEN" then
    return false, keys
  end
  local token
  token, err = settings.auth_token(given)
  return token, keys, err
end

local function request_of(given)
  local token, keys, err = keys_of(given)
  local body
  if not err then
    body, err = read_body(given.body)
  end
  if err then
    return nil, err
  end
  return {
    auth_token = token,
    shared_keys = keys,
    signature_settings = given.signature_settings,
    url = given.url,
    method = given.method or (body and "POST" or "GET"),
    body = body,
    content_type = given.content_type,
    signature = given.signature,
  }
end

--- Runs the command.
---@param given table the parsed arguments
---@return true? done
---@return flexhooks.Error? err
function M.run(given)
  local request, err = request_of(given)
  local found
  if request then
    found, err = candidates(given)
  end
  if not found then
    return nil, err
  end
  local valid, why = signature.validate(request)
  if valid then
    return matched(given)
  elseif why.reason == "url" then
    return nil, errors.new("argument", "option '--url': " .. why.message)
  end
  explain(request, found, given)
  return nil
end

return M
