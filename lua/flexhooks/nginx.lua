--- flexhooks inside nginx and OpenResty.
--
--     lua_shared_dict flexhooks 10m;
--     location = /flex/events {
--       content_by_lua_block { require("flexhooks.nginx").handle "app" }
--     }
--     location = /metrics {
--       content_by_lua_block { require("flexhooks.nginx").metrics() }
--     }
--
-- The same receiver, router and application as in every other host. Nothing
-- here blocks the worker: verification and routing are microseconds, and calls
-- that handlers make wait in threads of nginx's own pool.
-- @module flexhooks.nginx

local apps = require "flexhooks.app"
local ascii = require "flexhooks.util.ascii"
local claims = require "flexhooks.dedupe.nginx"
local configuration = require "flexhooks.runtime.nginx.configuration"
local errors = require "flexhooks.error"
local runtime = require "flexhooks.runtime.nginx.runtime"
local metrics = require "flexhooks.metrics"
local nginx_log = require "flexhooks.runtime.nginx.log"
local queues = require "flexhooks.queue"
local receivers = require "flexhooks.receiver"
local settings_header = require "flexhooks.signature.settings_header"
local metrics_store = require "flexhooks.nginx.metrics_store"
local shortage = require "flexhooks.runtime.nginx.shortage"

local M = {}

local STATS_EVERY = 1 -- seconds
local SETTINGS = ascii.lower(settings_header.NAME)

-- What handle was given -> its receiver. An application that is gone takes its
-- receiver with it.
local opened = setmetatable({}, { __mode = "k" })
local named = {}

local counted, counters

local function shared_metrics()
  if not counted then
    local dict = configuration.shared_dict()
    counters = dict and metrics_store.new(dict)
    counted = metrics.new { store = counters }
    shortage.count_in(counted)
  end
  return counted
end

-- The rule under which deliveries are compared, with claims that all workers
-- share.
local function share_claims(receiver)
  local dict = configuration.shared_dict()
  if dict and receiver.rule and not receiver.rule.claims then
    receiver.claims =
      claims.new(dict, receiver.rule, receiver.handler_timeout)
  end
  return receiver
end

-- Nobody handles what is stored in the memory of a worker, and a file has one
-- owner.
local function check_queue(queue)
  if queue and queue.backend and not queue.backend.many then
    error(errors.new("config", "in nginx a queue must be redis://…, for "
      .. "workers run in processes of their own (flexhooks work); this is "
      .. queue.backend.name), 0)
  end
end

-- The gauges of a queue are of what Redis was asked a second ago at most,
-- whoever scrapes. A request that comes while it is asked gets those before.
local function watch_queue(queue)
  local stats, asked = nil, -math.huge
  shared_metrics():watch { stats = function()
    local now = runtime.clock()
    if now >= asked + STATS_EVERY then
      asked = now
      stats = queue:stats()
    end
    return stats
  end }
end

local function open(app)
  if receivers.is(app) then
    check_queue(app.queue)
    return app
  end
  local loaded, err = apps.load("flexhooks.nginx.handle", app, {},
    { logger = nginx_log.logger })
  local receiver
  check_queue(loaded and loaded.settings.queue)
  if loaded then
    receiver, err = loaded:receiver {
      logger = loaded.settings.logger or nginx_log.logger,
      metrics = shared_metrics(),
    }
  end
  return receiver and share_claims(receiver), err
end

-- The receiver of what `handle` was given, opened once.
local function receiver_of(app)
  local cache = type(app) == "string" and named or opened
  if not cache[app] then
    local receiver, err = open(app)
    if not receiver then
      error(err, 0)
    end
    if queues.is(receiver.queue) then
      watch_queue(receiver.queue)
    end
    cache[app] = receiver
  end
  return cache[app]
end

-- Calls f; what it raises becomes text, since nginx tells no other error.
local function plainly(f, ...)
  local ok, value = pcall(f, ...)
  if not ok then
    error(tostring(value), 0)
  end
  return value
end

-- A body that nginx spilled to a file; one byte more than the cap is enough to
-- know that it is over it.
local function read_file(path, cap)
  local file, why = io.open(path, "rb")
  if not file then
    error(errors.new("config", "nginx's body file cannot be read: " .. why), 0)
  end
  local body = file:read(cap + 1) or ""
  file:close()
  return body
