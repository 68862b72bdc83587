--- What commands print: tables for people, JSON for programs.
-- @module flexhooks.cli.output

local json = require "flexhooks.json"
local log = require "flexhooks.log"
local webhook_url = require "flexhooks.url.webhook"

local M = {}

local DESCRIPTORS = { [io.stdin] = 0, [io.stdout] = 1, [io.stderr] = 2 }
local terminals = {}

--- Writes data to standard output. What is longer than the stream's buffer is
-- not kept where it cannot be written: a later flush would know of nothing.
---@param ... string|number
function M.write(...)
  local ok, why = io.stdout:write(...)
  M.lost = M.lost or not ok and why or nil
end

--- Has all that was printed arrived?
---@return true?
---@return string? why not
function M.flush()
  local ok, why = io.stdout:flush()
  if M.lost or not ok then
    return nil, M.lost or why
  end
  return true
end

--- Is one of the standard streams a terminal?
---@param stream file* io.stdin, io.stdout or io.stderr
---@return boolean
function M.is_terminal(stream)
  if terminals[stream] == nil then
    local ok = os.execute("test -t " .. DESCRIPTORS[stream])
    terminals[stream] = ok == true or ok == 0
  end
  return terminals[stream]
end

local function coloured(stream)
  return (os.getenv("NO_COLOR") or "") == "" and os.getenv("TERM") ~= "dumb"
    and M.is_terminal(stream)
end

local COLOURS = { ["+"] = 32, ["~"] = 33, ["±"] = 33, ["-"] = 31, ["!"] = 36 }

--- Colours the lines of a plan by their first mark, for a terminal.
---@param text string
---@param stream file* where it will be written
---@return string
function M.paint(text, stream)
  if not coloured(stream) then
    return text
  end
  return (text:gsub("[^\n]+", function(line)
    local colour = COLOURS[line:match "^ +([^%w%s]+) "]
    return colour and ("\27[%dm%s\27[0m"):format(colour, line)
  end))
end

local MARKS = { pass = { "ok", 32 }, warn = { "warn", 33 },
  fail = { "FAIL", 31 }, skip = { "skip", 90 } }

--- Writes what a check found, and below it what to do.
---@param status "pass"|"warn"|"fail"|"skip"
---@param name string what was checked
---@param message string
---@param advice string?
function M.check(status, name, message, advice)
  local mark, colour = MARKS[status][1], MARKS[status][2]
  local shown = ("%-4s"):format(mark)
  if coloured(io.stdout) then
    shown = ("\27[%dm%s\27[0m"):format(colour, shown)
  end
  io.stdout:write(shown, "  ", ("%-12s"):format(name), "  ",
    log.escape(message), "\n")
  if advice then
    io.stdout:write("      ", (" "):rep(12), "  ", log.escape(advice), "\n")
  end
  io.stdout:flush()
end

-- Columns of the terminal, or nil where output goes elsewhere.
local function terminal_width()
  if not M.is_terminal(io.stdout) then
    return nil
  end
  local pipe = io.popen("stty size </dev/tty 2>/dev/null")
  local columns = pipe and pipe:read("*l") or ""
  if pipe then
    pipe:close()
  end
  return tonumber(columns:match "%d+ (%d+)")
end

-- Values may come from the network: no control character reaches a terminal.
local function cell(value)
  if value == nil then
    return "-"
  elseif type(value) == "table" then
    return log.escape(table.concat(value, " "))
  end
  return log.escape(value)
end

-- Characters, not bytes: UTF-8 continuation bytes take no column.
local function width(text)
  return #text - select(2, text:gsub("[\128-\191]", ""))
end

-- A line that fits; whole characters only.
local function cut(text, room)
  if not room or width(text) <= room then
    return text
  end
  local kept, count = 0, 0
  for character in text:gmatch("[^\128-\191][\128-\191]*") do
    count = count + 1
    if count == room then
      break
    end
    kept = kept + #character
  end
  return text:sub(1, kept) .. "…"
end

--- Writes a table: one header row, columns as wide as they need.
---@param headers string[]
---@param rows any[][] cells; nil shows as "-"
function M.rows(headers, rows)
  local texts, widths = { headers }, {}
  for _, row in ipairs(rows) do
    local line = {}
    for column = 1, #headers do
      line[column] = cell(row[column])
    end
    texts[#texts + 1] = line
  end
  for _, line in ipairs(texts) do
    for column, text in ipairs(line) do
      widths[column] = math.max(widths[column] or 0, width(text))
    end
  end
  local room = terminal_width()
  for _, line in ipairs(texts) do
    for column = 1, #line - 1 do
      line[column] = line[column]
        .. (" "):rep(widths[column] - width(line[column]))
    end
    M.write(cut(table.concat(line, "  "), room), "\n")
  end
end

--- Writes one thing as `name  value` lines.
---@param fields any[][] pairs of name and value
function M.fields(fields)
  local names, widest = {}, 0
  for i, field in ipairs(fields) do
    names[i] = cell(field[1])
    widest = math.max(widest, width(names[i]))
  end
  for i, field in ipairs(fields) do
    io.stdout:write(names[i], (" "):rep(widest - width(names[i]) + 2),
      cell(field[2]), "\n")
  end
end

local function filled(list, last)
  for place = 1, last do
    if list[place] == nil then
      list[place] = json.null
    end
  end
  return list
end

-- A copy that JSON can hold: with U+FFFD for bytes that are no UTF-8, and null
-- in the empty places of lists.
local function printable(value)
  if type(value) == "string" then
    return log.utf8(value)
  elseif type(value) ~= "table" then
    return value
  end
  local copy, last = setmetatable({}, getmetatable(value)), 0
  for name, field in pairs(value) do
    copy[printable(name)] = printable(field)
    last = type(name) == "number" and math.max(last, name) or last
  end
  return filled(copy, last)
end

--- A value as JSON. What came from a network need not be text.
---@return string
function M.text(value)
  return json.encode(value) or assert(json.encode(printable(value)))
end

--- Writes a value as one line of JSON.
function M.json(value)
  M.write(M.text(value), "\n")
end

--- Writes a message for a person. Passwords of URLs are hidden.
function M.say(...)
  io.stderr:write(webhook_url.shown(string.format(...)), "\n")
end

return M
