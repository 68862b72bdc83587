local metrics = require "flexhooks.metrics"

-- name{labels} -> value; fails where a line is no sample, HELP or TYPE, or a
-- sample stands before its TYPE.
local function parse(text)
  local samples, typed = {}, {}
  assert.equal("\n", text:sub(-1))
  for line in text:gmatch "([^\n]*)\n" do
    local name = line:match "^# TYPE ([%w_]+) %l+$"
    if name then
      assert.is_nil(typed[name], "typed twice: " .. name)
      typed[name] = true
    elseif not line:match "^# HELP [%w_]+ .+" then
      local key, value = line:match "^([%w_]+{?.-}?) (%S+)$"
      assert(key, "not a sample: " .. line)
      local base = key:match "^[%w_]+"
      assert(typed[base] or typed[base:gsub("_%l+$", "")],
        "no TYPE before " .. line)
      assert.is_nil(samples[key], "sampled twice: " .. key)
      samples[key] = tonumber(value) or value
    end
  end
  return samples
end

describe("metrics", function()
  it("counts with and without a label", function()
    local m = metrics.new()
    m:inc "handled"
    m:inc("handled", nil, 2)
    m:inc("rejected", "signature")
    m:inc("rejected", "signature")
    m:inc("rejected", "too_large")
    m:inc("rejected", "count")
    local samples = parse(m:render())
    assert.equal(3, samples.flexhooks_events_handled_total)
    assert.equal(2,
      samples['flexhooks_events_rejected_total{reason="signature"}'])
    assert.equal(1,
      samples['flexhooks_events_rejected_total{reason="too_large"}'])
  end)

  it("shows counters without a label from the start", function()
    local samples = parse(metrics.new():render())
    assert.equal(0, samples.flexhooks_events_handled_total)
    assert.equal(0, samples.flexhooks_events_failed_total)
  end)

  it("escapes what stands in a label", function()
    local m = metrics.new()
    m:inc("received", 'a"b\\c\nd|e')
    assert.matches('{type="a\\"b\\\\c\\nd|e"} 1\n', m:render(), 1, true)
  end)

  it("bounds the values of a label", function()
    local m = metrics.new()
    for i = 1, 1000 do
      m:inc("received", "type" .. i)
    end
    local samples, count = parse(m:render()), 0
    for key in pairs(samples) do
      if key:find "received" then
        count = count + 1
      end
    end
    assert.equal(101, count)
    assert.equal(900, samples['flexhooks_events_received_total{type="other"}'])
  end)

  it("keeps a cumulative histogram", function()
    local m = metrics.new()
    for _, seconds in ipairs { 0.0005, 0.001, 0.3, 31 } do
      m:observe(seconds)
    end
    local s = parse(m:render())
    assert.equal(2, s['flexhooks_handler_seconds_bucket{le="0.001"}'])
    assert.equal(2, s['flexhooks_handler_seconds_bucket{le="0.25"}'])
    assert.equal(3, s['flexhooks_handler_seconds_bucket{le="0.5"}'])
    assert.equal(3, s['flexhooks_handler_seconds_bucket{le="30"}'])
    assert.equal(4, s['flexhooks_handler_seconds_bucket{le="+Inf"}'])
    assert.equal(4, s.flexhooks_handler_seconds_count)
    assert.near(31.3015, s.flexhooks_handler_seconds_sum, 1e-9)
  end)

  it("counts with a time what came of it", function()
    local m = metrics.new()
    m:observe(0.1, "handled")
    m:observe(0.1, "handled")
    m:observe(0.1, "failed")
    m:observe(0.1)
    m:inc("handled")
    local s = parse(m:render())
    assert.equal(3, s.flexhooks_events_handled_total)
    assert.equal(1, s.flexhooks_events_failed_total)
    assert.equal(4, s.flexhooks_handler_seconds_count)
  end)

  it("counts what a worker tells of its attempts", function()
    local m = metrics.new()
    local outcome = m:outcomes()
    outcome("handled", {}, {}, 0.1)
    outcome("retried", {}, {}, 0.1)
    outcome("dead", {}, {}, 0.1, "exhausted")
    outcome("dead", {}, {}, 0.1, "damaged") -- no handler ran
    local s = parse(m:render())
    assert.equal(1, s.flexhooks_events_handled_total)
    assert.equal(2, s.flexhooks_events_failed_total)
    assert.equal(1, s['flexhooks_events_dead_total{reason="exhausted"}'])
    assert.equal(1, s['flexhooks_events_dead_total{reason="damaged"}'])
    assert.equal(4, s.flexhooks_handler_seconds_count)
  end)

  it("reads gauges when asked", function()
    local m, value = metrics.new(), 1
    m:gauge("in_flight", function()
      return value
    end)
    m:gauge("oldest", function()
      return nil
    end)
    m:gauge("connections", function()
      error "broken"
    end)
    value = 7
    local samples = parse(m:render())
    assert.equal(7, samples.flexhooks_events_in_flight)
    assert.is_nil(samples.flexhooks_queue_oldest_seconds)
    assert.is_nil(samples.flexhooks_connections)
  end)

  it("tells of a queue, as long as that answers", function()
    local queue = require("flexhooks.queue").new "memory:"
    assert(queue:store { { id = "a", source = "s", received_at = 1,
      event = { EventType = "onX" } } })
    local m = metrics.new()
    m:watch(queue)
    local samples = parse(m:render())
    assert.equal(1, samples['flexhooks_queue_events{state="ready"}'])
    assert.equal(0, samples['flexhooks_queue_events{state="running"}'])
    assert.equal(1, samples['flexhooks_queue_partitions{owner="none"}'])
    assert.is_true(samples.flexhooks_queue_oldest_seconds > 1e9)
    queue:close()
    samples = parse(m:render())
    assert.is_nil(samples['flexhooks_queue_events{state="ready"}'])
    assert.is_nil(samples.flexhooks_queue_oldest_seconds)
  end)

  it("tells what a store took from its values", function()
    local store, taken = { values = {} }, {}
    function store.get(_, key)
      return taken[key]
    end
    function store:get_keys()
      local keys = { "something of somebody else" }
      for key, n in pairs(self.values) do
        taken[key] = (taken[key] or 0) + n
        self.values[key] = 0
      end
      for key in pairs(taken) do
        keys[#keys + 1] = key
      end
      return keys
    end
    local one, other = metrics.new { store = store },
      metrics.new { store = store }
    one:inc "handled"
    other:inc "handled"
    assert.matches("flexhooks_events_handled_total 2\n", one:render())
    one:inc "handled"
    local samples = parse(other:render())
    assert.equal(3, samples.flexhooks_events_handled_total)
  end)

  it("knows its names", function()
    assert.has.errors(function()
      metrics.new():inc "hadnled"
    end)
    local ok, err = pcall(function()
      metrics.new():gauge("in_fligth", print)
    end)
    assert.is_false(ok)
    assert.matches("did you mean 'in_flight'", tostring(err))
  end)
end)