end

-- The whole body, or nil where it is over the cap: of one that says so before
-- it was sent, nothing is read.
local function read_body(length, cap)
  if length and (tonumber(length) or 0) > cap then
    return nil
  end
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  if not body then
    local path = ngx.req.get_body_file()
    body = path and read_file(path, cap) or ""
  end
  return #body <= cap and body or nil
end

-- The value of a header; several of one name are one list, as in HTTP. nginx's
-- table looks for a name that it lacks a second time, spelt otherwise.
local function header(given, name)
  local value = rawget(given, name)
  return type(value) == "table" and table.concat(value, ", ") or value
end

-- The settings header: its parts could match even if they came in two.
local function signed_by(given)
  local value = rawget(given, SETTINGS)
  return type(value) == "table" and settings_header.REPEATED or value
end

local function send(status, headers, body)
  ngx.status = status
  for name, value in pairs(headers) do
    ngx.header[name] = value
  end
  ngx.header["content-length"] = #body
  ngx.print(body)
end

-- Most answers are this one: a loop over its only header would cost more than
-- the header.
local function send_ok()
  ngx.header["content-type"] = "application/json"
  ngx.header["content-length"] = "2"
  ngx.print "{}"
end

-- The phases that have a request to answer. Other phases run in nginx's main
-- coroutine, which coroutine.running reports too if LuaJIT follows Lua 5.2.
local ANSWERING = { server_rewrite = true, rewrite = true, access = true,
  precontent = true, content = true }

local function check_phase(fn)
  local phase = ngx.get_phase()
  if not ANSWERING[phase] then
    error(fn .. " answers a request: call it in content_by_lua*, not in "
      .. "nginx's " .. phase .. " phase", 3)
  end
end

local function check_app(fn, app)
  if type(app) ~= "string" and type(app) ~= "table" then
    error(fn .. ": argument 1 must be a module's name, an application or a "
      .. "receiver, got " .. type(app), 3)
  end
end

--- Answers the request that nginx is handling; for `content_by_lua*`.
---@param app string|table a module's name, the path of an application file, a
--- router, a receiver, or an application's table (made once, not per request)
function M.handle(app)
  check_app("flexhooks.nginx.handle", app)
  check_phase "flexhooks.nginx.handle"
  local receiver = opened[app] or named[app] or plainly(receiver_of, app)
  runtime.begin_request()
  local given = ngx.req.get_headers(0)
  local body = read_body(rawget(given, "content-length"),
    receiver.limits.body)
  local status, headers, text = receiver:answer(ngx.req.get_method(),
    ngx.var.request_uri, body, header(given, "content-type"),
    header(given, "content-encoding"), header(given, "x-twilio-signature"),
    header(given, "i-twilio-idempotency-token"), signed_by(given))
  runtime.ended()
  if headers then
    send(status, headers, text)
  else
    send_ok()
  end
  if counters then
    counters:schedule()
  end
end

--- Opens an application while nginx starts, so that a mistake in it stops
-- nginx rather than an event; for `init_by_lua*`.
---@param app string|table as `handle` takes it
function M.preload(app)
  plainly(receiver_of, app)
end

--- Answers with the Prometheus metrics of all workers, and those of the queue
-- that this worker has opened; for `content_by_lua*`.
---@param app string|table|nil as `handle` takes it: opened here, where neither
--- an event nor `preload` has
function M.metrics(app)
  check_phase "flexhooks.nginx.metrics"
  if app ~= nil then
    check_app("flexhooks.nginx.metrics", app)
    plainly(receiver_of, app)
  end
  runtime.begin_request()
  local text = shared_metrics():render()
  runtime.ended()
  send(200, { ["content-type"] = metrics.CONTENT_TYPE }, text)
end

--- Answers that this worker is alive; for `content_by_lua*`.
function M.health()
  check_phase "flexhooks.nginx.health"
  send(200, { ["content-type"] = "text/plain" }, "ok\n")
end

--- Sets what nginx.conf calls things; for `init_by_lua*`.
---@param given flexhooks.nginx.Settings
function M.configure(given)
  plainly(configuration.set, given)
end

return M
