-- How long functions are: none over 60 lines, and the medians are told.
local tree = require "lint.tree"

local M = {}

local LONGEST = 60

local OPENS = { ["function"] = true, ["do"] = true, ["if"] = true,
  ["repeat"] = true }
local CLOSES = { ["end"] = true, ["until"] = true }

--- The functions of a Lua text: { first =, last = } each, inner ones too.
function M.lua_functions(text)
  local functions, open = {}, {}
  for number, line in tree.lines(tree.lua_code(text)) do
    for word in line:gmatch "%f[%w_][%a_][%w_]*" do
      if OPENS[word] then
        open[#open + 1] = { kind = word, first = number }
      elseif CLOSES[word] and #open > 0 then
        local block = table.remove(open)
        if block.kind == "function" then
          functions[#functions + 1] = { first = block.first, last = number }
        end
      end
    end
  end
  return functions
end

--- The functions of a C text in our layout: a definition begins in the first
-- column, its body ends with a brace there.
function M.c_functions(text)
  local functions, start, body = {}, nil, false
  for number, line in tree.lines(tree.c_code(text)) do
    if not body and line:find "^[%a_]" then
      start = number
    end
    if start and not body and line:find "%)%s*{%s*$" then
      body = true
    elseif line:find "^}" then
      if body then
        functions[#functions + 1] = { first = start, last = number }
      end
      start, body = nil, false
    end
  end
  return functions
end

local function median(lengths)
  table.sort(lengths)
  return lengths[math.floor((#lengths + 1) / 2)] or 0
end

-- A spec's blocks are no functions in this sense: they hold lists of tests.
local function functions_in(path, text, functions_of)
  local list = path:find "^spec/data/"
    or path:find "^spec/" and text:find "%f[%w]describe%("
  return list and {} or functions_of(text)
end

local function measure(sources, pattern, functions_of, report)
  local lengths, longest = {}, 0
  for _, path in ipairs(tree.paths(sources, pattern)) do
    local functions = functions_in(path, sources[path], functions_of)
    for _, f in ipairs(functions) do
      local length = f.last - f.first + 1
      lengths[#lengths + 1] = length
      longest = math.max(longest, length)
      if length > LONGEST then
        report(path, f.first, "a function of " .. length .. " lines")
      end
    end
  end
  return ("%d functions, median %d lines, longest %d"):format(#lengths,
    median(lengths), longest)
end

function M.check(sources, report)
  local function told(name, pattern, functions_of)
    return name .. ": " .. measure(sources, pattern, functions_of, report)
  end
  return told("C", "^src/.*%.[ch]$", M.c_functions) .. "\n"
    .. told("C, tests", "^spec/.*%.[ch]$", M.c_functions) .. "\n"
    .. told("Lua", "^lua/.*%.lua$", M.lua_functions) .. "\n"
    .. told("Lua, tools", "^[^l].*%.lua$", M.lua_functions)
end

return M
