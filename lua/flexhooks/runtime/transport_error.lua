--- The error of a request that came to nothing.
-- @module flexhooks.runtime.transport_error

local errors = require "flexhooks.error"

local M = {}

--- An error with the request's method and URL, less what may be secret.
---@param request table `method`, `url`
---@param kind string one of the documented kinds
---@param message string
---@param sent boolean? false where nothing of the request can have left
---@return flexhooks.Error
function M.new(request, kind, message, sent)
  local url = request.url:gsub("[?#].*", ""):gsub("^(%a+://)[^/]*@", "%1")
  return errors.new(kind, message,
    { method = request.method, url = url, sent = sent })
end

return M
