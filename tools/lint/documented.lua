-- Every function of a module's table has documentation ("---"), a method of a
-- documented class at least a comment. A comment's @param lines name the
-- parameters that are there.
local tree = require "lint.tree"

local M = {}

-- The lines of the comment that ends just above line `number`.
local function comment_above(lines, number)
  local comment = {}
  local i = number - 1
  while i > 0 and lines[i]:find "^%-%-" do
    table.insert(comment, 1, lines[i])
    i = i - 1
  end
  return comment
end

local function is_documentation(comment)
  for _, line in ipairs(comment) do
    if line:find "^%-%-%-%s*%S" then
      return true
    end
  end
  return false
end

local function check_params(comment, parameters, complain)
  local known = {}
  for name in parameters:gmatch "[%w_.]+" do
    known[name] = true
  end
  for _, line in ipairs(comment) do
    local name = line:match "^%-%-%-?%s*@t?param%s+([%w_.]+)"
    if name and not known[name] then
      complain("@param " .. name .. " is no parameter")
    end
  end
end

-- The tables whose functions are public: M, and what has a ---@class.
local function public_tables(lines)
  local public, in_class = { M = true }, false
  for _, line in ipairs(lines) do
    local name = line:match "^local ([%w_]+) ="
    if in_class and name then
      public[name] = true
    end
    in_class = line:find "^%-%-%-@class" ~= nil
      or in_class and line:find "^%-%-" ~= nil
  end
  return public
end

local function check_lua(path, text, report)
  local lines = {}
  for number, line in tree.lines(text) do
    lines[number] = line
  end
  local public = public_tables(lines)
  for number, line in ipairs(lines) do
    local name, parameters = line:match "^function ([%w_]+[.:][%w_]+)%((.-)%)"
    if name then
      local function complain(message)
        report(path, number, name .. ": " .. message)
      end
      local comment = comment_above(lines, number)
      if name:find "^M[.:]%a" and not is_documentation(comment) then
        complain "no documentation"
      elseif public[name:match "^[%w_]+"] and not name:find "[.:]_"
        and #comment == 0 then
        complain "no comment"
      end
      check_params(comment, parameters, complain)
    end
  end
end

-- What is inlined says what it does by itself.
local function is_prototype(line)
  return line:find "^[%a_].*[%w_]%(" and not line:find "^typedef"
    and not line:find "^static"
end

-- A comment counts for the prototypes that follow it without an empty line.
local function check_header(path, text, report)
  local documented = false
  local code = {}
  for number, line in tree.lines(tree.c_code(text)) do
    code[number] = line
  end
  for number, line in tree.lines(text) do
    if line:find "%*/%s*$" then
      documented = true
    elseif not line:find "%S" then
      documented = false
    elseif is_prototype(code[number]) and not documented then
      report(path, number, "a prototype without a comment")
    end
  end
end

function M.check(sources, report)
  for _, path in ipairs(tree.paths(sources, "^lua/.*%.lua$")) do
    check_lua(path, sources[path], report)
  end
  for _, path in ipairs(tree.paths(sources, "^src/.*%.h$")) do
    check_header(path, sources[path], report)
  end
end

return M
