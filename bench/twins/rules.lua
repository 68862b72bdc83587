-- Rules that decide whether a report is handled: those that come to mind, and
-- ours, as the receiver has it in memory and in both durable queues.
--
--   local rule = rules.matching("sqlite", 60)
--   rule.handles(report) -> boolean      rule.close()
--
-- Time is the reports' own. In memory and in SQLite the clock is handed over;
-- of Redis's script the one line that asks for the time is changed.
local flexhooks = require "flexhooks"
local dedupe = require "flexhooks.dedupe.memory"
local runtime = require "flexhooks.runtime.current"
local process = require "spec.support.process"
local redis = require "spec.support.redis"
local scripts = require "flexhooks.queue.redis.scripts"
local traffic = require "bench.twins.traffic"

local M = {}

local TOKENS = 86400 -- seconds for which tokens are remembered
local ENTRIES = 100000

-- --- rules that come to mind ------------------------------------------------

--- None at all.
function M.none()
  return { handles = function()
    return true
  end, close = function() end }
end

-- The rule behind a memory of tokens, which all the others have as well.
local function after_tokens(handles)
  local seen = {}
  return { handles = function(report)
    local key = report.token .. report.form
    if seen[key] then
      return false
    end
    seen[key] = true
    return handles(report)
  end, close = function() end }
end

--- Only what is equal and came under one token is dropped.
function M.tokens()
  return after_tokens(function()
    return true
  end)
end

--- Counts the reports of each source: the one that is ahead is handled.
function M.counting()
  local counts, handled = {}, {}
  return after_tokens(function(report)
    local key = report.source .. report.form
    counts[key] = (counts[key] or 0) + 1
    if counts[key] > (handled[report.form] or 0) then
      handled[report.form] = counts[key]
      return true
    end
    return false
  end)
end

--- Drops what is equal to something handled within the window.
function M.equal(window)
  local last = {}
  return after_tokens(function(report)
    local form, at = report.form, report.at
    if last[form] and at - last[form] <= window then
      return false
    end
    last[form] = at
    return true
  end)
end

-- --- ours -------------------------------------------------------------------

local EPOCH = 1700000000
local now = EPOCH

local function sources(labels)
  local list = {}
  for _, label in ipairs(labels) do
    list[traffic.URLS[label]] = label
  end
  return list
end

-- A receiver whose counters tell what became of each delivery.
local function receive(labels, options)
  local outcome
  options.auth_token = traffic.AUTH_TOKEN
  options.public_url = traffic.URLS.global
  options.sources = sources(labels)
  options.metrics = {
    inc = function(_, name)
      if name == "stored" or name == "handled" or name == "duplicate" then
        outcome = name
      end
    end,
    observe = function(_, _, name)
      outcome = name
    end,
  }
  local receiver = flexhooks.receiver(options)
  return function(report)
    outcome, now = nil, EPOCH + report.at
    local request = report.request
    local answer = receiver:handle { method = request.method,
      target = request.url:match "^https?://[^/]+(.*)$",
      headers = request.headers, body = request.body }
    assert(answer.status == 200 and outcome, "not received")
    return outcome ~= "duplicate"
  end
end

local BACKENDS = {}

function BACKENDS.memory(labels, window)
  return { handles = receive(labels, { router = flexhooks.router(),
    dedupe = { claims = dedupe.new { window = TOKENS, entries = ENTRIES,
      twin_window = window, sources = #labels, clock = function()
        return now
      end } } }), close = function() end }
end

function BACKENDS.sqlite(labels, window)
  local queue = flexhooks.queue("sqlite:" .. process.folder() .. "/q.db",
    { synchronous = "off" })
  local handles = receive(labels, { queue = queue,
    dedupe = { twin_window = window } })
  return { handles = function(report)
    local clock = runtime.now
    runtime.now = function()
      return now
    end
    local ok, handled = pcall(handles, report)
    runtime.now = clock
    assert(ok, handled)
    return handled
  end, close = function()
    queue:close()
  end }
end

local TIME = "redis.call('TIME')"

-- Of the script that stores, with the time that `set_clock` has set.
local function with_clock_of_ours(f)
  local text = scripts.store
  local from, to = text:find(TIME, 1, true)
  assert(from, "the script asks for the time otherwise")
  scripts.store = text:sub(1, from - 1)
    .. "redis.call('MGET', 'now', 'micro')" .. text:sub(to + 1)
  local ok, result = pcall(f)
  scripts.store = text
  assert(ok, result)
  return result
end

-- Expiry goes by Redis's own clock, which is far behind the reports': keys
-- live longer than they need to, and the script leaves out what is too old.
local function set_clock(io)
  local whole = math.floor(now)
  assert(io:command { "MSET", "now", ("%.0f"):format(whole), "micro",
    ("%.0f"):format(math.floor((now - whole) * 1e6)) })
end

local server

function BACKENDS.redis(labels, window)
  server = server or redis.start "appendonly no"
  server:cli "FLUSHALL"
  local queue = flexhooks.queue(server:url "appendfsync=any")
  local handles = receive(labels, { queue = queue,
    dedupe = { twin_window = window } })
  assert(queue:stats())
  local io = queue.backend:connect()
  return { handles = function(report)
    now = EPOCH + report.at
    set_clock(io)
    return with_clock_of_ours(function()
      return handles(report)
    end)
  end, close = function()
    io:close()
    queue:close()
  end }
end

M.BACKENDS = { "memory", "sqlite", "redis" }

--- Ours.
---@param backend "memory"|"sqlite"|"redis"
---@param window number seconds
---@param labels string[] of the webhooks that the receiver knows
function M.matching(backend, window, labels)
  return BACKENDS[backend](labels, window)
end

return M
