-- Every source file has its spec, and every function that users call is named
-- in one.
local tree = require "lint.tree"

local M = {}

-- The specs that may be a source file's own.
local function specs_of(path)
  local stem = path:match "^src/lua_([%w_]+)%.c$"
  if stem then
    return { "spec/core/" .. stem .. "_spec.lua" }
  end
  stem = path:match "^src/([%w_]+)%.c$"
  if stem then
    return { "spec/c/" .. stem .. "_test.c" }
  end
  stem = path:match "^lua/(.*)%.lua$" or path:match "^(tools/.*)%.lua$"
  if stem then
    return { "spec/" .. stem .. "_spec.lua" }
  end
end

local function check_files(sources, report)
  for path in pairs(sources) do
    local specs = specs_of(path)
    local found = not specs
    for _, spec in ipairs(specs or {}) do
      found = found or sources[spec] ~= nil
    end
    if not found then
      report(path, 1, "no " .. table.concat(specs, " or "))
    end
  end
end

-- Every word that follows a point or a colon in a spec, in the programs that
-- it holds as strings too.
local function words_used(sources)
  local used = {}
  for _, path in ipairs(tree.paths(sources, "^spec/.*%.lua$")) do
    local code = tree.lua_code(sources[path], true)
    for word in code:gmatch "[.:]([%a_][%w_]*)" do
      used[word] = true
    end
  end
  return used
end

-- The modules that users require, and those that the face loads for them.
local function public_modules(sources)
  local list = tree.paths(sources, "^lua/flexhooks/resources/.*%.lua$")
  local text = (sources["lua/flexhooks.lua"] or "")
    .. '{ "flexhooks.testing" } { "flexhooks.nginx" } { "flexhooks.error" }'
  local seen = {}
  for name in text:gmatch '{ "(flexhooks[%w_.]*)"' do
    local path = "lua/" .. name:gsub("%.", "/") .. ".lua"
    list[#list + 1] = not seen[path] and sources[path] and path or nil
    seen[path] = true
  end
  return list
end

local function check_functions(sources, used, report)
  for _, path in ipairs(public_modules(sources)) do
    local documented = false
    for number, line in tree.lines(sources[path]) do
      local name = line:match "^function [%w_]+[.:]([%w_]+)%("
      if name and documented and not name:find "^_" and not used[name] then
        report(path, number, name .. " is used in no spec")
      end
      documented = line:find "^%-%-%-" or documented and line:find "^%-%-"
    end
  end
end

local function check_face(sources, used, report)
  local face = "lua/flexhooks.lua"
  for number, line in tree.lines(sources[face] or "") do
    local name = line:match "^  ([%w_]+) = { \"flexhooks[%w_.]*\""
    if name and not used[name] then
      report(face, number, "flexhooks." .. name .. " is used in no spec")
    end
  end
end

function M.check(sources, report)
  local used = words_used(sources)
  check_files(sources, report)
  check_functions(sources, used, report)
  check_face(sources, used, report)
end

return M
