--- A transport that answers from a list, for tests of code that calls the API.
--
--     local transport = testing.transport {
--       { status = 201, body = { ttid = "flex_interactionwebhook_01" } },
--       { status = 429, headers = { ["Retry-After"] = "1" } },
--       function(request) return { status = 200, body = "{}" } end,
--       { kind = "timeout" },                    -- fails, as a network would
--     }
--     local client = flexhooks.client { …, transport = transport }
--     transport.requests[1].headers.authorization     -- names in any case
-- @module flexhooks.testing.canned_transport

local ascii = require "flexhooks.util.ascii"
local errors = require "flexhooks.error"
local json = require "flexhooks.json"
local tables = require "flexhooks.util.tables"

local M = {}

---@class flexhooks.CannedTransport
---@field requests table[] what was sent, in order: method, url, headers, body,
--- timeout, connect_timeout
local Canned = { __name = "flexhooks.canned" }
Canned.__index = Canned

-- Headers that are found under any spelling of their names.
local Headers = { __name = "flexhooks.headers" }

function Headers.__index(headers, wanted)
  if type(wanted) ~= "string" then
    return nil
  end
  for name, value in next, headers do
    if ascii.lower(name) == ascii.lower(wanted) then
      return value
    end
  end
end

local function record(request)
  return tables.merged(request, {
    headers = setmetatable(tables.merged(request.headers), Headers),
  })
end

local function as_answer(given)
  if type(given.body) == "table" then
    return {
      status = given.status or 200,
      headers = given.headers or { ["content-type"] = "application/json" },
      body = assert(json.encode(given.body)),
    }
  end
  return {
    status = given.status or 200,
    headers = given.headers or {},
    body = given.body or "",
  }
end

--- Answers with the next entry of the list.
---@param request table
---@return table? response status, headers, body
---@return flexhooks.Error? err
function Canned:send(request)
  if getmetatable(self) ~= Canned then
    errors.raise(2, "transport.send is a method: call it with ':'")
  elseif type(request) ~= "table" then
    errors.raise(2, "transport:send: argument 1 must be a request, got "
      .. type(request))
  end
  self.requests[#self.requests + 1] = record(request)
  local given, err = self.answers[#self.requests], nil
  if type(given) == "function" then
    given, err = given(self.requests[#self.requests])
  end
  if given == nil then
    return nil, err or errors.new("closed",
      "the canned transport has no answer number " .. #self.requests)
  elseif errors.is(given) then
    return nil, given
  elseif given.kind then
    local message = given.message or "canned " .. given.kind
    return nil, errors.new(given.kind, message, given)
  end
  return as_answer(given)
end

local function check(answers)
  if type(answers) ~= "table" then
    return "answers must be a list, got " .. type(answers)
  end
  for i, given in ipairs(answers) do
    if type(given) ~= "table" and type(given) ~= "function" then
      return "answer " .. i .. " must be a table or a function, got "
        .. type(given)
    end
  end
end

--- Makes a transport of canned answers.
---@param answers table[] each `{ status = 200, headers = {}, body = text or a
--- table for JSON }`, or a function of the request that returns one (or nil,
--- err), or `{ kind =, message =, sent = }`: an error
---@return flexhooks.CannedTransport
function M.new(answers)
  local wrong = check(answers)
  if wrong then
    errors.raise(2, "testing.transport: " .. wrong)
  end
  return setmetatable({ answers = answers, requests = {} }, Canned)
end

return M
