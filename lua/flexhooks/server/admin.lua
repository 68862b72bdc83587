--- The administrative address: `/healthz` and `/metrics`.
-- @module flexhooks.server.admin

local address = require "flexhooks.server.address"
local core = require "flexhooks.core.listener"
local errors = require "flexhooks.error"
local dispatchers = require "flexhooks.server.dispatcher"
local metrics = require "flexhooks.metrics"
local tables = require "flexhooks.util.tables"

local M = {}

local LIMITS = { connections = 64, body = 1024, line = 2048,
  header_bytes = 8192 }

local TEXT = { ["content-type"] = "text/plain; charset=utf-8" }
local EXPOSITION = { ["content-type"] = metrics.CONTENT_TYPE }
local ALLOW = { ["content-type"] = TEXT["content-type"], allow = "GET, HEAD" }

-- Statuses with which a listener refuses by itself.
local REFUSED = { 400, 408, 413, 414, 431, 501, 505 }

-- Carries the listener's own counts over to the metrics.
local function count_refused(server)
  local seen = server.refused
  for _, status in ipairs(REFUSED) do
    local total = server.intake.listener:refused(status)
    local new = total - (seen[status] or 0)
    if new > 0 then
      server.metrics:inc("refused", tostring(status), new)
    end
    seen[status] = total
  end
end

local function respond(server, method, target)
  local path = target:match "^[^?]*"
  if path ~= "/healthz" and path ~= "/metrics" then
    return 404, TEXT, "not found\n"
  elseif method ~= "GET" and method ~= "HEAD" then
    return 405, ALLOW, "method not allowed\n"
  elseif path == "/healthz" then
    local stopping = server.stopping
    return stopping and 503 or 200, TEXT, stopping and "stopping\n" or "ok\n"
  end
  if server.intake then
    count_refused(server)
  end
  return 200, EXPOSITION, server.metrics:render()
end

--- Opens the address and answers there until `server.admin` is closed.
---@param server table a server, or a worker's part of one: `metrics`,
-- `stopping`; `intake` and `refused` where it receives
---@param text string host and port
---@return boolean? ok
---@return flexhooks.Error? err kind `config` or `listen`
function M.open(server, text)
  local host, port = address.parse(text)
  if not host then
    return nil, errors.new("config", "admin " .. port)
  end
  local listener, kind, message = core.new(
    tables.merged({ host = host, port = port }, LIMITS))
  if not listener then
    return nil, errors.new(kind, "admin: " .. message)
  end
  server.admin_port = listener:port()
  server.admin_address = address.format(host, server.admin_port)
  server.admin = dispatchers.new {
    listener = listener,
    whom = server,
    answer = respond,
  }
  return true
end

return M
