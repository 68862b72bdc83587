--- Counts of what happened to events, and their Prometheus exposition.
--
-- The names are fixed here, so that whoever counts cannot invent one and
-- whoever reads finds each explained. Counts are added up in a table; the
-- store that it belongs to tells them (`get`, `get_keys`), those of this
-- process or, having taken them from the table, of all workers of nginx.
-- @module flexhooks.metrics

local ascii = require "flexhooks.util.ascii"
local errors = require "flexhooks.error"
local options = require "flexhooks.util.options"
local tables = require "flexhooks.util.tables"

local M = {}

local PREFIX = "flexhooks_"

-- A label that comes from the network could take any number of values.
local MAX_LABELS = 100
local OTHER = "other"

local COUNTERS = {
  received = { "events_received_total", "type",
    "Events that arrived with a good signature, by event type." },
  rejected = { "events_rejected_total", "reason",
    "Deliveries that were refused, by reason." },
  handled = { "events_handled_total", nil,
    "Events whose handlers all succeeded." },
  failed = { "events_failed_total", nil,
    "Runs of handlers that failed, retries included." },
  duplicate = { "events_duplicate_total", "kind",
    "Events that were known already, by kind of duplicate." },
  stored = { "events_stored_total", nil,
    "Events that were written to the queue." },
  dead = { "events_dead_total", "reason",
    "Events that went to the dead letters, by reason." },
  refused = { "requests_refused_total", "status",
    "Requests that broke HTTP or a limit, by the status they got." },
  full = { "shared_dict_full_total", "outcome",
    "Writes for which nginx's shared dictionary had no room, by outcome." },
}

local GAUGES = {
  in_flight = { "events_in_flight", nil, "Events being handled now." },
  connections = { "connections", nil, "Open connections to the receiver." },
  queue = { "queue_events", "state", "Events in the queue, by state." },
  oldest = { "queue_oldest_seconds", nil,
    "Age of the oldest unfinished event." },
  partitions = { "queue_partitions", "owner",
    "Partitions of the queue, by the worker that has them." },
}

local HISTOGRAM = { "handler_seconds", "Time that an event's handlers took." }

-- Upper bounds in seconds, as text, since they are part of the keys.
local BOUNDS = { "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1",
  "0.25", "0.5", "1", "2.5", "5", "10", "30" }

local LIMITS, BUCKETS = {}, {}
for i, bound in ipairs(BOUNDS) do
  LIMITS[i], BUCKETS[i] = tonumber(bound), "le|" .. bound
end

local LEAST = LIMITS[1] -- which most are within

-- The keys of counters without a label.
local OUTCOMES = { handled = "handled|", failed = "failed|" }

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

-- What this process counted.
local function table_store()
  local values = {}
  return {
    values = values,
    get_keys = function()
      return sorted_keys(values)
    end,
    get = function(_, key)
      return values[key]
    end,
  }
end

---@class flexhooks.Metrics
local Metrics = { __name = "flexhooks.metrics" }
Metrics.__index = Metrics

-- The key of a label value that is new.
local function new_key(metrics, name, label)
  local count = metrics.counts[name]
  if not count then
    error("unknown counter " .. tostring(name))
  elseif count >= MAX_LABELS then
    return name .. "|" .. OTHER
  end
  local key = name .. "|" .. label
  metrics.keys[name][label], metrics.counts[name] = key, count + 1
  return key
end

--- Counts.
---@param name string one of the counters' short names: `received` `rejected`
--- `handled` `failed` `duplicate` `stored` `dead` `refused` `full`
---@param label string? value of the counter's label
---@param n integer? how many, 1 where absent
function Metrics:inc(name, label, n)
  local keys, values = self.keys[name], self.values
  label = label or ""
  local key = keys and keys[label] or new_key(self, name, label)
  values[key] = (values[key] or 0) + (n or 1)
end

local function bucket_of(seconds)
  for i = 1, #LIMITS do
    if seconds <= LIMITS[i] then
      return BUCKETS[i]
    end
  end
  return "le|+Inf"
end

--- Records how long an event's handlers took, and counts what came of it.
---@param seconds number
---@param outcome "handled"|"failed"|nil the counter; none where absent
function Metrics:observe(seconds, outcome)
  local values = self.values
  local bucket = seconds <= LEAST and BUCKETS[1] or bucket_of(seconds)
  values[bucket] = (values[bucket] or 0) + 1
  values["seconds|sum"] = (values["seconds|sum"] or 0) + seconds
  local key = OUTCOMES[outcome]
  if key then
    values[key] = (values[key] or 0) + 1
  end
end

--- What a worker takes for its `on_outcome`, to have its attempts counted.
---@return fun(outcome: string, event: table, context: table, seconds: number,
--- reason: string?)
function Metrics:outcomes()
  return function(outcome, _, _, seconds, reason)
    if outcome ~= "dead" or reason == "exhausted" or reason == "refused" then
      self:inc(outcome == "handled" and "handled" or "failed")
    end
    if outcome == "dead" then
      self:inc("dead", reason)
    end
    self:observe(seconds)
  end
