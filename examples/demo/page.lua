-- What the demo prints: headings, labelled lines, the timeline, claims.
local M = {}

local COLORS = { bold = "1", dim = "2", red = "31", green = "32",
  yellow = "33", blue = "34", cyan = "36" }

local colored = os.getenv "DEMO_COLOR" ~= nil

-- Columns that a text takes: UTF-8 continuation bytes take none.
local function width(text)
  return #text - select(2, text:gsub("[\128-\191]", ""))
end

local function pad(text, columns)
  return text .. (" "):rep(columns - width(text))
end

local function paint(color, text)
  if not colored or text == "" then
    return text
  end
  return "\27[" .. COLORS[color] .. "m" .. text .. "\27[0m"
end

-- Shown at once, also where the output is a pipe.
local function write(...)
  local line = table.concat { ... }
  io.stdout:write((line:gsub(" +$", "")), "\n")
  io.stdout:flush()
end

function M.heading(text)
  write("\n", paint("bold", text))
end

function M.line(label, text)
  write("  ", paint("dim", pad(label, 11)), text)
end

--- One event of the timeline.
---@param row table `seconds`, `color`, `channel`, `name`, `detail`, `twice`,
-- `note`
function M.event(row)
  write(("  %4.1f s  "):format(row.seconds),
    paint(row.color, pad(row.channel, 9)), pad(row.name, 24),
    pad(row.detail, 9), paint("dim", pad(row.twice and "×2" or "", 4)),
    paint("cyan", row.note and "→ " .. row.note or ""))
end

function M.claim(what, holds)
  write("  ", holds and paint("green", "✓") or paint("red", "✗"), " ", what)
end

return M
