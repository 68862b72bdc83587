--- HTTP for any service: `flexhooks.http(url, { … })`.
--
-- A call suspends its task, or blocks outside of one, like every other call.
-- It goes out over the transport of whatever runs us.
-- @module flexhooks.http

local ascii = require "flexhooks.util.ascii"
local core = require "flexhooks.core"
local errors = require "flexhooks.error"
local expected = require "flexhooks.http.expect"
local transport_error = require "flexhooks.runtime.transport_error"
local runtime = require "flexhooks.runtime.current"
local json = require "flexhooks.json"
local options = require "flexhooks.util.options"
local refusal = require "flexhooks.router.refusal"
local retry_after = require "flexhooks.util.retry_after"
local tables = require "flexhooks.util.tables"
local url_of = require "flexhooks.url"

local M = {}

local FN = "flexhooks.http"

local OPTIONS = {
  method = { type = "string" },
  headers = { type = "table" },
  query = { type = "table" },
  body = { type = "string" },
  form = { type = "table" },
  json = { type = "any" },
  timeout = { type = "number", min = 0.001, max = 86400, default = 30 },
  connect_timeout = { type = "number", min = 0.001, max = 86400,
    default = 10 },
  max_response = { type = "integer", min = 0, max = 2 ^ 53,
    default = 4 * 1024 * 1024 },
  private_addresses = { type = "boolean", default = true },
  expect = { check = expected.complaint },
}

local transport -- made with the first request, shared by all

local function header_text(value)
  return type(value) == "string" and value
    or type(value) == "number" and ascii.digits(value) or nil
end

-- The texts of a header, as one or as a list; nil for what has none.
local function header_texts(value)
  if type(value) ~= "table" then
    return header_text(value)
  end
  local texts = {}
  for i, element in ipairs(value) do
    local text = header_text(element)
    if not text then
      return nil
    end
    texts[i] = text
  end
  return tables.is_list(value) and texts or nil
end

-- The headers as texts, in a table of their own; or nil and what is wrong.
local function read_headers(given)
  local headers = {}
  for name, value in pairs(given) do
    if type(name) ~= "string" then
      return nil, "headers must be a table of name = value"
    end
    headers[name] = header_texts(value)
    if not headers[name] then
      return nil, "header '" .. name .. "' must be a string, a finite number "
        .. "or a list of them, got " .. type(value)
    end
  end
  return headers
end

-- A header of the caller's own wins, however it is spelt.
local function add_default(headers, name, value)
  local wanted = ascii.lower(name)
  for given in next, headers do
    if #given == #wanted and ascii.lower(given) == wanted then
      return
    end
  end
  headers[name] = value
end

local function encode_form(form)
  local list, wrong = url_of.pairs(form)
  return list and core.encode_form(list), wrong
end

local ENCODERS = {
  { "form", encode_form, "application/x-www-form-urlencoded" },
  { "json", json.encode, "application/json" },
}

-- The body's bytes and their content type, or nil, nil and what is wrong.
local function encode_body(given)
  local body, content_type = given.body, nil
  for _, row in ipairs(ENCODERS) do
    local name, encode, kind = row[1], row[2], row[3]
    if given[name] ~= nil then
      if body then
        return nil, nil, "give one of body, form and json"
      end
      local text, wrong = encode(given[name])
      if not text then
        return nil, nil, name .. ": " .. wrong
      end
      body, content_type = text, kind
    end
  end
  return body, content_type
end

-- The request as a transport takes it, or nil and what is wrong.
local function compose(url, given)
  local headers, wrong = read_headers(given.headers or {})
  if not headers then
    return nil, wrong
  end
  local body, content_type, bad = encode_body(given)
  if bad then
    return nil, bad
  end
  if content_type then
    add_default(headers, "Content-Type", content_type)
  end
  add_default(headers, "User-Agent", "flexhooks")
  if given.query then
    local query, unknown = url_of.query(given.query)
    if not query then
      return nil, "query: " .. unknown
    end
    url = url_of.add_query(url, query)
  end
  return {
    method = ascii.upper(given.method or body and "POST" or "GET"),
    url = url, headers = headers, body = body,
    timeout = given.timeout, connect_timeout = given.connect_timeout,
    max_response = given.max_response,
    private_addresses = given.private_addresses,
  }
end

-- Returns the answer if its status is wanted, else the error that it is.
local function judge(request, answer, expect)
  local status = answer.status
  if not expect then
    if status >= 400 then
      refusal.note(answer)
    end
    return answer
  elseif expected.has(expect, status) then
    return answer
  end
  local err = transport_error.new(request, "http", "the service answered "
    .. "with status " .. status .. " instead of " .. expected.text(expect))
  err.status = status
  err.retry_after = retry_after.seconds(answer.headers["retry-after"],
    runtime.now())
  return nil, err
end

--- Sends one request and returns the answer: whatever its status, unless
-- `expect` says which are wanted. Redirects are not followed, cookies are not
-- kept, and the environment's proxies are not used.
---@param url string http or https, without credentials
---@param given table? `method` (GET, or POST where there is a body), `headers`
-- (name → value or list of values), `query` (name → value), one of `body`
-- (string), `form` (name → value) and `json` (any value), `timeout` (30 s in
-- all), `connect_timeout` (10 s), `max_response` (4 MiB), `private_addresses`
-- (false for a URL that a stranger may have chosen), `expect` (a class of
-- statuses, "2xx"; a status; or a list of them: any other is an error)
---@return { status: integer, headers: table<string, string>, body: string }?
---@return flexhooks.Error? err kind `http` for a status that `expect` does not
-- have, with `status`, and `retry_after` (seconds) where the service says so
function M.request(url, given)
  options.argument(FN, 1, { type = "string", required = true }, url)
  local checked = options.check(FN, OPTIONS, given)
  local request, wrong = compose(url, checked)
  if not request then
    errors.raise(2, FN .. ": " .. wrong)
  end
  transport = transport or runtime.transport {}
  local answer, err = transport:send(request)
  if not answer then
    return nil, err
  end
  return judge(request, answer, checked.expect)
end

return M
