-- What a line may not hold: more than 79 columns, tabs, blanks at its end,
-- words that speak of unfinished work, C functions that cannot be used safely,
-- and C that clang-format's versions lay out differently.
local tree = require "lint.tree"

local M = {}

local COLUMNS = 79

local BANNED = {}
for name in ([[alloca atof atoi atol atoll gets scanf sprintf sscanf strcat
  strcpy strncat strncpy strtok vsprintf]]):gmatch "%S+" do
  BANNED[name] = true
end

local UNFINISHED = { "TO" .. "DO", "FIX" .. "ME", "X" .. "XX", "HA" .. "CK" }

-- Characters, not bytes: a sequence's first byte is not a continuation.
local function columns(line)
  return select(2, line:gsub("[^\128-\191]", ""))
end

local function check_line(line, complain)
  if columns(line) > COLUMNS then
    complain(columns(line) .. " columns")
  end
  if line:find "\t" then
    complain "a tab"
  end
  if line:find "%s$" then
    complain "blanks at the end"
  end
  for _, word in ipairs(UNFINISHED) do
    if line:find("%f[%w]" .. word .. "%f[%W]") then
      complain(word)
    end
  end
end

local function check_banned(text, complain)
  for number, line in tree.lines(tree.c_code(text)) do
    for name in line:gmatch "%f[%w_]([%a_][%w_]*)%s*%(" do
      if BANNED[name] then
        complain(number, name .. " is banned")
      end
    end
  end
end

-- clang-format 14 indents the braces of such a macro and joins the lines of a
-- struct with one member and no name; 19 does neither.
local function check_layout(text, complain)
  local previous = ""
  for number, line in tree.lines(tree.c_code(text)) do
    local head, body = line:match "^(#define%s.-)%s*({.*)$"
    if not head and previous:find "^#define%s" then
      head, body = previous:match "^(.-)%s*\\$", line:match "^%s*({.*)$"
    end
    if head and body and head:find "^#define%s+[%w_]+%b()$" then
      complain(number, "a macro begins with a brace: write it in each row")
    end
    if line:find "%f[%w_]struct%s*{.*;.*}" then
      complain(number, "a struct on one line: write each member on its own")
    end
    previous = line
  end
end

function M.check(sources, report)
  local list = tree.paths(sources, "%.[ch]$")
  for _, path in ipairs(list) do
    local function complain(number, message)
      report(path, number, message)
    end
    check_banned(sources[path], complain)
    check_layout(sources[path], complain)
  end
  for _, path in ipairs(tree.paths(sources, "%.%a+$")) do
    if path:find "%.[ch]$" or path:find "%.lua$" or path:find "%.sh$" then
      for number, line in tree.lines(sources[path]) do
        check_line(line, function(message)
          report(path, number, message)
        end)
      end
    end
  end
end

return M
