--- Queues: between the answer to Twilio and the handlers.
--
-- An event that was stored is durable before the receiver answers 200. Its
-- interaction's events are handled one at a time and in the order stored; see
-- docs/delivery.md for what is promised and what is not.
-- @module flexhooks.queue

local ascii = require "flexhooks.util.ascii"
local item_codec = require "flexhooks.queue.item_codec"
local errors = require "flexhooks.error"
local events = require "flexhooks.events"
local options = require "flexhooks.util.options"
local redis_errors = require "flexhooks.queue.redis.errors"
local store_requests = require "flexhooks.queue.store_request"
local tables = require "flexhooks.util.tables"

local M = {}

---@class flexhooks.Queue
local Queue = { __name = "flexhooks.queue" }
Queue.__index = Queue

local RULE = { window = 86400, entries = 100000, twin_window = 60,
  sources = math.huge }

local COMMON = {
  logger = { type = "function" },
}

local core

local function process()
  core = core or require "flexhooks.core"
  return core.pid()
end

local function merged(...)
  local spec = {}
  for _, part in ipairs { ... } do
    for name, rule in pairs(part) do
      spec[name] = rule
    end
  end
  return spec
end

local function no_process()
  return 0
end

local function open_memory(rest, given)
  if rest ~= "" then
    errors.raise(3, "flexhooks.queue: a queue in memory is named memory:, and "
      .. "nothing else")
  end
  local checked = options.check("flexhooks.queue", merged(COMMON, {
    max_events = { type = "integer", min = 1, default = 1000000 },
  }), given, 2)
  local storage = require("flexhooks.queue.embedded.memory").new(checked)
  return require("flexhooks.queue.embedded.queue").new("memory:", storage,
    { turns = false, pid = no_process })
end

local function sqlite_path(rest)
  local path = rest:match("^//(/.*)$") or rest
  if path == "" or path:find("^:") or path:find("\0", 1, true)
    or path:find("^//") or path:find("/$") then
    errors.raise(4, "flexhooks.queue: an SQLite queue is named sqlite:PATH, "
      .. "with the path of a file")
  elseif path:find("?", 1, true) then
    errors.raise(4, "flexhooks.queue: the path of an SQLite queue holds no "
      .. "'?'; settings are given in the second argument")
  end
  return path
end

local function open_sqlite(rest, given)
  local path = sqlite_path(rest)
  local checked = options.check("flexhooks.queue", merged(COMMON, {
    max_events = { type = "integer", min = 1, default = 100000000 },
    synchronous = { one_of = { "full", "normal", "off" }, type = "string",
      default = "full" },
  }), given, 2)
  local storage = require("flexhooks.queue.embedded.sqlite").new(path, checked)
  local single = require("flexhooks.queue.embedded.queue")
    .new("sqlite:" .. path, storage, { turns = true, pid = process })
  single.serve_commands = require("flexhooks.queue.embedded.owner_rpc").serve
  return single
end

local function open_redis(rest, given)
  return require("flexhooks.queue.redis.queue").new(rest, given)
end

local SCHEMES = {
  memory = open_memory, sqlite = open_sqlite, redis = open_redis,
}

--- A queue; nothing is opened before its first use.
---@param url string "sqlite:PATH", "redis://[[user]:password@]host[:port][/db]
-- [?partitions=64&prefix=flexhooks]" or "memory:"
---@param given table? `logger`; memory and sqlite: `max_events`; sqlite:
-- `synchronous` (full, normal, off); redis: `partitions`, `prefix`, `lease`,
-- `timeout` (seconds), `appendfsync` (always, everysec, any)
---@return flexhooks.Queue
function M.new(url, given)
  if type(url) ~= "string" then
    errors.raise(2, "flexhooks.queue: argument 1 must be a string such as "
      .. "'sqlite:events.db', got " .. type(url))
  end
  local scheme, rest = url:match("^(%a+):(.*)$")
  local open = scheme and SCHEMES[ascii.lower(scheme)]
  if not open then
    errors.raise(2, "flexhooks.queue: the queue's URL must begin with "
      .. "sqlite:, redis:// or memory:")
  end
  return setmetatable({ backend = open(rest, given) }, Queue)
end

--- Is this a queue?
---@return boolean
function M.is(value)
  return type(value) == "table" and getmetatable(value) == Queue
