--- What commands print: tables for people, JSON for programs.
-- @module flexhooks.cli.output

local json = require "flexhooks.json"
local log = require "flexhooks.log"

local M = {}

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
  for _, line in ipairs(texts) do
    for column = 1, #line - 1 do
      line[column] = line[column]
        .. (" "):rep(widths[column] - width(line[column]))
    end
    io.stdout:write(table.concat(line, "  "), "\n")
  end
end

--- Writes one thing as `name  value` lines.
---@param fields any[][] pairs of name and value
function M.fields(fields)
  local widest = 0
  for _, field in ipairs(fields) do
    widest = math.max(widest, width(field[1]))
  end
  for _, field in ipairs(fields) do
    io.stdout:write(field[1], (" "):rep(widest - width(field[1]) + 2),
      cell(field[2]), "\n")
  end
end

--- Writes a value as one line of JSON.
function M.json(value)
  io.stdout:write(assert(json.encode(value)), "\n")
end

--- Writes a message for a person.
function M.say(...)
  io.stderr:write(string.format(...), "\n")
end

return M
