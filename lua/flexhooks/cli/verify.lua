--- flexhooks verify: does a signature match, and if not, why?
-- @module flexhooks.cli.verify

local errors = require "flexhooks.error"
local settings = require "flexhooks.cli.settings"

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
  parser:option("--body", "File that holds the body, byte for byte; - for "
    .. "standard input."):argname("FILE")
  parser:option("--method", "How it was delivered. Default: POST with a body, "
    .. "else GET."):choices({ "POST", "GET" })
  parser:option("--content-type", "The body's content type. Default: a form.")
    :argname("TYPE")
  settings.configure_token(parser)
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

--- Runs the command.
---@param given table the parsed arguments
---@return true? done
---@return flexhooks.Error? err
function M.run(given)
  local signature = require "flexhooks.signature"
  local token, err = settings.auth_token(given)
  local body
  if token then
    body, err = read_body(given.body)
  end
  if err then
    return nil, err
  end
  local request = {
    auth_token = token,
    url = given.url,
    method = given.method or (body and "POST" or "GET"),
    body = body,
    content_type = given.content_type,
    signature = given.signature,
  }
  local valid, why = signature.validate(request)
  if valid then
    print("The signature matches.")
    return true
  elseif why.reason == "url" then
    return nil, errors.new("argument", "option '--url': " .. why.message)
  end
  print(tostring(signature.explain(request)))
  return nil
end

return M