end

function Queue:__tostring()
  return "flexhooks.queue (" .. self.backend.name .. ")"
end

-- A command that another process must answer goes to that process.
local function call(self, method, ...)
  local result, err = self.backend[method](self.backend, ...)
  if result == nil and err and err.reason == "owned" then
    return require("flexhooks.queue.embedded.owner_rpc")
      .ask(self.backend, method, err, ...)
  end
  return result, err
end

--- Hands items to what this turn of the loop stores together. Internal: the
-- receiver's door.
---@param store table a `queue/submission`, with a `rule` or none
function Queue:submit(store)
  local rule = store.rule
  if not self.rule or self.given ~= rule then
    self.given, self.rule = rule, tables.merged(RULE, rule)
  end
  store.rule = self.rule
  self.backend:submit(store)
end

--- The same for those that wait. Internal.
---@return true|nil ok
---@return ("stored"|"duplicate")[]|flexhooks.Error verdicts
function Queue:store(items, rule)
  return store_requests.await(self, items, rule)
end

--- Opens the queue where it is not open yet. Internal: the server's.
---@return true|nil ok
---@return flexhooks.Error? err
---@return boolean? passing it may be there later: a Redis that is down
function Queue:ready()
  local ok, err = self.backend:ready()
  if ok then
    return true
  end
  return nil, err, redis_errors.passes(err)
end

--- The worker's door. Internal.
function Queue:consumer(settings)
  return self.backend:new_consumer(settings)
end

--- What is in the queue.
---@return table|nil stats `ready`, `running`, `delayed`, `dead` (counts of
-- events), `oldest_age` (seconds), `partitions` (list of { partition, owner })
---@return flexhooks.Error? err
function Queue:stats()
  options.method(Queue, "queue:stats", self)
  return call(self, "stats")
end

local REASONS = { exhausted = true, refused = true, malformed = true,
  damaged = true, unknown_version = true }

-- Of what is no event the receiver has said in words what is wrong with it:
-- they are its error, and its reason is one that can be asked for.
local function why(letter, item)
  local reason = letter.reason or item.reason
  if reason and not REASONS[reason] then
    return "malformed", { { attempt = 0, at = letter.buried_at,
      kind = "malformed", message = reason } }
  end
  return reason, item_codec.decode_failures(letter.errors)
end

local function describe(letter)
  local item = item_codec.decode(letter.body)
  local reason, failures = why(letter, item)
  return {
    id = letter.id or item.id, event = item.event, raw = item.raw,
    source = item.source, received_at = item.received_at,
    wire_type = item.wire_type, query = item.query,
    replay = item.replay or letter.replay, attempts = letter.attempts,
    buried_at = letter.buried_at,
    errors = failures, reason = reason, parked = letter.parked and true,
    state = letter.buried_at and "dead" or "queued",
  }
end

local FILTERS = {
  limit = { type = "integer", min = 1, max = 1000000, default = 100 },
  reason = { type = "string" }, type = { type = "string" },
  source = { type = "string" }, interaction = { type = "string" },
}

-- What is to be done with letters is done with all that a filter takes.
local ALL = tables.merged(FILTERS, { limit = { type = "integer", min = 1,
  max = FILTERS.limit.max, default = FILTERS.limit.max } })

local function matches(letter, filter)
  local event = letter.event or {}
  return (not filter.reason or letter.reason == filter.reason)
    and (not filter.source or letter.source == filter.source)
    and (not filter.type or event.EventType == filter.type)
    and (not filter.interaction
      or event.InteractionSid == filter.interaction)
end

local function selective(filter)
  return filter.reason or filter.source or filter.type or filter.interaction
end

