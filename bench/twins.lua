-- What rules against duplicates drop and repeat, on simulated traffic.
--
--   lua5.4 bench/twins.lua [interactions] [seed]
--
-- The same reports go through each rule. The last three columns are ours, with
-- windows of 10, 60 (the default) and 300 seconds: each report goes through
-- the receiver with its memory and with both durable queues, which must agree.
--
-- Equal events cannot be told apart, so for each form that events had it
-- counts how many were reported and how many reports of it were handled: fewer
-- are lost, more are handled twice. Same seed, same table.
local rules = require "bench.twins.rules"
local traffic = require "bench.twins.traffic"

local M = {}

local FIRST = { "global", 600, 1200 }

M.SCENARIOS = {
  { "nothing goes wrong" },
  { "1 % of the reports are lost", drop = 0.01 },
  { "10 % are lost", drop = 0.1 },
  { "30 % up to 45 s late, 10 % overtaken, 10 % delivered twice",
    delay = 0.3, longest = 45, reorder = 0.1, duplicate = 0.1 },
  { "10 % up to 5 minutes late", delay = 0.1, longest = 300 },
  { "one source is out for 10 minutes, later the other",
    outages = { FIRST, { "interaction", 2100, 2700 } } },
  { "one source is out for 10 minutes, at once the other",
    outages = { FIRST, { "interaction", 1200, 1800 } } },
  { "the global webhook gets another URL",
    changes = { { 1800, "replace" } } },
  { "interactions carry another webhook", changes = { { 1800, "carry" } } },
  { "a second global webhook is added", changes = { { 1800, "add" } } },
  { "1 % lost, 10 % up to 45 s late, 5 % twice, outages, another URL",
    drop = 0.01, delay = 0.1, longest = 45, duplicate = 0.05,
    outages = { FIRST, { "interaction", 2100, 2700 } },
    changes = { { 1800, "replace" } } },
}

M.WINDOWS = { 10, 60, 300 }

local NAIVE = {
  { "tokens alone", rules.tokens },
  { "counted", rules.counting },
  { "equal in 60 s", function()
    return rules.equal(60)
  end },
}

-- form -> how many of its events were reported; and their sum.
local function reported(reports)
  local events, forms, total = {}, {}, 0
  for _, report in ipairs(reports) do
    if not events[report.event] then
      events[report.event] = true
      forms[report.form] = (forms[report.form] or 0) + 1
      total = total + 1
    end
  end
  return forms, total
end

--- What a rule made of the reports.
---@return table { lost, twice, handled, verdicts }
function M.run(rule, reports)
  local result = { lost = 0, twice = 0, handled = 0, verdicts = {} }
  local handled = {}
  for i, report in ipairs(reports) do
    local verdict = rule.handles(report)
    result.verdicts[i] = verdict
    if verdict then
      result.handled = result.handled + 1
      handled[report.form] = (handled[report.form] or 0) + 1
    end
  end
  rule.close()
  for form, count in pairs((reported(reports))) do
    local more = (handled[form] or 0) - count
    result.twice = result.twice + math.max(more, 0)
    result.lost = result.lost + math.max(-more, 0)
  end
  return result
end

local function labels_of(scenario)
  return { "global", "interaction", scenario.changes and "other" }
end

local function differences(a, b)
  local count = 0
  for i, verdict in ipairs(a) do
    count = count + (verdict == b[i] and 0 or 1)
  end
  return count
end

-- Ours in each of its homes. The others are held against the first.
local function run_ours(scenario, window, reports)
  local first, differing
  for _, backend in ipairs(rules.BACKENDS) do
    local result = M.run(rules.matching(backend, window,
      labels_of(scenario)), reports)
    first = first or result
    differing = (differing or 0)
      + differences(first.verdicts, result.verdicts)
  end
  first.differing = differing
  return first
end

--- One line of the table; `windows` are those of ours.
---@return table { name, events, reported, reports, { lost, twice }, … }
function M.measure(scenario, interactions, seed, windows)
  local reports, events = traffic.make(scenario, seed, interactions)
  local _, known = reported(reports)
  local line = { name = scenario[1], events = events, reported = known,
    reports = #reports, differing = 0 }
  for _, naive in ipairs(NAIVE) do
    line[#line + 1] = M.run(naive[2](), reports)
  end
  for _, window in ipairs(windows or M.WINDOWS) do
    local result = run_ours(scenario, window, reports)
    line.differing = line.differing + result.differing
    line[#line + 1] = result
  end
  return line
end

local function print_heading()
  local cells = { "traffic of an hour", "events", "reported", "reports" }
  for _, naive in ipairs(NAIVE) do
    cells[#cells + 1] = naive[1]
  end
  for _, window in ipairs(M.WINDOWS) do
    cells[#cells + 1] = "matched, " .. window .. " s"
  end
  print("| " .. table.concat(cells, " | ") .. " |")
  print("|---|" .. ("---:|"):rep(#cells - 1))
end

local function print_line(line)
  local cells = { line.name, line.events, line.reported, line.reports }
  for _, result in ipairs(line) do
    cells[#cells + 1] = result.lost .. " / " .. result.twice
  end
  print("| " .. table.concat(cells, " | ") .. " |")
  io.stdout:flush()
end

function M.main(interactions, seed)
  local compared, differing = 0, 0
  print_heading()
  for _, scenario in ipairs(M.SCENARIOS) do
    local line = M.measure(scenario, interactions, seed)
    print_line(line)
    differing = differing + line.differing
    compared = compared
      + line.reports * #M.WINDOWS * (#rules.BACKENDS - 1)
  end
  print(("\nlost / handled twice. Seed %s; %d verdicts of SQLite and Redis "
    .. "held against memory: %d differ."):format(seed, compared, differing))
  return differing == 0
end

if arg and arg[0] and arg[0]:find "twins%.lua$" then
  local process = require "spec.support.process"
  local ok, agreed = pcall(M.main, tonumber(arg[1] or 500), arg[2] or "1")
  process.stop_all()
  assert(ok, agreed)
  os.exit(agreed and 0 or 1)
end
return M
