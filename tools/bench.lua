-- Runs measurements side by side and prints one table of medians.
--
--   lua5.4 tools/bench.lua ROUNDS SCRIPT…
--
-- A script runs everything that it compares once and prints a line for each:
-- subject, variant, value, unit, separated by tabs. It runs ROUNDS times, so
-- that what disturbs the machine disturbs all variants alike. The first
-- variant of a subject is the one that the others are held against. Lines that
-- begin with "#" are notes, shown once.
local M = {}

--- Collects the lines of one run of a script.
---@param results table[] subjects in order; see `table`
function M.collect(results, text)
  for line in text:gmatch "[^\n]+" do
    local subject, variant, value, unit =
      line:match "^([^\t]+)\t([^\t]+)\t([%d.eE+-]+)\t([^\t]+)$"
    if subject then
      local row = results[subject .. "\t" .. variant]
      if not row then
        row = { subject = subject, variant = variant, unit = unit }
        results[subject .. "\t" .. variant] = row
        results[#results + 1] = row
      end
      row[#row + 1] = tonumber(value)
    elseif line:find "^#" and not results[line] then
      results[line] = true
      results.notes = (results.notes or "") .. line .. "\n"
    end
  end
end

local function median(values)
  local sorted = {}
  for i, value in ipairs(values) do
    sorted[i] = value
  end
  table.sort(sorted)
  local middle = (#sorted + 1) / 2
  return (sorted[math.floor(middle)] + sorted[math.ceil(middle)]) / 2,
    sorted[1], sorted[#sorted]
end

-- Four significant digits, no exponent.
local function number(value)
  if value >= 1000 then
    return ("%.0f"):format(value)
  end
  return ("%.4g"):format(value)
end

local FORMAT = "| %-24s | %-26s | %10s | %-21s | %-9s | %6s |\n"

--- The table, as Markdown.
---@return string
function M.table(results)
  local out = { FORMAT:format("subject", "variant", "median", "from – to",
    "unit", "ratio"), "|---|---|---:|---|---|---:|\n" }
  local base = {}
  for _, row in ipairs(results) do
    local middle, low, high = median(row)
    base[row.subject] = base[row.subject] or middle
    out[#out + 1] = FORMAT:format(row.subject, row.variant, number(middle),
      number(low) .. " – " .. number(high), row.unit,
      ("%.2f"):format(middle / base[row.subject]))
  end
  return table.concat(out) .. (results.notes or "")
end

-- The status is echoed, since not every Lua gets it from closing a pipe.
local function run(script)
  local pipe = assert(io.popen("{ " .. script .. "; } 2>&1; echo \"= $?\""))
  local text = pipe:read "*a"
  pipe:close()
  if not text:find "= 0\n$" then
    error(script .. " failed:\n" .. text, 0)
  end
  return text
end

--- Runs the scripts and prints the table.
function M.main(rounds, scripts)
  local results = {}
  for _, script in ipairs(scripts) do
    for round = 1, rounds do
      io.stderr:write(("\r%s: round %d of %d "):format(script, round, rounds))
      M.collect(results, run(script))
    end
    io.stderr:write "\n"
  end
  io.write(M.table(results))
end

if arg and arg[0] and arg[0]:find "bench%.lua$" then
  M.main(tonumber(arg[1]), { (table.unpack or unpack)(arg, 2) })
end
return M