local function letters(self, filter)
  filter.type = events.canonical(filter.type) or filter.type
  local found, err = call(self, "dead_letters",
    selective(filter) and FILTERS.limit.max or filter.limit)
  if not found then
    return nil, err
  end
  local list = {}
  for _, row in ipairs(found) do
    local letter = describe(row)
    if #list < filter.limit and matches(letter, filter) then
      list[#list + 1] = letter
    end
  end
  return list
end

--- Dead letters, oldest first.
---@param filter table? `limit` (100), `reason`, `type`, `source`,
-- `interaction`
---@return table[]|nil letters { id, event|raw, source, received_at, attempts,
-- errors, reason, buried_at, parked }
---@return flexhooks.Error? err
function Queue:dead_letters(filter)
  options.method(Queue, "queue:dead_letters", self)
  return letters(self, options.check("queue:dead_letters", FILTERS, filter))
end

--- Events that wait, a page at a time, in the order stored. Internal: the
-- command's.
---@param cursor any? what the page before returned
---@param limit integer
---@return table[]|nil letters
---@return any cursor, or the error
function Queue:waiting(cursor, limit)
  local found, err = call(self, "peek", cursor or false, limit)
  if not found then
    return nil, err
  end
  for i, row in ipairs(found.rows) do
    found.rows[i] = describe(row)
  end
  return found.rows, found.cursor
end

--- What happened to events since a look before, oldest first: nothing at the
-- first look, and for a while after each. Internal: the command's.
---@param cursor any? what the look before returned
---@return table[]|nil steps { at, state, id, type, interaction }; `state` is
-- stored, started, handled, retried, dead, replayed or discarded
---@return any cursor, or the error
function Queue:follow(cursor)
  local found, err = call(self, "follow", cursor or false)
  if not found then
    return nil, err
  end
  return found.steps, found.cursor
end

--- Is there such a queue already? Asking makes none. Internal: the commands'.
---@return true|nil there
---@return flexhooks.Error? err kind `not_found` where there is none
function Queue:exists()
  local there, err = self.backend:exists()
  if there == false then
    return nil, errors.new("not_found", self.backend.name .. ": there is no "
      .. "such queue; it is made when it is first served, worked or stored in")
  end
  return there, err
end

local function no_letter(id)
  return nil, errors.new("not_found", "no dead letter has the id '"
    .. id .. "'", { reason = "unknown_id" })
end

--- A dead letter, or an event that still waits, by its id.
---@param id string
---@return table|nil letter as in `dead_letters`; `state` is "dead" or "queued"
---@return flexhooks.Error? err kind `not_found` where there is none
function Queue:get(id)
  options.method(Queue, "queue:get", self)
  options.argument("queue:get", 1, { type = "string", required = true }, id)
  local found, err = call(self, "find", id)
  if found == nil then
    return nil, err
  elseif not found then
    return nil, errors.new("not_found", "no event has the id '" .. id .. "'",
      { reason = "unknown_id" })
  end
  return describe(found)
end

-- One by id, or every letter that a filter takes. Each is a step of its own:
-- an interrupted run can be repeated.
local function each(self, method, id)
  if type(id) == "string" then
    local done, err = call(self, method, id)
    if done == false then
      return no_letter(id)
    end
    return done, err
  end
  local list, err = letters(self, options.check("queue:" .. method, ALL, id))
  if not list then
    return nil, err
  end
  local count = 0
  for _, letter in ipairs(list) do
    local done
    done, err = call(self, method, letter.id)
    if done == nil and err.reason ~= "not_an_event" then
      return nil, err
    end
    count = count + (done and 1 or 0)
  end
  return count
end

local ID_OR_FILTER = { type = { "string", "table" }, required = true }

--- Sends a dead letter round again: its old id, no attempts, at the end of its
-- interaction's line (a parked one: where it stands). Handlers see
-- `context.replay`.
---@param id string|table an id, or a filter as for `dead_letters`, without
-- its limit unless told
---@return true|integer|nil done true, or how many a filter took
---@return flexhooks.Error? err kind `not_found` where no letter has the id
function Queue:replay(id)
  options.method(Queue, "queue:replay", self)
  options.argument("queue:replay", 1, ID_OR_FILTER, id)
  return each(self, "replay", id)
end

--- Deletes a dead letter for good.
---@param id string|table an id, or a filter as for `dead_letters`, without
-- its limit unless told
---@return true|integer|nil done true, or how many a filter took
---@return flexhooks.Error? err kind `not_found` where no letter has the id
function Queue:discard(id)
  options.method(Queue, "queue:discard", self)
  options.argument("queue:discard", 1, ID_OR_FILTER, id)
  return each(self, "discard", id)
end

--- Closes the queue; what it stored stays.
function Queue:close()
  options.method(Queue, "queue:close", self)
  return self.backend:close()
end

Queue.__close = Queue.close

return M
