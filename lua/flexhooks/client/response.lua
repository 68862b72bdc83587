--- What an answer says: its body, or the error that it stands for.
-- @module flexhooks.client.response

local ascii = require "flexhooks.util.ascii"
local errors = require "flexhooks.error"
local json = require "flexhooks.json"
local retry = require "flexhooks.client.retry"
local retry_after = require "flexhooks.util.retry_after"

local M = {}

local KINDS = { [401] = "auth", [403] = "auth", [404] = "not_found",
  [429] = "rate_limited" }

-- Characters of a text that is not JSON to show in a message.
local EXCERPT = 200

-- Bytes of a message that was meant to be one.
local MESSAGE = 1000

-- What we asked for may nest and name as it likes; max_response caps it.
local LIMITS = { depth = 100, name = 8192 }

local function is_answer(given)
  return type(given) == "table" and type(given.status) == "number"
    and type(given.body or "") == "string"
    and type(given.headers or {}) == "table"
end

--- Brings what a transport returned into one form, or says what is wrong.
---@param given any
---@param max_response integer bytes
---@param exact boolean? it has that form, and is nobody else's
---@return table? answer status, headers (lower-case names), body
---@return flexhooks.Error? err
function M.normalize(given, max_response, exact)
  if not exact and not is_answer(given) then
    return nil, errors.new("protocol", "the transport's answer is not "
      .. "{ status = number, headers = table, body = string }")
  end
  local body = given.body or ""
  if #body > max_response then
    return nil, errors.new("too_large", "the answer is longer than "
      .. "max_response (" .. max_response .. " bytes)")
  elseif exact then
    return given
  end
  local headers = {}
  for name, value in pairs(given.headers or {}) do
    headers[ascii.lower(tostring(name))] = value
  end
  return { status = given.status, headers = headers, body = body }
end

local function header(answer, name)
  local value = answer.headers[name]
  if type(value) == "table" then
    value = value[1]
  end
  return type(value) == "string" and value or nil
end

-- By its type; where it has none, by how it begins.
local function says_json(answer)
  local content_type = header(answer, "content-type")
  if content_type then
    return ascii.lower(content_type):find "^%s*[%w.+/-]*json" ~= nil
  end
  return answer.body:find "^%s*[{%[]" ~= nil
end

--- The body as a value: a table of JSON, a text of anything else. No content
-- is the empty text.
---@param answer table
---@param must_be_json boolean?
---@return any body
---@return flexhooks.Error? err
function M.body(answer, must_be_json)
  if not must_be_json and (answer.body == "" or not says_json(answer)) then
    return answer.body
  end
  local value, wrong = json.decode(answer.body, LIMITS)
  if value == nil then
    return nil, errors.new("protocol", "the answer is not JSON: " .. wrong)
  end
  return value
end

--- Is a field of the answer's object null? Decoding makes no difference
-- between null and absent.
---@param answer table
---@param name string
---@return boolean
function M.is_null(answer, name)
  if not answer.body:find("null", 1, true) then
    return false
  end
  local object = json.decode(answer.body,
    { depth = LIMITS.depth, name = LIMITS.name, keep_null = true })
  return type(object) == "table" and object[name] == json.null
end

-- The beginning of a text that is longer than `most` bytes.
local function shortened(text, most)
  if #text > most then
    text = text:sub(1, most):gsub("[\192-\255][\128-\191]*$", "") .. "..."
  end
  return text
end

-- A page that some proxy made, as one short line.
local function excerpt(text)
  local title = text:match "<[Tt][Ii][Tt][Ll][Ee]>%s*([^<]+)"
  text = title or text:sub(1, 4096):gsub("<[^>]*>", " ")
  text = text:gsub("[%s%c]+", " "):match "^ ?(.-) ?$"
  return shortened(text, EXCERPT)
end

local function text(value)
  return type(value) == "string" and value ~= "" and value or nil
end

-- The three shapes that Twilio's errors have: its own, RFC 9457, and the one
-- with httpStatusCode.
local function describe(body)
  local title, detail = text(body.title), text(body.detail)
  local message = text(body.message)
    or title and detail and title .. ": " .. detail or title or detail
    or text(body.error_description) or text(body.error)
  local code, link = tonumber(body.code), title and text(body.type)
  return message and shortened(message, MESSAGE), {
    code = code and code % 1 == 0 and code or nil,
    more_info = text(body.more_info)
      or link and link:find "^https?://" and link or nil,
    details = body.details or body.errors or body.params,
  }
end

local function redirected(answer)
  return errors.new("redirect", "the server answered with a redirect (status "
    .. answer.status .. "), which is never followed: check base_url",
    { status = answer.status })
end

--- The error that an answer stands for, or nil for a success.
---@param answer table
---@param now number Unix seconds
---@return flexhooks.Error?
function M.error(answer, now)
  local status = answer.status
  if status >= 200 and status < 300 then
    return nil
  end
  local err
  if status >= 300 and status < 400 then
    err = redirected(answer)
  elseif status < 400 or status > 599 then
    err = errors.new("protocol", "the server answered with status "
      .. tostring(status))
  else
    local body = json.decode(answer.body, LIMITS)
    local message, fields
    if type(body) == "table" then
      message, fields = describe(body)
    else
      message, fields = text(excerpt(answer.body)), {}
    end
    fields.status = status
    fields.retry_after = retry_after.seconds(header(answer, "retry-after"),
      now)
    err = errors.new(KINDS[status] or "http",
      message or "the server answered with status " .. status, fields)
  end
  err.request_id = header(answer, "twilio-request-id")
  return err
end

--- Adds to an error about an answer's content which request it answered. Where
-- that was no reading request, it has probably taken effect.
---@param err flexhooks.Error
---@param request table method, url, redact
---@param answer table
---@return flexhooks.Error err
function M.blame(err, request, answer)
  err.method, err.url = request.method, request.url
  err.status = answer.status
  err.request_id = request.redact(answer.request_id)
  err.attempts = answer.attempts
  err.maybe_applied = not retry.repeatable(request.method) or nil
  return err
end

--- Twilio's id of the request that this answers.
---@return string?
function M.request_id(answer)
  return header(answer, "twilio-request-id")
end

return M
