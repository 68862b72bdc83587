--- Reports a shared dictionary that is too small.
--
-- A full dictionary makes room by dropping the entries that were used longest
-- ago, though they still count: duplicates of their events are handled again,
-- and counters begin again. If that is not enough, it refuses the write. Each
-- such write is counted, and the log says so once a minute.
-- @module flexhooks.runtime.nginx.shortage

local configuration = require "flexhooks.runtime.nginx.configuration"
local nginx_log = require "flexhooks.runtime.nginx.log"

local M = {}

local EVERY = 60 -- seconds between warnings of a worker
local KIB = 1024

local metrics -- that count; nil before the first application is opened
local warned, since = -math.huge, 0 -- when, and how many writes since then

-- The capacity as nginx.conf has it, and twice as much.
local function sizes(dict)
  local capacity = dict:capacity()
  return ("%dk"):format(capacity / KIB), ("%dk"):format(2 * capacity / KIB)
end

local function warn(dict)
  local name = configuration.get().shared_dict
  local size, larger = sizes(dict)
  nginx_log.logger("warn", ("lua_shared_dict %s %s is too small: entries that "
    .. "still count are dropped, so duplicates are handled again and counters "
    .. "begin again; make it larger: lua_shared_dict %s %s;")
    :format(name, size, name, larger), { writes = since })
end

local function note(dict, outcome)
  since = since + 1
  if metrics then
    metrics:inc("full", outcome)
  end
  local now = ngx.now()
  if now >= warned + EVERY then
    warn(dict)
    warned, since = now, 0
  end
end

--- Takes the results of a write and returns the first two.
---@param dict table ngx.shared.NAME
---@param done any
---@param why string?
---@param dropped boolean? entries that still counted made room
---@return any done
---@return string? why
function M.seen(dict, done, why, dropped)
  if dropped then
    note(dict, "dropped")
  elseif why == "no memory" then
    note(dict, "refused")
  end
  return done, why
end

--- Sets where writes are counted.
---@param given flexhooks.Metrics
function M.count_in(given)
  metrics = given
end

return M
