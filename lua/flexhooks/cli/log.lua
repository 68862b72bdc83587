--- The log of long-running commands: one line per message on stderr.
-- @module flexhooks.cli.log

local log = require "flexhooks.log"

local M = {}

--- Adds the options that every such command has.
function M.configure(parser)
  parser:option("--log-level", "Least level that is logged. Default: info.")
    :choices({ "debug", "info", "warn", "error" })
  parser:option("--log-format", "How lines are written. Default: logfmt.")
    :choices({ "logfmt", "json" })
end

--- A logger as the options ask for.
---@param given table the parsed arguments
---@param output table? what has a `write` method; standard error where absent
---@return fun(level: string, message: string, fields: table?)
function M.new(given, output)
  return log.stderr { level = given.log_level, format = given.log_format,
    output = output }
end

return M
