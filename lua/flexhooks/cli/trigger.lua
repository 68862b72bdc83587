--- flexhooks trigger: sends one signed event.
-- @module flexhooks.cli.trigger

local errors = require "flexhooks.error"
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
    .. "behind a proxy. Default: the one to send to."):argname("URL")
  parser:option("--method", "How to deliver it.")
    :choices({ "POST", "GET" })
  settings.configure(parser)
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

-- The signed request, at the address it is sent to.
local function aim(request, url)
  local query = request.method == "GET" and request.target:match("%?(.*)$")
  if not query then
    return url
  end
  -- The query of the signed URL is part of the target already.
  return url:gsub("[?#].*$", "") .. "?" .. query
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
  local request = testing.request(testing.event(given.event, fields), {
    auth_token = token,
    url = given.signed_url or given.url,
    method = given.method,
  })
  local response
  response, err = flexhooks.http(aim(request, given.url), {
    method = request.method,
    headers = request.headers,
    body = request.body,
  })
  if not response then
    return nil, err
  end
  io.stdout:write(response.status, " ", response.body, "\n")
  return response.status < 300 or nil
end

return M