end

--- Sets what a gauge reads when the metrics are asked for.
---@param name string one of the gauges' short names: `in_flight` `connections`
--- `queue` `oldest` `partitions`
---@param f fun(): number|table<string, number>|nil one number, or one for each
--- label; nothing where it cannot be told now
function Metrics:gauge(name, f)
  if not GAUGES[name] then
    errors.raise(2, "metrics:gauge: unknown gauge '" .. tostring(name) .. "'"
      .. options.suggestion(name, GAUGES))
  end
  self.gauges[name] = f
end

local function by_owner(partitions)
  local counted = {}
  for _, partition in ipairs(partitions) do
    local owner = partition.owner or "none"
    counted[owner] = (counted[owner] or 0) + 1
  end
  return counted
end

-- What a queue's gauges read; nothing where the queue does not answer.
local function queue_gauges(queue)
  local stats = queue:stats()
  return stats and {
    queue = { ready = stats.ready, running = stats.running,
      delayed = stats.delayed, dead = stats.dead },
    oldest = stats.oldest_age, partitions = by_owner(stats.partitions),
  } or {}
end

--- Adds the gauges of a queue: it is asked once for all of them.
---@param queue flexhooks.Queue
function Metrics:watch(queue)
  self.queue = queue
end

local ESCAPES = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }

local function number(value)
  if value == math.huge then
    return "+Inf"
  elseif value == -math.huge then
    return "-Inf"
  elseif value ~= value then
    return "NaN"
  end
  return ascii.number(value, "%.15g")
end

local function sample(name, label, label_value, value)
  local labels = ""
  if label then
    labels = ('{%s="%s"}'):format(label,
      (tostring(label_value):gsub('[\\"\n]', ESCAPES)))
  end
  return PREFIX .. name .. labels .. " " .. number(value) .. "\n"
end

local function head(name, kind, help)
  name = PREFIX .. name
  return ("# HELP %s %s\n# TYPE %s %s\n"):format(name, help, name, kind)
end

-- short name -> label value -> number
local function counts(store)
  local found = {}
  for _, key in ipairs(store:get_keys(0)) do
    local name, label = key:match "^([^|]+)|(.*)$"
    if name then
      found[name] = found[name] or {}
      found[name][label] = store:get(key)
    end
  end
  return found
end

local function render_samples(out, entry, values)
  local name, label = entry[1], entry[2]
  for _, value in ipairs(tables.sorted_keys(values)) do
    out[#out + 1] = sample(name, label, value, values[value])
  end
end

local function render_histogram(out, found)
  local name, total = HISTOGRAM[1], 0
  local buckets = found.le or {}
  out[#out + 1] = head(name, "histogram", HISTOGRAM[2])
  for _, bound in ipairs(BOUNDS) do
    total = total + (buckets[bound] or 0)
    out[#out + 1] = sample(name .. "_bucket", "le", bound, total)
  end
  total = total + (buckets["+Inf"] or 0)
  out[#out + 1] = sample(name .. "_bucket", "le", "+Inf", total)
  out[#out + 1] = sample(name .. "_sum", nil, nil,
    (found.seconds or {}).sum or 0)
  out[#out + 1] = sample(name .. "_count", nil, nil, total)
end

-- short name -> number, or label value -> number
local function read_gauges(self)
  local ok, values = pcall(queue_gauges, self.queue)
  values = self.queue and ok and values or {}
  for short, f in pairs(self.gauges) do
    local read, value = pcall(f)
    values[short] = read and value or nil
  end
  return values
end

local function render_gauge(out, entry, value)
  out[#out + 1] = head(entry[1], "gauge", entry[3])
  render_samples(out, entry, type(value) == "table" and value
    or { [""] = value })
end

--- The exposition, in Prometheus' text format 0.0.4.
---@return string
function Metrics:render()
  local out, found = {}, counts(self.store)
  for _, short in ipairs(tables.sorted_keys(COUNTERS)) do
    local entry = COUNTERS[short]
    out[#out + 1] = head(entry[1], "counter", entry[3])
    -- A counter that exists from the start lets rate() see the first event.
    render_samples(out, entry, found[short] or not entry[2] and { [""] = 0 }
      or {})
  end
  render_histogram(out, found)
  local gauges = read_gauges(self)
  for _, short in ipairs(tables.sorted_keys(gauges)) do
    render_gauge(out, GAUGES[short], gauges[short])
  end
  return table.concat(out)
end

--- The content type of `render`'s result.
M.CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

--- Makes a set of metrics.
---@param given { store: table? }? `store`: where counts go from its `values`
---@return flexhooks.Metrics
function M.new(given)
  local checked = options.check("flexhooks.metrics", {
    store = { type = "table" },
  }, given)
  local store = checked.store or table_store()
  local keys, sizes = {}, {}
  for name in pairs(COUNTERS) do
    keys[name], sizes[name] = {}, 0
  end
  return setmetatable({
    keys = keys, counts = sizes, -- by name: a label's key; how many labels
    gauges = {}, store = store, values = store.values,
  }, Metrics)
end

return M
