--- flexhooks trigger: sends one signed event.
-- @module flexhooks.cli.trigger

local errors = require "flexhooks.error"
local output = require "flexhooks.cli.output"
local settings = require "flexhooks.cli.settings"

local M = {}

M.summary = "Send one signed event to a receiver."
M.example = [[
flexhooks trigger onParticipantJoined --url http://127.0.0.1:8080/flex/events \
   ParticipantType=agent MediaChannelType=sms]]

--- Adds the command's arguments to its parser.
function M.configure(parser)
  parser:argument("event", "The event's name.")
  parser:argument("fields", "Fields of the event."):argname("Field=value")
    :args("*")
  parser:option("--url", "Where to send it."):argname("URL"):count(1)
  parser:option("--signed-url", "The URL to sign, where the receiver is "
    .. "behind a proxy. Default: $FLEXHOOKS_PUBLIC_URL where its path is the "
    .. "same, else the one to send to."):argname("URL")
  parser:option("--method", "How to deliver it.")
    :choices({ "POST", "GET" })
  settings.configure_token(parser)
end

local function parse_fields(words)
  local fields = {}
  for _, word in ipairs(words) do
    local name, value = word:match("^([^=]+)=(.*)$")
    if not name then
      return nil, errors.new("argument",
        "'" .. word .. "' is not of the form Field=value")
    end
    fields[name] = value
  end
  return fields
end

local function path_of(url)
  return url:match("^%a+://[^/?#]*([^?#]*)")
end

-- A receiver behind a proxy has another address here than where Twilio sends
-- to, and the latter is what is signed.
local function url_to_sign(given)
  local public = settings.env("FLEXHOOKS_PUBLIC_URL")
  if given.signed_url then
    return given.signed_url
  elseif public and public ~= given.url
    and path_of(public) == path_of(given.url) then
    output.say("signed for %s ($FLEXHOOKS_PUBLIC_URL)", public)
    return public
  end
  return given.url
end

-- Where the request is sent; a target's query is the signed one.
local function address(request, url)
  if request.method == "GET" then
    return url:gsub("[?#].*$", "") .. request.target:match("%?.*$")
  end
  return (url:gsub("#.*$", ""))
end

local function answered(response)
  io.stdout:write(response.status, " ", response.body, "\n")
  if response.status < 300 then
    return true
  elseif response.status == 403 then
    output.say("The receiver refused the signature: check that it has this "
      .. "auth token, and takes this URL for its own.")
  end
end

--- Runs the command.
---@param given table the parsed arguments
---@return true? done
---@return flexhooks.Error? err
function M.run(given)
  local flexhooks, testing = require "flexhooks", require "flexhooks.testing"
  local token, err = settings.auth_token(given)
  local fields
  if token then
    fields, err = parse_fields(given.fields)
  end
  if not fields then
    return nil, err
  end
  fields.AccountSid = fields.AccountSid or settings.env("TWILIO_ACCOUNT_SID")
  local request = testing.request(testing.event(given.event, fields), {
    auth_token = token,
    url = url_to_sign(given),
    method = given.method,
  })
  local response
  response, err = flexhooks.http(address(request, given.url), {
    method = request.method,
    headers = request.headers,
    body = request.body,
  })
  if not response then
    return nil, err
  end
  return answered(response)
end

return M
