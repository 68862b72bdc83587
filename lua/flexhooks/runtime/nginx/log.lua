--- The logger inside nginx: `ngx.log`, which adds the request's context.
-- @module flexhooks.runtime.nginx.log

local log = require "flexhooks.log"

local M = {}

local LEVELS = { debug = ngx.DEBUG, info = ngx.INFO, warn = ngx.WARN,
  error = ngx.ERR }

-- nginx cuts its lines at 2048 bytes without a mark, the time before ours and
-- the request behind it included.
local LIMITS = { value = 1024, line = 1600 }

--- A logger, as every part takes one.
---@param level string
---@param message string
---@param fields table?
function M.logger(level, message, fields)
  ngx.log(LEVELS[level] or ngx.ERR, "flexhooks: ",
    log.line(message, fields, LIMITS))
end

return M
