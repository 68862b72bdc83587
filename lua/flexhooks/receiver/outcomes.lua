--- The answers: one status, body and kind of error for each outcome. They are
-- constants, so they cannot echo what was sent.
-- @module flexhooks.receiver.outcomes

local tables = require "flexhooks.util.tables"

local M = {}

local JSON = { ["content-type"] = "application/json" }

local function answer(status, kind, message)
  return {
    status = status, kind = kind, message = message,
    headers = JSON,
    body = kind and ('{"error":"%s"}'):format(kind) or "{}",
  }
end

M.ok = answer(200)
M.bad_escape = answer(400, "malformed", "the path cannot be decoded")
M.malformed = answer(400, "malformed", "the request cannot be read")
M.forbidden = answer(403, "signature", "the request is not signed for us")
M.not_found = answer(404, "not_found", "no webhook is received at this path")
M.method = answer(405, "unsupported", "the method is not allowed here")
M.too_large = answer(413, "too_large", "a part of the request is too large")
M.media_type = answer(415, "unsupported",
  "the content type must be a form or JSON in UTF-8, not encoded")
M.failed = answer(500, "handler", "the event could not be handled")
M.unavailable = answer(503, "queue", "the event cannot be taken now")
M.unavailable.headers = {
  ["content-type"] = "application/json", ["retry-after"] = "5",
}

--- The answer to a method that is not allowed.
---@param methods string[]
---@return table answer
function M.allowing(methods)
  return tables.merged(M.method, { headers = {
    ["content-type"] = "application/json",
    allow = table.concat(methods, ", "),
  } })
end

return M
