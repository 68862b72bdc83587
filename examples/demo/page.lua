-- What the demo prints: headings, lines with a mark, the timeline.
local M = {}

local COLORS = { bold = "1", dim = "2", red = "31", green = "32",
  yellow = "33", blue = "34", magenta = "35", cyan = "36" }

local colored = os.getenv "DEMO_COLOR" ~= nil

-- Columns that a text takes: UTF-8 continuation bytes take none.
local function width(text)
  return #text - select(2, text:gsub("[\128-\191]", ""))
end

local function pad(text, columns)
  return text .. (" "):rep(columns - width(text))
end

function M.paint(color, text)
  if not colored then
    return text
  end
  return "\27[" .. COLORS[color] .. "m" .. text .. "\27[0m"
end

local function write(...)
  io.stdout:write(...)
  io.stdout:write("\n")
  io.stdout:flush()
end

function M.heading(text)
  write("\n", M.paint("bold", text))
end

function M.line(label, text)
  write("  ", M.paint("dim", pad(label, 12)), text)
end

-- One event of the timeline.
function M.event(seconds, color, channel, name, detail, note)
  write(("  %5.1f s  "):format(seconds), M.paint(color, pad(channel, 9)),
    pad(name, 24), pad(detail, 10), note and M.paint("cyan", "→ " .. note)
      or "")
end

function M.claim(what, holds)
  write("  ", holds and M.paint("green", "✓") or M.paint("red", "✗"), " ",
    what)
end

return M
